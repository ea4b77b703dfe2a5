"""Turns a timetable into scheduled actions of Amazon Redshift, and compares them with those there.

AWS runs these by itself, at times in UTC. A zone with summer time has no such times that hold all
year; what changes, and when, is said as a warning.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/mgmt/managing-cluster-operations.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from updraft.errors import UpdraftError
from updraft.redshift.capacity_goal import PAUSE, RESIZE
from updraft.redshift.timetables import DAYS, EVERY_DAY, Timetable, TimetableEntry

_AHEAD = 370  # days in which each zone with summer time changes its offset
_ROLE = re.compile(r"arn:[a-z0-9-]+:iam::\d{12}:role/\S+")


@dataclass(frozen=True)
class ScheduledAction:
    """A scheduled action.

    :param name: its name.
    :param schedule: when it happens, ``cron(…)`` in UTC.
    :param target: operation and its parameters, as the API nests them.
    :param role: ARN of the role by which AWS does it.
    :param description: text for people.
    :param is_enabled: whether it happens.
    """

    name: str
    schedule: str
    target: Mapping[str, Mapping[str, Any]]
    role: str
    description: str
    is_enabled: bool = True

    def parameters(self) -> dict[str, Any]:
        """Give what CreateScheduledAction and ModifyScheduledAction take.

        :returns: the parameters.
        """
        return {
            "ScheduledActionName": self.name,
            "TargetAction": self.target,
            "Schedule": self.schedule,
            "IamRole": self.role,
            "ScheduledActionDescription": self.description,
            "Enable": self.is_enabled,
        }


@dataclass(frozen=True)
class Difference:
    """What has to be done so that the actions there are those that are wanted.

    :param create: those that there are not.
    :param modify: those that differ, with what differs in words.
    :param remove: names of those that are not wanted.
    """

    create: tuple[ScheduledAction, ...]
    modify: tuple[tuple[ScheduledAction, str], ...]
    remove: tuple[str, ...]

    def lines(self) -> list[str]:
        """Say it in words.

        :returns: a line for each change.
        """
        return [
            *(f"create {one.name}: {one.schedule}" for one in self.create),
            *(f"modify {one.name}: {words}" for one, words in self.modify),
            *(f"remove {name}" for name in self.remove),
        ]


def name_prefix(cluster_identifier: str) -> str:
    """Name what the names of a cluster's own actions begin with.

    :param cluster_identifier: name of the cluster.
    """
    return f"updraft-{cluster_identifier}-"


def require_role(value: str | None) -> str:
    """Check the role of scheduled actions.

    :param value: its ARN.
    :returns: the same.
    :raises UpdraftError: when it is none.
    """
    if value is None or not _ROLE.fullmatch(value):
        raise UpdraftError(
            f"iam_role: {value!r} is no ARN of a role such as arn:aws:iam::123456789012:role/name. "
            "The role has to trust scheduler.redshift.amazonaws.com."
        )
    return value


def wanted_actions(
    timetable: Timetable, cluster_identifier: str, role: str, now: datetime
) -> list[ScheduledAction]:
    """Make an action of each line.

    :param timetable: the timetable.
    :param cluster_identifier: name of the cluster.
    :param role: ARN of the role by which AWS does it.
    :param now: the offset of the time zone is that of the next time after this.
    :returns: the actions.
    """
    actions = []
    for entry in timetable.entries:
        moment, day = _next(entry, timetable.zone, now)
        parameters: dict[str, Any] = {"ClusterIdentifier": cluster_identifier}
        if entry.size is not None:
            parameters |= _size_parameters(entry)
        operation = {PAUSE: "PauseCluster", RESIZE: "ResizeCluster"}.get(
            entry.action, "ResumeCluster"
        )
        days = "" if entry.days == EVERY_DAY else "-" + "-".join(_names(entry.days))
        actions.append(
            ScheduledAction(
                name=f"{name_prefix(cluster_identifier)}{entry.action}-{entry.at:%H%M}{days}",
                schedule=_cron(moment, (moment.date() - day).days, entry.days),
                target={operation: parameters},
                role=role,
                description=f"{entry} {timetable.zone.key}, {', '.join(_names(entry.days))}",
            )
        )
    return actions


def warnings(timetable: Timetable, now: datetime) -> list[str]:
    """Say which lines will be wrong when the clocks change.

    :param timetable: the timetable.
    :param now: the warnings are about the time after this.
    :returns: a sentence for each line, none for a zone without summer time.
    """
    found = []
    for entry in timetable.entries:
        times = list(_times(entry, timetable.zone, now, _AHEAD))
        at = times[0][0].time()
        for (moment, day), (following, _) in pairwise(times):
            # On the day of the change itself a time may be missing, which says nothing.
            if moment.time() != at and following.time() != at:
                then = datetime.combine(day, at, UTC).astimezone(timetable.zone)
                found.append(
                    f"{entry} {timetable.zone.key} is at {at:%H:%M} UTC now and at "
                    f"{moment:%H:%M} UTC from {day} on. AWS will go on at {at:%H:%M} UTC, which is "
                    f"{then:%H:%M} there: apply the timetable again then, or use the DAG "
                    "redshift_pause_resume."
                )
                break
    return found


def compare(wanted: Iterable[ScheduledAction], present: Iterable[Mapping[str, Any]]) -> Difference:
    """Compare the actions that are wanted with those that there are.

    :param wanted: those that are wanted.
    :param present: those that there are, as DescribeScheduledActions shows them.
    :returns: what has to be done.
    """
    there = {action["ScheduledActionName"]: action for action in present}
    create, modify = [], []
    names = set()
    for action in wanted:
        names.add(action.name)
        found = there.get(action.name)
        if found is None:
            create.append(action)
        elif words := "; ".join(_differences(action, found)):
            modify.append((action, words))
    return Difference(tuple(create), tuple(modify), tuple(sorted(set(there) - names)))


def _differences(action: ScheduledAction, found: Mapping[str, Any]) -> Iterator[str]:
    pairs = {
        "schedule": (found.get("Schedule"), action.schedule),
        "target": (_plain(found.get("TargetAction", {})), _plain(action.target)),
        "role": (found.get("IamRole"), action.role),
        "description": (found.get("ScheduledActionDescription"), action.description),
        "state": (found.get("State"), "ACTIVE" if action.is_enabled else "DISABLED"),
    }
    for name, (before, after) in pairs.items():
        if before != after:
            yield f"{name} from {before} to {after}"


def _plain(target: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Leave out what AWS shows and nobody has given."""
    return {
        operation: {name: value for name, value in parameters.items() if value}
        for operation, parameters in target.items()
        if parameters
    }


