"""The tables that names mean while a script goes on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from updraft.sql_lineage.names import Dataset, RedshiftTable, Session
from updraft.sql_lineage.origins import Origin
from updraft.sql_lineage.relations import OpenColumns
from updraft.sql_lineage.schemas import Schemas
from updraft.sql_lineage.table_contents import Reading, Table, TableContent


class _Kept(NamedTuple):
    """All that a rollback brings back."""

    tables: dict[RedshiftTable, Table]
    temporary: dict[str, Table]
    states: list[tuple[Table, Table, TableContent]]
    met: int


class Tables:
    """The tables that names mean, statement by statement.

    :param session: completes and folds names.
    :param schemas: what is known of tables that are there before the script.
    """

    def __init__(self, session: Session, schemas: Schemas) -> None:
        self.session = session
        self._schemas = schemas
        self._named: dict[RedshiftTable, Table] = {}
        self._temporary: dict[str, Table] = {}
        self._kept: _Kept | None = None
        self.all: list[Table] = []
        self.contents: dict[TableContent, None] = {}

    def find(self, parts: tuple[str, ...]) -> Table:
        """Find the table that a name means.

        :param parts: one to three folded parts of its name.
        :returns: the table; one that was not met before is there since before the script.
        """
        if len(parts) == 1 and parts[0] in self._temporary:
            return self._temporary[parts[0]]
        candidates = self.session.candidates(parts)
        for one in candidates:
            if one in self._named:
                return self._named[one]
        for one in candidates:
            if self._schemas.columns(one, self.session) is not None:
                return self._new(one)
        return self._new(candidates[0])

    def outside(self, dataset: Dataset) -> Table:
        """Give something that is no table of Amazon Redshift.

        :param dataset: its name.
        :returns: the same table for the same name.
        """
        for table in self.all:
            if table.first_name == dataset and not table.created:
                return table
        return self._register(Table(dataset, dataset))

    def create(
        self, parts: tuple[str, ...], columns: Iterable[str] | None, *, temporary: bool = False
    ) -> Table:
        """Make a table.

        :param parts: folded parts of its name.
        :param columns: its columns, ``None`` when they are not known.
        :param temporary: whether it ends with the session.
        :returns: the table.
        """
        temporary = temporary or parts[-1].startswith("#")
        name = self.session.candidates(parts)[0]
        table = Table(
            name,
            name,
            tuple(columns or ()),
            complete=columns is not None,
            created=True,
            temporary=temporary,
        )
        if temporary:
            self._temporary[parts[-1]] = table
        else:
            self._named[name] = table
        return self._register(table)

    def drop(self, parts: tuple[str, ...]) -> None:
        """Drop a table.

        :param parts: folded parts of its name.
        """
        table = self.find(parts)
        self._forget(table)
        table.name = None

    def rename(self, parts: tuple[str, ...], name: str, schema: str | None = None) -> None:
        """Give a table another name, or put it into another schema.

        :param parts: folded parts of its name.
        :param name: its new own name.
        :param schema: its new schema, ``None`` for the one it is in.
        """
        table = self.find(parts)
        if not isinstance(table.name, RedshiftTable):
            return
        self._forget(table)
        table.name = RedshiftTable(table.name.database, schema or table.name.schema, name)
        if table.temporary:
            self._temporary[name] = table
        else:
            self._named[table.name] = table

    def write(
        self,
        table: Table,
        columns: Mapping[str, Origin],
        reading: Reading,
        opens: Iterable[OpenColumns] = (),
    ) -> None:
        """Put data into a table, beside what it holds.

        :param table: the table.
        :param columns: origins of the new values.
        :param reading: what the statement read.
        :param opens: what else goes into it under names that are not known.
        """
        content = self._changeable(table)
        for name, origin in columns.items():
            content.columns.setdefault(name, []).append(origin)
        content.opens.extend(opens)
        content.contents.update(reading.contents)
        content.influences.update(reading.influences)
        table.written = True

    def clear(self, table: Table, *, moved: bool = False) -> None:
        """Take all rows out of a table.

        :param table: the table.
        :param moved: whether they went to another table, so that this one counts as read only.
        """
        self._replace(table, TableContent(table))
        table.written = table.written or not moved

    def change_columns(
        self,
        table: Table,
        change: Callable[[list[str]], list[str]],
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        """Change which columns a table has.

        :param table: the table.
        :param change: makes the new list of columns out of the old one.
        :param renamed: new names of columns by their old ones.
        """
        table.columns = tuple(change(list(table.columns)))
        content = table.content.copied()
        names = renamed or {}
        content.columns = {
            names.get(name, name): origins
            for name, origins in content.columns.items()
            if name in names or name in table.columns or not table.complete
        }
        self._replace(table, content)

    def drop_schema(self, parts: tuple[str, ...]) -> None:
        """Drop all tables of a schema that the script has met.

        :param parts: folded parts of its name, with or without the database.
        """
        database = parts[-2] if len(parts) > 1 else self.session.database
        for name, table in list(self._named.items()):
            if name[:2] == (database, parts[-1]):
                self._forget(table)
                table.name = None

    def begin(self) -> None:
        """Begin a transaction."""
        if self._kept is None:
            self.keep()

    def keep(self) -> None:
        """Keep the tables as they are, for a rollback to come back to."""
        states = []
        for table in self.all:
            if table.name is not None:
                table.content.seen = True
                states.append((table, replace(table), table.content))
        self._kept = _Kept(dict(self._named), dict(self._temporary), states, len(self.all))

    def commit(self) -> None:
        """End a transaction."""
        self._kept = None

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._kept is not None

    def roll_back(self) -> None:
        """Undo all since the transaction began; outside of one nothing happens."""
        if self._kept is None:
            return
        kept, self._kept = self._kept, None
        self._named, self._temporary = kept.tables, kept.temporary
        for table in self.all[kept.met :]:
            table.written = False
            if table.created:
                table.name = None
        for table, state, content in kept.states:
            table.name, table.columns, table.complete = state.name, state.columns, state.complete
            table.written, table.content = state.written, content

    def _new(self, name: RedshiftTable) -> Table:
        columns = self._schemas.columns(name, self.session)
        table = Table(name, name, columns or (), complete=columns is not None)
        if name.table.startswith("#"):
            table.created = table.temporary = True
            self._temporary[name.table] = table
        else:
            self._named[name] = table
        return self._register(table)

    def _register(self, table: Table) -> Table:
        self.all.append(table)
        self.contents[table.content] = None
        return table

    def _replace(self, table: Table, content: TableContent) -> None:
        table.content = content
        self.contents[content] = None

    def _changeable(self, table: Table) -> TableContent:
        content = table.content
        if content.seen:
            self._replace(table, content.copied())
        else:
            # What it was filled from has to stand before it.
            del self.contents[content]
            self.contents[content] = None
        return table.content

    def _forget(self, table: Table) -> None:
        if table.temporary:
            self._temporary = {k: one for k, one in self._temporary.items() if one is not table}
        elif isinstance(table.name, RedshiftTable):
            self._named.pop(table.name, None)
