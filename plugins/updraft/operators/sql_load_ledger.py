"""Remembers in a database which loads have been committed to it.

A task that dies right after its COMMIT can't tell Airflow, and the retry would load everything a
second time. So the load itself leaves a row in a table, in the same transaction: either both are
there or neither is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from updraft.hooks.sql import SqlSession, explained

DEFAULT_TABLE = "updraft_load_ledger"


@dataclass(frozen=True)
class LoadLedger:
    """The table with one row for each load.

    :param session: the connection that loads.
    :param table: name of the table as SQL.
    :param load_id: identifies the load, the same in all attempts.
    """

    session: SqlSession
    table: str
    load_id: str

    def find(self) -> int | None:
        """Look for the load; makes the table if there is none.

        :returns: its number of rows, ``None`` if it has not been committed.
        :raises DatabaseError: when there is no such table and it can't be made.
        """
        try:
            return self._look()
        except Exception:  # noqa: BLE001 - each driver has its own for a missing table
            self.session.rollback()
        try:
            self.session.execute(
                f"CREATE TABLE {self.table} (load_id VARCHAR(64) NOT NULL PRIMARY KEY, "
                "row_count NUMERIC(19) NOT NULL, loaded_at VARCHAR(40) NOT NULL)"
            )
            self.session.commit()
        except Exception as error:  # noqa: BLE001 - another task may have made it just now
            self.session.rollback()
            with explained(
                f"the table {self.table} can be neither read nor made ({error}). It makes sure "
                "that a retry loads nothing twice; make it as docs/copy-activity.md says, or "
                "set ledger_table=None if the statement may be repeated"
            ):
                return self._look()
        return None

    def enter(self) -> None:
        """Note the load in the transaction that is to load it.

        The key makes an attempt wait that was taken for dead and is not: it sees the row once the
        other one has committed, and fails.

        :raises Exception: what the driver raises, above all when the row is there.
        """
        self.session.execute(
            f"INSERT INTO {self.table} (load_id, row_count, loaded_at) VALUES (?, ?, ?)",  # noqa: S608 - its name is quoted
            (self.load_id, 0, datetime.now(UTC).isoformat(timespec="seconds")),
        )

    def count(self, rows: int) -> None:
        """Note how many rows were loaded.

        :param rows: their number.
        :raises Exception: what the driver raises.
        """
        self.session.execute(
            f"UPDATE {self.table} SET row_count = ? WHERE load_id = ?",  # noqa: S608 - its name is quoted
            (rows, self.load_id),
        )

    def _look(self) -> int | None:
        cursor = self.session.execute(
            f"SELECT row_count FROM {self.table} WHERE load_id = ?",  # noqa: S608 - its name is quoted
            (self.load_id,),
        )
        found = cursor.fetchone()
        cursor.close()
        return None if found is None else int(found[0])
