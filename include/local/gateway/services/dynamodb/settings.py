"""What can be set while the gateway runs, through ``/_local/dynamodb/``."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from include.local.gateway.errors import AwsError


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """How exports and imports behave. The defaults are AWS's, but for the time they take.

    :param export_seconds: least time that an export is in progress.
    :param import_seconds: least time that an import is in progress.
    :param shortest_window_seconds: shortest window of an incremental export.
    :param longest_window_seconds: longest window of an incremental export.
    :param concurrent_exports: most exports in progress at a time, per Region.
    :param concurrent_imports: most imports in progress at a time, per Region.
    """

    export_seconds: float = 1.0
    import_seconds: float = 1.0
    shortest_window_seconds: float = 15 * 60
    longest_window_seconds: float = 24 * 60 * 60
    concurrent_exports: float = 300
    concurrent_imports: float = 50

    def as_dict(self) -> dict[str, float]:
        """List them.

        :returns: values by name.
        """
        return dataclasses.asdict(self)

    def changed(self, changes: Mapping[str, Any]) -> "TaskSettings":
        """Change some of them.

        :param changes: new values by name.
        :returns: the settings.
        :raises AwsError: when there is no such name or a value is not a number of 0 or more.
        """
        names = [each.name for each in dataclasses.fields(self)]
        for name, value in changes.items():
            if name not in names:
                raise invalid(f"There is no setting {name!r}; choose from {', '.join(names)}")
            require_number(name, value)
        return dataclasses.replace(self, **changes)


def require_number(name: str, value: Any) -> float:
    """Check a number of a control call.

    :param name: what it is called there.
    :param value: the value.
    :returns: the value.
    :raises AwsError: when it is not a number of 0 or more.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise invalid(f"{name} is {value!r}; give a number of 0 or more")
    return float(value)


def invalid(message: str) -> AwsError:
    """Make the error for a control call that can't be understood.

    :param message: what is wrong.
    :returns: the error.
    """
    return AwsError("InvalidControlCall", message, HTTPStatus.BAD_REQUEST)
