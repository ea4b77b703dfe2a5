"""Query executions and where they are kept."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

QUEUED, RUNNING = "QUEUED", "RUNNING"
SUCCEEDED, FAILED, CANCELLED = "SUCCEEDED", "FAILED", "CANCELLED"
GOING_ON = frozenset({QUEUED, RUNNING})

_INTERRUPTED = "The local stack was ended while the query was running"


@dataclass
class QueryExecution:
    """One execution of a query.

    :param id: its id, a UUID.
    :param region: its Region.
    :param query: the SQL.
    :param database: the database for names without one.
    :param work_group: name of its workgroup.
    :param output: ``s3://`` URI of its result.
    :param token: the ``ClientRequestToken``.
    :param parameters: values of the question marks.
    :param submitted: when it was submitted, in seconds since 1970.
    :param state: where it is.
    :param reason: why it failed.
    :param ended: when it ended.
    :param scanned: bytes of the tables that it read.
    """

    id: str
    region: str
    query: str
    database: str
    work_group: str
    output: str
    token: str
    parameters: list[str]
    submitted: float = field(default_factory=time.time)
    state: str = QUEUED
    reason: str | None = None
    ended: float | None = None
    scanned: int = 0

    def members(self) -> dict[str, Any]:
        """Give it as GetQueryExecution returns it."""
        status: dict[str, Any] = {
            "State": self.state,
            "SubmissionDateTime": datetime.fromtimestamp(self.submitted, UTC),
        }
        took = int(((self.ended or time.time()) - self.submitted) * 1000)
        if self.ended is not None:
            status["CompletionDateTime"] = datetime.fromtimestamp(self.ended, UTC)
        if self.reason is not None:
            status["StateChangeReason"] = self.reason
            if self.state == FAILED:
                status["AthenaError"] = {
                    "ErrorCategory": 2,
                    "ErrorType": 1006,
                    "Retryable": False,
                    "ErrorMessage": self.reason,
                }
        members: dict[str, Any] = {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": "DML",
            "ResultConfiguration": {"OutputLocation": self.output},
            "QueryExecutionContext": {"Database": self.database},
            "Status": status,
            "Statistics": {
                "EngineExecutionTimeInMillis": took,
                "DataScannedInBytes": self.scanned,
                "TotalExecutionTimeInMillis": took,
            },
            "WorkGroup": self.work_group,
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
        }
        if self.parameters:
            members["ExecutionParameters"] = self.parameters
        return members


class QueryExecutions:
    """All of them.

    :param directory: where they are kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._all: dict[str, QueryExecution] = {}
        for path in directory.glob("*.json"):
            execution = QueryExecution(**json.loads(path.read_text()))
            self._all[execution.id] = execution
            if execution.state in GOING_ON:
                self.end(execution, FAILED, _INTERRUPTED)

    def add(self, new: QueryExecution) -> QueryExecution:
        """Add one, unless there is one with the same token.

        :param new: what is added.
        :returns: the one that is there now; its id tells whether it is the new one.
        """
        with self._lock:
            for other in self._all.values():
                if (other.region, other.token) == (new.region, new.token):
                    return other
            self._all[new.id] = new
            self._save(new)
            return new

    def find(self, region: str, execution_id: str) -> QueryExecution | None:
        """Find one.

        :param region: its Region.
        :param execution_id: its id.
        :returns: None when there is none.
        """
        found = self._all.get(execution_id)
        return found if found is not None and found.region == region else None

    def of_work_group(self, region: str, work_group: str) -> Iterator[QueryExecution]:
        """List those of a workgroup, the latest first."""
        with self._lock:
            everything = list(self._all.values())
        for execution in sorted(everything, key=lambda one: one.submitted, reverse=True):
            if (execution.region, execution.work_group) == (region, work_group):
                yield execution

    def begin(self, execution: QueryExecution) -> bool:
        """Move one from QUEUED to RUNNING.

        :param execution: which one.
        :returns: whether it was still to be run.
        """
        with self._lock:
            if execution.state != QUEUED:
                return False
            execution.state = RUNNING
            self._save(execution)
            return True

    def end(self, execution: QueryExecution, state: str, reason: str | None = None) -> bool:
        """End one, unless it has ended.

        :param execution: which one.
        :param state: how it ended.
        :param reason: why.
        :returns: whether it was going on.
        """
        with self._lock:
            if execution.state not in GOING_ON:
                return False
            execution.state, execution.reason = state, reason
            execution.ended = time.time()
            self._save(execution)
            return True

    def _save(self, execution: QueryExecution) -> None:
        path = self._directory / f"{execution.id}.json"
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(execution)))
        temporary.replace(path)
