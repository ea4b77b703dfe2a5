"""Remembers which events are settled; as many as there are, in little memory."""

import itertools
from collections.abc import Iterator
from operator import itemgetter
from typing import Self

from updraft.lineage.temporary_database import temporary_database

_TABLE = """
create table settled (fingerprint text, moment integer, primary key (fingerprint, moment))
without rowid
"""


class SettledEvents:
    """Fingerprints of events, each with the times at which its copies were written.

    Times are in microseconds since 1970.
    """

    def __init__(self) -> None:
        self._database = temporary_database(_TABLE)

    def add(self, fingerprint: str, moment: int) -> None:
        """Remember a copy of an event.

        :param fingerprint: of the event.
        :param moment: when the copy was written.
        """
        self._database.execute("insert or ignore into settled values (?, ?)", (fingerprint, moment))

    def moments(self, fingerprint: str) -> list[int]:
        """Say when the copies of an event were written, in order; empty if it is not known."""
        rows = self._database.execute(
            "select moment from settled where fingerprint = ? order by moment", (fingerprint,)
        )
        return [moment for (moment,) in rows]

    def forget(self, before: int) -> None:
        """Forget the copies that were written before a time."""
        self._database.execute("delete from settled where moment < ?", (before,))

    def merge(self, other: Self) -> None:
        """Take over what another one knows."""
        self._database.executemany("insert or ignore into settled values (?, ?)", other._rows())

    def __iter__(self) -> Iterator[tuple[str, list[int]]]:
        """Go through the fingerprints, each with its times, both in order."""
        for fingerprint, rows in itertools.groupby(self._rows(), key=itemgetter(0)):
            yield fingerprint, [moment for _, moment in rows]

    def __len__(self) -> int:
        """Count the fingerprints."""
        counted = self._database.execute("select count(distinct fingerprint) from settled")
        return int(counted.fetchone()[0])

    def _rows(self) -> Iterator[tuple[str, int]]:
        return self._database.execute("select fingerprint, moment from settled order by 1, 2")
