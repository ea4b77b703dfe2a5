"""Reads the history of queries of a database window by window, and stores its lineage."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from updraft.hooks.redshift_data import RedshiftDatabase, RedshiftStatementsHook
from updraft.lineage.harvest_outbox import HarvestOutbox
from updraft.lineage.harvest_position import HarvestPosition
from updraft.lineage.outbox import Outbox
from updraft.operators.redshift_query_events import QueryEvents
from updraft.redshift.query_history import (
    LEFT_OUT_BY_THE_CATALOG,
    WRITING,
    PastQuery,
    Rows,
    past_queries,
    server_time,
    users_named,
)

LONGEST_LOOK_BACK = 168.0
"""Hours that Amazon Redshift keeps its history: seven days."""

_WINDOW = timedelta(hours=6)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE = 50  # queries whose events are made, and noted as made, together
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass
class QueryCounts:
    """What was done with a history.

    :param queries: queries that were read.
    :param without_lineage: those whose SQL names no table or file that can be told.
    :param stored: events that were new.
    :param duplicates: events that were harvested before.
    """

    queries: int = 0
    without_lineage: int = 0
    stored: int = 0
    duplicates: int = 0


@dataclass
class QueryProgress:
    """How far a harvest has come that was interrupted.

    :param since: begin of the window that is read.
    :param until: end of the last window; None before the harvest has begun.
    :param users: numbers of the users whose queries are left out.
    :param last: end, in ISO 8601, and number of the last query of the window that is done.
    :param counts: what was done.
    """

    since: datetime | None = None
    until: datetime | None = None
    users: Sequence[int] = ()
    last: tuple[str, int] | None = None
    counts: QueryCounts = field(default_factory=QueryCounts)

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        times = (self.since, self.until)
        since, until = (one.isoformat() if one else None for one in times)
        last = list(self.last) if self.last else None
        own = {"since": since, "until": until, "users": list(self.users), "last": last}
        return {**asdict(self), **own}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_document` gave.

        :param document: the document.
        :returns: the progress.
        """
        times = (document["since"], document["until"])
        since, until = (datetime.fromisoformat(one) if one else None for one in times)
        last = document["last"]
        return cls(
            since,
            until,
            document["users"],
            (str(last[0]), int(last[1])) if last else None,
            QueryCounts(**document["counts"]),
        )

    def is_left(self, query: PastQuery) -> bool:
        """Say whether a query of the window is still to be done."""
        if self.last is None:
            return True
        ended, number = self.last
        return (query.ended_at, query.query_id) > (datetime.fromisoformat(ended), number)


@dataclass
class RedshiftQueryHarvest:
    """A harvest of the history of a database.

    It can be interrupted by whatever ``rows`` raises, and goes on with ``progress``.

    :param hook: access to the Data API.
    :param database: the database, and who reads its history.
    :param outbox: where events and position go.
    :param every_statement: whether statements whose lineage the catalog finds itself are harvested
        as well.
    :param exclude_users: names of database users whose queries are left out.
    :param rows: runs a query of the database; by default in the simplest way, which waits.
    :param progress: how far an earlier part of this harvest has come.
    """

    hook: RedshiftStatementsHook
    database: RedshiftDatabase
    outbox: Outbox
    every_statement: bool = False
    exclude_users: Sequence[str] = ()
    rows: Rows | None = None
    progress: QueryProgress = field(default_factory=QueryProgress)

    def run(self, look_back: timedelta, overlap: timedelta) -> QueryCounts:
        """Harvest what has ended since the last time.

        :param look_back: where to begin the first time.
        :param overlap: how long before the end of the last time to begin, because a query may turn
            up in the history a while after it has ended.
        :returns: what was done.
        :raises UpdraftError: when history or outbox cannot be read or written.
        """
        position = HarvestPosition(self.outbox, self._reader)
        since, until = self._period(position.load(), look_back, overlap)
        while since < until:
            end = min(_next_edge(since), until)
            self._harvest(since, end)
            position.save(end)
            since = self.progress.since = end
            self.progress.last = None
        return self.progress.counts

    def _period(
        self, through: datetime | None, look_back: timedelta, overlap: timedelta
    ) -> tuple[datetime, datetime]:
        """Say what is left to harvest, the same after an interruption as before it."""
        progress = self.progress
        if progress.since is None or progress.until is None:
            until = server_time(self._rows)
            users = users_named(self._rows, self.exclude_users)
            since = until - look_back if through is None else through - overlap
            progress.since = max(since, until - timedelta(hours=LONGEST_LOOK_BACK))
            progress.until, progress.users = until, users
        return progress.since, progress.until

    def _harvest(self, since: datetime, until: datetime) -> None:
        types = WRITING if self.every_statement else LEFT_OUT_BY_THE_CATALOG
        queries = [
            query
            for query in past_queries(
                self._rows,
                self.database.database,
                since,
                until,
                types=types,
                without_users=self.progress.users,
            )
            if self.progress.is_left(query)
        ]
        target = HarvestOutbox(self.outbox)
        try:
            self._store(queries, target)
        finally:
            # What is noted as done must be in the outbox, also when the rest has to wait.
            target.save()
            self.progress.counts.stored += target.stored
            self.progress.counts.duplicates += target.duplicates

    def _store(self, queries: Sequence[PastQuery], target: HarvestOutbox) -> None:
        counts = self.progress.counts
        events = QueryEvents(self.hook, self.database, self._rows)
        for some in _pieces(queries):
            without = len(events.unreadable)
            for identity, found in events.of(some):
                target.add(found, identity)
            counts.queries += len(some)
            counts.without_lineage += len(events.unreadable) - without
            self.progress.last = (some[-1].ended_at.isoformat(), some[-1].query_id)

    def _rows(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        if self.rows is not None:
            return self.rows(sql, parameters)
        return self.hook.rows(self.database, sql, parameters)

    @property
    def _reader(self) -> str:
        place = self.database
        name = f"{place.cluster_identifier or place.workgroup_name}-{place.database}"
        digest = sha256(f"{self.hook.conn_region_name}/{name}".encode()).hexdigest()[:8]
        return f"redshift-{_UNSAFE.sub('_', name)[:80]}-{digest}"


def _next_edge(moment: datetime) -> datetime:
    """Say where a window ends, by the clock, so that another attempt asks for the same ones."""
    return moment + _WINDOW - (moment - _EPOCH) % _WINDOW


def _pieces(queries: Sequence[PastQuery]) -> Iterable[Sequence[PastQuery]]:
    return (queries[start : start + _AT_ONCE] for start in range(0, len(queries), _AT_ONCE))
