"""What is remembered of runs: of those that have started, and of those that have ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self


@dataclass(frozen=True)
class TaskAttempt:
    """What of Airflow a run is about.

    :param dag_id: id of the DAG.
    :param run_id: id of the DAG run.
    :param task_id: id of the task; empty for the DAG run as a whole.
    :param map_index: index of a mapped task, else -1.
    :param try_number: number of the attempt, from 1 on.
    """

    dag_id: str
    run_id: str
    task_id: str = ""
    map_index: int = -1
    try_number: int = 1

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self | None:
        """Read it from the facets that Airflow's listener adds.

        :param event: a valid run event.
        :returns: the attempt; ``None`` for an event of something else.
        """
        facets = event["run"].get("facets", {})
        facet = facets.get("airflow") or facets.get("airflowDagRun")
        try:
            dag_run = facet["dagRun"]
            task = facet.get("task", {}).get("task_id", "") if "airflow" in facets else ""
            instance = facet.get("taskInstance", {})
            return cls(
                str(dag_run["dag_id"]),
                str(dag_run["run_id"]),
                str(task),
                int(instance.get("map_index", -1)),
                int(instance.get("try_number", 1)),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def precedes(self, other: Self) -> bool:
        """Tell whether the other one is a later attempt of the same task."""
        return (
            (self.dag_id, self.run_id, self.task_id, self.map_index)
            == (other.dag_id, other.run_id, other.task_id, other.map_index)
            and bool(self.task_id)
            and self.try_number < other.try_number
        )


@dataclass
class OpenRun:
    """A run that has started in the catalog and not ended.

    :param started_at: when its start was written to the outbox.
    :param digest: that of the start.
    :param namespace: namespace of its job.
    :param job: name of its job.
    :param attempt: what of Airflow it is about, if it is about Airflow.
    :param superseded: whether a later attempt of the same task was seen, so this one has failed.
    :param over_since: when Airflow was first asked and said that it is over.
    :param retried: of a DAG run, the ids and map indexes of its tasks that were tried again.
    """

    started_at: datetime
    digest: str
    namespace: str
    job: str
    attempt: TaskAttempt | None = None
    superseded: bool = False
    over_since: datetime | None = None
    retried: set[tuple[str, int]] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """Return what goes into the checkpoint."""
        return {
            **asdict(self),
            "started_at": self.started_at.isoformat(),
            "over_since": self.over_since and self.over_since.isoformat(),
            "retried": sorted(self.retried),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read it back.

        :param document: what :meth:`as_json` gave.
        :raises ValueError: when it is something else; so do KeyError and TypeError.
        """
        attempt, over_since = document["attempt"], document.get("over_since")
        return cls(
            datetime.fromisoformat(document["started_at"]),
            document["digest"],
            document["namespace"],
            document["job"],
            TaskAttempt(**attempt) if attempt else None,
            bool(document["superseded"]),
            datetime.fromisoformat(over_since) if over_since else None,
            {(str(task_id), int(index)) for task_id, index in document.get("retried", ())},
        )


class EndedRun(NamedTuple):
    """A run that has ended in the catalog.

    :param at: when its end was written to the outbox.
    :param event_type: type of the end.
    :param digest: that of the end.
    :param start: digest of its start, empty if there was none yet.
    :param lacks_start: whether it is a task of Airflow that has ended without a start.
    """

    at: datetime
    event_type: str
    digest: str
    start: str
    lacks_start: bool = False

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something that has to be done about it."""
        return self.lacks_start and not self.start


@dataclass
class EndedDagRun:
    """A DAG run that has ended in the catalog.

    :param seen_at: when its end was delivered.
    :param namespace: namespace of its job.
    :param dag_id: id of its DAG.
    :param run_id: id that Airflow gave it.
    :param started_at: when Airflow began it.
    :param logical_date: its logical date; ``None`` for a run without one, as that of an asset.
    :param retried: ids and map indexes of its tasks that were tried again.
    :param is_checked: whether tries of it that have emitted nothing were looked for.
    """

    seen_at: datetime
    namespace: str
    dag_id: str
    run_id: str
    started_at: datetime
    logical_date: datetime | None
    retried: set[tuple[str, int]] = field(default_factory=set)
    is_checked: bool = False

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self | None:
        """Read it from the end of a DAG run.

        :param event: a valid run event.
        :returns: the DAG run; ``None`` when the event does not say what is needed.
        """
        try:
            dag_run = event["run"]["facets"]["airflowDagRun"]["dagRun"]
            logical_date = dag_run.get("logical_date") or dag_run.get("execution_date")
            return cls(
                datetime.now(UTC),
                event["job"]["namespace"],
                str(dag_run["dag_id"]),
                str(dag_run["run_id"]),
                _aware(dag_run["start_date"]),
                _aware(logical_date) if logical_date else None,
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def as_json(self) -> dict[str, Any]:
        """Return what goes into the checkpoint."""
        return {
            **asdict(self),
            "seen_at": self.seen_at.isoformat(),
            "started_at": self.started_at.isoformat(),
            "logical_date": self.logical_date and self.logical_date.isoformat(),
            "retried": sorted(self.retried),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read it back.

        :param document: what :meth:`as_json` gave.
        :raises ValueError: when it is something else; so do KeyError and TypeError.
        """
        logical_date = document["logical_date"]
        return cls(
            datetime.fromisoformat(document["seen_at"]),
            document["namespace"],
            document["dag_id"],
            document["run_id"],
            datetime.fromisoformat(document["started_at"]),
            datetime.fromisoformat(logical_date) if logical_date else None,
            {(str(task_id), int(index)) for task_id, index in document["retried"]},
            bool(document["is_checked"]),
        )


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text.upper())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
