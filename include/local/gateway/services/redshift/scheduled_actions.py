"""Scheduled actions: kept, listed, and really carried out when they are due.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/mgmt/managing-cluster-operations.html
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.redshift.schedules import Schedule, ScheduleError

_LOG = logging.getLogger(__name__)
_SHOWN = 5  # invocations ahead
_TICK = 0.2
_TARGETS = ("ResizeCluster", "PauseCluster", "ResumeCluster")


@dataclass
class ScheduledAction:
    """A scheduled action.

    :param name: its name.
    :param region: its Region.
    :param target: operation and its parameters, as the model nests them.
    :param schedule: its expression.
    :param role: ARN of the role.
    :param description: for people.
    :param enabled: whether it happens.
    :param start: no earlier than this, ISO 8601.
    :param end: no later than this.
    :param access_key: who has made it.
    """

    name: str
    region: str
    target: dict[str, Any]
    schedule: str
    role: str
    description: str | None = None
    enabled: bool = True
    start: str | None = None
    end: str | None = None
    access_key: str = "local"

    def next_times(self, moment: datetime, count: int) -> list[datetime]:
        """List when it happens next.

        :param moment: later than this.
        :param count: how many times at most.
        """
        begin = moment
        if self.start is not None:
            begin = max(begin, datetime.fromisoformat(self.start))
        times = islice(Schedule(self.schedule).after(begin), count)
        end = datetime.fromisoformat(self.end) if self.end is not None else None
        return [time for time in times if end is None or time <= end]


class ScheduledActions:
    """All of them, and the thread that carries them out.

    :param file: where they are kept.
    :param operations: function by operation that an action can have as its target.
    """

    def __init__(self, file: Path, operations: Mapping[str, Operation]) -> None:
        self._file = file
        self._targets = operations
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._seen = datetime.now(UTC)
        self._actions: dict[tuple[str, str], ScheduledAction] = {}
        if file.exists():
            for values in json.loads(file.read_text()):
                action = ScheduledAction(**values)
                self._actions[action.region, action.name] = action
        threading.Thread(target=self._watch, name="redshift-schedules", daemon=True).start()

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CreateScheduledAction": self.create,
            "DeleteScheduledAction": self.delete,
            "DescribeScheduledActions": self.describe,
            "ModifyScheduledAction": self.modify,
        }

    def create(self, request: OperationRequest) -> Mapping[str, Any]:
        """Make one (CreateScheduledAction)."""
        given = request.parameters
        action = ScheduledAction(
            name=given["ScheduledActionName"],
            region=request.region,
            target=_target(given["TargetAction"]),
            schedule=_schedule(given["Schedule"]),
            role=given["IamRole"],
            description=given.get("ScheduledActionDescription"),
            enabled=given.get("Enable", True),
            start=_moment(given.get("StartTime")),
            end=_moment(given.get("EndTime")),
            access_key=request.access_key,
        )
        _check(action)
        with self._changed:
            if (action.region, action.name) in self._actions:
                message = f"Scheduled action {action.name} already exists"
                raise AwsError("ScheduledActionAlreadyExists", message)
            self._actions[action.region, action.name] = action
            self._save()
        return _shown(action)

    def modify(self, request: OperationRequest) -> Mapping[str, Any]:
        """Change one (ModifyScheduledAction)."""
        given = request.parameters
        with self._changed:
            old = self._require(request.region, given["ScheduledActionName"])
            new = ScheduledAction(**asdict(old))
            if "TargetAction" in given:
                new.target = _target(given["TargetAction"])
            if "Schedule" in given:
                new.schedule = _schedule(given["Schedule"])
            new.role = given.get("IamRole", new.role)
            new.description = given.get("ScheduledActionDescription", new.description)
            new.enabled = given.get("Enable", new.enabled)
            new.start = _moment(given.get("StartTime")) or new.start
            new.end = _moment(given.get("EndTime")) or new.end
            _check(new)
            self._actions[new.region, new.name] = new
            self._save()
        return _shown(new)

    def delete(self, request: OperationRequest) -> Mapping[str, Any]:
        """Remove one (DeleteScheduledAction)."""
        with self._changed:
            name = request.parameters["ScheduledActionName"]
            action = self._require(request.region, name)
            del self._actions[action.region, action.name]
            self._save()
        return {}

    def describe(self, request: OperationRequest) -> Mapping[str, Any]:
        """List them (DescribeScheduledActions)."""
        given = request.parameters
        with self._changed:
            if "ScheduledActionName" in given:
                found = [self._require(request.region, given["ScheduledActionName"])]
            else:
                found = [
                    action
                    for (region, _), action in sorted(self._actions.items())
                    if region == request.region
                ]
        kind, active = given.get("TargetActionType"), given.get("Active")
        clusters = {
            value
            for condition in given.get("Filters", ())
            if condition["Name"] == "cluster-identifier"
            for value in condition["Values"]
        }
        found = [
            action
            for action in found
            if (kind is None or kind in action.target)
            and (active is None or action.enabled == active)
            and (not clusters or _cluster(action) in clusters)
            and action.name > given.get("Marker", "")
        ]
        most = given.get("MaxRecords", 100)
        more = {"Marker": found[most - 1].name} if len(found) > most else {}
        return {"ScheduledActions": [_shown(action) for action in found[:most]], **more}

    def close(self) -> None:
        """Carry out nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _require(self, region: str, name: str) -> ScheduledAction:
        action = self._actions.get((region, name))
        if action is None:
            message = f"The scheduled action {name} was not found"
            raise AwsError("ScheduledActionNotFound", message)
        return action

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                now = datetime.now(UTC)
                due = [
                    action
                    for action in self._actions.values()
                    if action.enabled
                    and any(time <= now for time in action.next_times(self._seen, 1))
                ]
                self._seen = now
                for action in due:
                    self._carry_out(action)
                self._changed.wait(_TICK)

    def _carry_out(self, action: ScheduledAction) -> None:
        [(operation, parameters)] = action.target.items()
        request = OperationRequest(operation, parameters, action.region, action.access_key)
        try:
            self._targets[operation](request)
        except AwsError as error:
            _LOG.warning("Scheduled action %s failed: %s", action.name, error.message)
        except Exception:  # noqa: BLE001 - the next action is due all the same
            _LOG.exception("Scheduled action %s failed", action.name)
        else:
            _LOG.info("Scheduled action %s: %s", action.name, operation)
        if Schedule(action.schedule).happens_once:
            action.enabled = False
            self._save()

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary: Path = self._file.with_suffix(".new")
        temporary.write_text(json.dumps([asdict(one) for one in self._actions.values()], indent=1))
        temporary.replace(self._file)


