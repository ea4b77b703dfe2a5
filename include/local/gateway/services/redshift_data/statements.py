"""Statements of the Data API and where they are kept.

.. seealso:: https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SUBMITTED, PICKED, STARTED = "SUBMITTED", "PICKED", "STARTED"
FINISHED, FAILED, ABORTED = "FINISHED", "FAILED", "ABORTED"
ACTIVE = frozenset({SUBMITTED, PICKED, STARTED})

_KEPT_SECONDS = 24 * 3600.0
_LOST = "The local stack was ended while the statement was running"


@dataclass
class SubStatement:
    """One of the statements that were submitted together.

    :param id: its id.
    :param sql: its SQL.
    :param status: where it is.
    :param error: why it failed.
    :param started: when it began, in seconds since 1970.
    :param ended: when it ended.
    :param rows: rows returned or changed, -1 for none.
    :param size: bytes of its result, -1 for none.
    :param has_result: whether it has one.
    :param query: number of the query in the warehouse, 0 for none.
    """

    id: str
    sql: str
    status: str = SUBMITTED
    error: str | None = None
    started: float | None = None
    ended: float | None = None
    rows: int = -1
    size: int = -1
    has_result: bool = False
    query: int = 0


@dataclass
class DataStatement:
    """What was submitted by one call.

    :param id: its id, a UUID.
    :param region: its Region.
    :param caller: ARN of who has submitted it.
    :param parts: its statements; one, unless it is a batch.
    :param batch: whether it is one.
    :param place: members that say where it runs, such as ``ClusterIdentifier``.
    :param parameters: its parameters, as they were given.
    :param name: its name.
    :param token: its ClientToken.
    :param session: id of its session.
    :param form: ``JSON`` or ``CSV``.
    :param status: where it is.
    :param error: why it failed.
    :param pid: number of the process in the warehouse.
    :param created: when it was submitted, in seconds since 1970.
    :param updated: when it last changed.
    :param started: when it began.
    """

    id: str
    region: str
    caller: str
    parts: list[SubStatement]
    batch: bool
    place: dict[str, str]
    parameters: list[dict[str, str]] = field(default_factory=list)
    name: str | None = None
    token: str | None = None
    session: str | None = None
    form: str = "JSON"
    status: str = SUBMITTED
    error: str | None = None
    pid: int = 0
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    started: float | None = None

    def members(self) -> dict[str, Any]:
        """Give it as DescribeStatement returns it."""
        first = self.parts[0]
        shown: dict[str, Any] = {
            "Id": self.id,
            **self.place,
            "Status": self.status,
            "CreatedAt": _moment(self.created),
            "UpdatedAt": _moment(self.updated),
            "Duration": self._duration(),
            "RedshiftPid": self.pid,
            "RedshiftQueryId": first.query if not self.batch else 0,
            "HasResultSet": any(part.has_result for part in self.parts),
            "ResultFormat": self.form,
            "ResultRows": first.rows if not self.batch else -1,
            "ResultSize": first.size if not self.batch else -1,
        }
        if self.error is not None:
            shown["Error"] = self.error
        if self.session is not None:
            shown["SessionId"] = self.session
        if self.parameters:
            shown["QueryParameters"] = self.parameters
        if self.batch:
            shown["SubStatements"] = [self._sub(part) for part in self.parts]
        else:
            shown["QueryString"] = first.sql
        return shown

    def summary(self) -> dict[str, Any]:
        """Give it as ListStatements returns it."""
        shown: dict[str, Any] = {
            "Id": self.id,
            "Status": self.status,
            "CreatedAt": _moment(self.created),
            "UpdatedAt": _moment(self.updated),
            "IsBatchStatement": self.batch,
            "ResultFormat": self.form,
        }
        if self.batch:
            shown["QueryStrings"] = [part.sql for part in self.parts]
        else:
            shown["QueryString"] = self.parts[0].sql
        more = {
            "StatementName": self.name,
            "SessionId": self.session,
            "SecretArn": self.place.get("SecretArn"),
            "QueryParameters": self.parameters,
        }
        shown |= {name: value for name, value in more.items() if value}
        return shown

    def _duration(self) -> int:
        if self.started is None:
            return -1
        end = time.time() if self.status in ACTIVE else self.updated
        return int((end - self.started) * 1e9)

    def _sub(self, part: SubStatement) -> dict[str, Any]:
        end = part.ended or time.time()
        shown: dict[str, Any] = {
            "Id": part.id,
            "Status": part.status,
            "CreatedAt": _moment(self.created),
            "UpdatedAt": _moment(part.ended or part.started or self.created),
            "QueryString": part.sql,
            "ResultRows": part.rows,
            "ResultSize": part.size,
            "RedshiftQueryId": part.query,
            "HasResultSet": part.has_result,
            "Duration": -1 if part.started is None else int((end - part.started) * 1e9),
        }
        if part.error is not None:
            shown["Error"] = part.error
        return shown


class DataStatements:
    """All of them.

    :param directory: where they are kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._all: dict[str, DataStatement] = {}
        for path in directory.glob("*.json"):
            values = json.loads(path.read_text())
            values["parts"] = [SubStatement(**part) for part in values["parts"]]
            statement = DataStatement(**values)
            self._all[statement.id] = statement
            if statement.status in ACTIVE:
                self.end(statement, FAILED, _LOST)

    def add(self, new: DataStatement, most: int) -> DataStatement | None:
        """Add one, unless there is one with the same token.

        :param new: what is added.
        :param most: how many of a Region can be active.
        :returns: the one that is there now; None when there are too many.
        """
        with self._lock:
            self._forget()
            for other in self._all.values():
                if new.token and (other.region, other.token) == (new.region, new.token):
                    return other
            active = [one for one in self._all.values() if one.status in ACTIVE]
            if sum(one.region == new.region for one in active) >= most:
                return None
            self._all[new.id] = new
            self.save(new)
            return new

    def find(self, region: str, statement_id: str) -> DataStatement | None:
        """Find one.

        :param region: its Region.
        :param statement_id: its id, or that of one of its parts.
        """
        with self._lock:
            self._forget()
            found = self._all.get(statement_id.partition(":")[0])
        return found if found is not None and found.region == region else None

    def of_region(self, region: str) -> Iterator[DataStatement]:
        """List those of a Region, the latest first."""
        with self._lock:
            self._forget()
            everything = list(self._all.values())
        for one in sorted(everything, key=lambda one: one.created, reverse=True):
            if one.region == region:
                yield one

    def advance(self, statement: DataStatement, status: str) -> bool:
        """Move one on, unless it has ended.

        :returns: whether it was active.
        """
        with self._lock:
            if statement.status not in ACTIVE:
                return False
            statement.status, statement.updated = status, time.time()
            if status == STARTED:
                statement.started = time.time()
            self.save(statement)
            return True

    def end(self, statement: DataStatement, status: str, error: str | None = None) -> bool:
        """End one, unless it has ended.

        :returns: whether it was active.
        """
        with self._lock:
            if statement.status not in ACTIVE:
                return False
            for part in statement.parts:
                if part.status in ACTIVE:
                    part.status = status if part.status == STARTED else ABORTED
            statement.status, statement.error = status, error
            statement.updated = time.time()
            self.save(statement)
            return True

    def result_file(self, part: SubStatement) -> Path:
        """Name the file of a result."""
        return self._directory / f"{part.id.replace(':', '.')}.result"

    def save(self, statement: DataStatement) -> None:
        """Keep one as it is."""
        with self._lock:
            path = self._directory / f"{statement.id}.json"
            temporary = path.with_suffix(".new")
            temporary.write_text(json.dumps(asdict(statement)))
            temporary.replace(path)

    def _forget(self) -> None:
        """Drop what ended longer ago than the service remembers."""
        limit = time.time() - _KEPT_SECONDS
        for one in list(self._all.values()):
            if one.updated < limit and one.status not in ACTIVE:
                del self._all[one.id]
                (self._directory / f"{one.id}.json").unlink(missing_ok=True)
                for part in one.parts:
                    self.result_file(part).unlink(missing_ok=True)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
