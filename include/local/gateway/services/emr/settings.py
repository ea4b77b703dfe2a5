"""What can be set while the gateway runs, through ``/_local/emr/``: phases and failures."""

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from include.local.gateway.services.dynamodb.settings import invalid, require_number
from include.local.gateway.services.emr.clusters import BOOTSTRAPPING, STARTING, TERMINATING

_HOLDABLE = (STARTING, BOOTSTRAPPING, TERMINATING)
_CODES = (
    "BOOTSTRAP_FAILURE",
    "INSTANCE_FAILURE",
    "INSTANCE_FLEET_TIMEOUT",
    "INTERNAL_ERROR",
    "VALIDATION_ERROR",
)


@dataclass(frozen=True, slots=True)
class Phases:
    """Least time, in seconds, that clusters and job runs stay in the states on their way.

    :param starting: of a cluster, in STARTING.
    :param bootstrapping: of a cluster, in BOOTSTRAPPING.
    :param terminating: of a cluster, in TERMINATING.
    :param scheduling: of a job run, before it is RUNNING.
    """

    starting: float = 0.3
    bootstrapping: float = 0.2
    terminating: float = 0.2
    scheduling: float = 0.3


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to clusters with certain names.

    :param name: their name, with ``*`` and ``?`` as in file names.
    :param state: the state that they stay in, or fail in.
    :param code: code of the failure; empty for clusters that are only held.
    :param message: text of the failure.
    """

    name: str
    state: str
    code: str = ""
    message: str = ""


class ClusterSettings:
    """The settings, safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holds: list[Rule] = []
        self._failures: list[Rule] = []
        self.phases = Phases()

    def is_held(self, name: str, state: str) -> bool:
        """Tell whether a cluster has to stay in its state.

        :param name: name of the cluster.
        :param state: its state.
        :returns: whether it has to.
        """
        with self._lock:
            return any(rule.state == state and fnmatchcase(name, rule.name) for rule in self._holds)

    def failure(self, name: str, state: str) -> Rule | None:
        """Tell whether a cluster has to fail.

        :param name: name of the cluster.
        :param state: the state that it fails in.
        :returns: how it fails, None when it need not.
        """
        with self._lock:
            for rule in self._failures:
                if rule.state == state and fnmatchcase(name, rule.name):
                    return rule
        return None

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
        """Show which clusters are held and which fail."""
        del given
        with self._lock:
            return {
                "holds": [dataclasses.asdict(rule) for rule in self._holds],
                "failures": [dataclasses.asdict(rule) for rule in self._failures],
            }

    def put_hold(self, given: Mapping[str, Any]) -> Any:
        """Hold clusters in a state."""
        _require_names(given, ("name", "state"))
        rule = Rule(_name(given), _one_of("state", given.get("state"), _HOLDABLE))
        with self._lock:
            self._holds.append(rule)
        return self.get_rules({})

    def put_failure(self, given: Mapping[str, Any]) -> Any:
        """Make clusters fail in a state, which is STARTING unless given."""
        _require_names(given, ("name", "state", "code", "message"))
        message = given.get("message")
        if not isinstance(message, str) or not message:
            raise invalid("Give the message that the cluster ends with")
        state = _one_of("state", given.get("state", STARTING), _HOLDABLE[:2])
        rule = Rule(_name(given), state, _one_of("code", given.get("code"), _CODES), message)
        with self._lock:
            self._failures.append(rule)
        return self.get_rules({})

    def delete_holds(self, given: Mapping[str, Any]) -> Any:
        """Let clusters go on, all or those of a name."""
        with self._lock:
            self._holds = _without(self._holds, given)
        return self.get_rules({})

    def delete_failures(self, given: Mapping[str, Any]) -> Any:
        """Let clusters succeed, all or those of a name."""
        with self._lock:
            self._failures = _without(self._failures, given)
        return self.get_rules({})


def _without(rules: list[Rule], given: Mapping[str, Any]) -> list[Rule]:
    _require_names(given, ("name",))
    return [rule for rule in rules if rule.name != given.get("name", rule.name)]


def _name(given: Mapping[str, Any]) -> str:
    name = given.get("name", "*")
    if not isinstance(name, str):
        raise invalid(f"name is {name!r}; give the name of a cluster, or a pattern such as etl-*")
    return name


def _one_of(what: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise invalid(f"{what} is {value!r}; choose from {', '.join(choices)}")
    return str(value)


def _require_names(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in given:
        if name not in names:
            raise invalid(f"{name!r} is not known here; choose from {', '.join(names)}")
