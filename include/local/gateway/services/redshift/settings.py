"""What can be set while the gateway runs, through ``/_local/redshift/``: times and faults."""

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.services.dynamodb.settings import invalid, require_number

CREATING, DELETING, MODIFYING, REBOOTING = "creating", "deleting", "modifying", "rebooting"
PAUSING, RESUMING, RESIZING = "pausing", "resuming", "resizing"
CANCELLING_RESIZE = "cancelling-resize"
_HOLDABLE = (CREATING, DELETING, MODIFYING, PAUSING, RESUMING, RESIZING, CANCELLING_RESIZE)


@dataclass(frozen=True, slots=True)
class Phases:
    """Least time, in seconds, that clusters, workgroups and statements stay on their way.

    :param creating: of a cluster, namespace or workgroup.
    :param deleting: of the same.
    :param modifying: of a cluster or workgroup.
    :param pausing: of a cluster.
    :param resuming: of a cluster.
    :param elastic_resize: of a cluster that is resized elastically.
    :param classic_resize: of a cluster that is resized the classic way.
    :param cancelling_resize: of a cluster whose resize is taken back.
    :param submitted: of a statement, before it runs.
    """

    creating: float = 0.2
    deleting: float = 0.2
    modifying: float = 0.2
    pausing: float = 0.3
    resuming: float = 0.3
    elastic_resize: float = 0.5
    classic_resize: float = 1.0
    cancelling_resize: float = 0.2
    submitted: float = 0.0


@dataclass(slots=True)
class Rule:
    """What happens to clusters and workgroups with certain names.

    :param name: their name, with ``*`` and ``?`` as in file names.
    :param state: the state that they are held in; empty for faults of calls.
    :param operation: the call that fails, or ``Resize`` for a resize that fails on its way.
    :param code: code of the error, such as ``InsufficientClusterCapacity``.
    :param message: its text.
    :param times: how often it still happens; None is for ever.
    """

    name: str
    state: str = ""
    operation: str = ""
    code: str = ""
    message: str = ""
    times: int | None = None


class RedshiftSettings:
    """The settings, safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holds: list[Rule] = []
        self._faults: list[Rule] = []
        self.phases = Phases()

    def is_held(self, name: str, state: str) -> bool:
        """Tell whether a cluster or workgroup has to stay in its state.

        :param name: its name.
        :param state: its state.
        """
        with self._lock:
            return any(rule.state == state and fnmatchcase(name, rule.name) for rule in self._holds)

    def take_fault(self, name: str, operation: str) -> Rule | None:
        """Use a fault up.

        :param name: name of the cluster or workgroup.
        :param operation: the call.
        :returns: how it fails, None when it doesn't.
        """
        with self._lock:
            for rule in self._faults:
                if fnmatchcase(operation, rule.operation) and fnmatchcase(name, rule.name):
                    if rule.times is not None:
                        rule.times -= 1
                        if rule.times <= 0:
                            self._faults.remove(rule)
                    return rule
        return None

    def fail_if_asked(self, name: str, operation: str) -> None:
        """Fail a call that has to.

        :param name: name of the cluster or workgroup.
        :param operation: the call.
        :raises AwsError: as the fault says.
        """
        rule = self.take_fault(name, operation)
        if rule is not None:
            raise AwsError(rule.code, rule.message)

    def get_phases(self, given: Mapping[str, Any]) -> Any:
        """Show the times; see :class:`Phases`."""
        del given
        return dataclasses.asdict(self.phases)

    def put_phases(self, given: Mapping[str, Any]) -> Any:
        """Set some of the times."""
        _require_names(given, tuple(each.name for each in dataclasses.fields(Phases)))
        numbers = {name: require_number(name, value) for name, value in given.items()}
        self.phases = dataclasses.replace(self.phases, **numbers)
        return self.get_phases({})

    def delete_phases(self, given: Mapping[str, Any]) -> Any:
        """Bring the defaults back."""
        self.phases = Phases()
        return self.get_phases(given)

    def get_rules(self, given: Mapping[str, Any]) -> Any:
        """Show what is held and what fails."""
        del given
        with self._lock:
            return {
                "holds": [dataclasses.asdict(rule) for rule in self._holds],
                "failures": [dataclasses.asdict(rule) for rule in self._faults],
            }

    def put_hold(self, given: Mapping[str, Any]) -> Any:
        """Hold clusters and workgroups in a state."""
        _require_names(given, ("name", "state"))
        state = given.get("state")
        if state not in _HOLDABLE:
            raise invalid(f"state is {state!r}; choose from {', '.join(_HOLDABLE)}")
        with self._lock:
            self._holds.append(Rule(_name(given), state=str(state)))
        return self.get_rules({})

    def put_failure(self, given: Mapping[str, Any]) -> Any:
        """Make calls fail, or a resize on its way."""
        _require_names(given, ("name", "operation", "code", "message", "times"))
        operation, code = given.get("operation"), given.get("code", "")
        message, times = given.get("message"), given.get("times")
        if not isinstance(operation, str) or not operation:
            raise invalid("Give the operation that fails, such as ResizeCluster, or Resize")
        if operation != "Resize" and (not isinstance(code, str) or not code):
            raise invalid("Give the code of the error, such as InsufficientClusterCapacity")
        if not isinstance(message, str) or not message:
            raise invalid("Give the message of the error")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise invalid(f"times is {times!r}; give a whole number from 1")
        rule = Rule(_name(given), "", operation, str(code), message, times)
        with self._lock:
            self._faults.append(rule)
        return self.get_rules({})

    def delete_holds(self, given: Mapping[str, Any]) -> Any:
        """Let clusters go on, all or those of a name."""
        with self._lock:
            self._holds = _without(self._holds, given)
        return self.get_rules({})

    def delete_failures(self, given: Mapping[str, Any]) -> Any:
        """Let calls succeed, all or those of a name."""
        with self._lock:
            self._faults = _without(self._faults, given)
        return self.get_rules({})


def _without(rules: list[Rule], given: Mapping[str, Any]) -> list[Rule]:
    _require_names(given, ("name",))
    return [rule for rule in rules if rule.name != given.get("name", rule.name)]


def _name(given: Mapping[str, Any]) -> str:
    name = given.get("name", "*")
    if not isinstance(name, str):
        raise invalid(f"name is {name!r}; give the name of a cluster, or a pattern such as etl-*")
    return name


def _require_names(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in given:
        if name not in names:
            raise invalid(f"{name!r} is not known here; choose from {', '.join(names)}")
