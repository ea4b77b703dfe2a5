"""Remembers which runs have ended; as many as there are, in little memory."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from updraft.lineage.run_records import EndedRun
from updraft.lineage.temporary_database import temporary_database

# Times are texts in UTC with microseconds, so that their order is that of the times.
_TABLE = """
create table ended (
    run_id text primary key, at text, event_type text, digest text, start text, lacks_start integer
) without rowid
"""


class EndedRuns:
    """What is known of runs that have ended, by run id."""

    def __init__(self) -> None:
        self._database = temporary_database(_TABLE)

    def get(self, run_id: str) -> EndedRun | None:
        """Look a run up."""
        found = self._database.execute("select * from ended where run_id = ?", (run_id,))
        return next((run for _, run in _read(found)), None)

    def __contains__(self, run_id: str) -> bool:
        """Tell whether a run has ended."""
        return self.get(run_id) is not None

    def __setitem__(self, run_id: str, ended: EndedRun) -> None:
        """Remember a run, in place of what was known of it."""
        row = (run_id, _text(ended.at), *ended[1:])
        self._database.execute("insert or replace into ended values (?, ?, ?, ?, ?, ?)", row)

    def unfinished(self) -> list[tuple[str, EndedRun]]:
        """List those about which something has to be done."""
        found = self._database.execute(
            "select * from ended where lacks_start and start = '' order by run_id"
        )
        return list(_read(found))

    def merge(self, other: Self) -> None:
        """Take over what another one knows of other runs."""
        rows = other._database.execute("select * from ended")
        self._database.executemany("insert or ignore into ended values (?, ?, ?, ?, ?, ?)", rows)

    def forget(self, floor: datetime, oldest: datetime) -> None:
        """Forget runs.

        :param floor: those that ended before are forgotten, unless something has to be done.
        :param oldest: those that ended before are forgotten in any case.
        """
        self._database.execute(
            "delete from ended where at < ? and not (lacks_start and start = '' and at >= ?)",
            (_text(floor), _text(oldest)),
        )

    def __iter__(self) -> Iterator[tuple[str, EndedRun]]:
        """Go through the runs in the order of their ids."""
        return _read(self._database.execute("select * from ended order by run_id"))


def _read(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, EndedRun]]:
    for run_id, at, event_type, digest, start, lacks_start in rows:
        moment = datetime.fromisoformat(at)
        yield run_id, EndedRun(moment, event_type, digest, start, bool(lacks_start))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