def _target(given: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: dict(given[name]) for name in _TARGETS if given.get(name)}
    if len(found) != 1:
        message = f"TargetAction must be exactly one of {', '.join(_TARGETS)}"
        raise AwsError("InvalidParameterCombination", message)
    return found


def _schedule(text: str) -> str:
    try:
        Schedule(text)
    except ScheduleError as error:
        raise AwsError("InvalidSchedule", f"The schedule is not valid: {error}") from error
    return text


def _moment(value: Any) -> str | None:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _check(action: ScheduledAction) -> None:
    start, end = action.start, action.end
    if start and end and datetime.fromisoformat(start) >= datetime.fromisoformat(end):
        raise AwsError("InvalidParameterCombination", "StartTime must be before EndTime")
    if action.enabled and not action.next_times(datetime.now(UTC), 1):
        message = f"The schedule {action.schedule} has no time in the future"
        raise AwsError("InvalidSchedule", message)


def _cluster(action: ScheduledAction) -> str:
    [parameters] = action.target.values()
    return str(parameters["ClusterIdentifier"])


def _shown(action: ScheduledAction) -> dict[str, Any]:
    ahead = action.next_times(datetime.now(UTC), _SHOWN) if action.enabled else []
    shown: dict[str, Any] = {
        "ScheduledActionName": action.name,
        "TargetAction": action.target,
        "Schedule": action.schedule,
        "IamRole": action.role,
        "State": "ACTIVE" if action.enabled else "DISABLED",
        "NextInvocations": ahead,
    }
    if action.description is not None:
        shown["ScheduledActionDescription"] = action.description
    for name, value in (("StartTime", action.start), ("EndTime", action.end)):
        if value is not None:
            shown[name] = datetime.fromisoformat(value)
    return shown