def _size_parameters(entry: TimetableEntry) -> dict[str, Any]:
    given: dict[str, Any] = {"Classic": entry.classic}
    if entry.size is not None and entry.size.node_type:
        given["NodeType"] = entry.size.node_type
    if entry.size is not None and entry.size.nodes:
        given["NumberOfNodes"] = entry.size.nodes
        given["ClusterType"] = "single-node" if entry.size.nodes == 1 else "multi-node"
    return given


def _next(entry: TimetableEntry, zone: ZoneInfo, now: datetime) -> tuple[datetime, date]:
    return next(_times(entry, zone, now, _AHEAD))


def _times(
    entry: TimetableEntry, zone: ZoneInfo, now: datetime, ahead: int
) -> Iterator[tuple[datetime, date]]:
    """List the times of a line in UTC, each with its day in the time zone."""
    today = now.astimezone(zone).date()
    for number in range(ahead):
        day = today + timedelta(days=number)
        moment = datetime.combine(day, entry.at, zone).astimezone(UTC)
        if day.weekday() in entry.days and moment > now:
            yield moment, day


def _cron(moment: datetime, shift: int, days: frozenset[int]) -> str:
    """Write a time of day as AWS does.

    :param moment: the time, in UTC.
    :param shift: by how many days it is later in UTC than in its zone.
    :param days: days of the week in its zone.
    """
    if days == EVERY_DAY:
        return f"cron({moment.minute} {moment.hour} * * ? *)"
    names = ",".join(_names({(day + shift) % 7 for day in days})).upper()
    return f"cron({moment.minute} {moment.hour} ? * {names} *)"


def _names(days: Iterable[int]) -> list[str]:
    return [DAYS[day] for day in sorted(days)]
