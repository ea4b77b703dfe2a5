"""What tables hold, and what a statement reads of them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from updraft.sql_lineage.names import Dataset
from updraft.sql_lineage.origins import Influence, Origin, SourceColumn, Transformation
from updraft.sql_lineage.relations import Column, OpenColumns, Relation


class Unresolved(NamedTuple):
    """Something that was left out because the script does not tell it.

    :param statement: number of the statement, from 1.
    :param line: line in the script, from 1.
    :param what: the column or table in question.
    :param reason: why it was left out, and what would help.
    """

    statement: int
    line: int
    what: str
    reason: str


@dataclass(slots=True)
class Reading:
    """What a statement reads, gathered while it is looked through.

    :param number: number of the statement.
    :param line: its line.
    """

    number: int
    line: int
    contents: dict["TableContent", None] = field(default_factory=dict)
    influences: dict[tuple[SourceColumn, Influence], None] = field(default_factory=dict)
    unresolved: dict[Unresolved, None] = field(default_factory=dict)

    def read(self, content: "TableContent") -> None:
        """Note that the statement reads a table.

        :param content: what the table holds.
        """
        content.seen = True
        self.contents[content] = None

    def leave_out(self, what: str, reason: str, line: int | None = None) -> None:
        """Note that something cannot be told.

        :param what: the column or table.
        :param reason: why.
        :param line: line in the statement, from 1; its first one when not given.
        """
        place = self.line if line is None else self.line + line - 1
        self.unresolved[Unresolved(self.number, place, what, reason)] = None


@dataclass(slots=True, eq=False)
class Table:
    """A table, view or other dataset that the script meets.

    :param first_name: its name when the script met it first.
    :param name: its name now, ``None`` once it is dropped.
    :param columns: names of the columns that are known.
    :param complete: whether these are all of them, in order.
    :param created: whether the script made it.
    :param temporary: whether it ends with the session.
    :param written: whether the script put data into it.
    :param doubtful: whether the statement that makes it could not be read.
    """

    first_name: Dataset
    name: Dataset | None
    columns: tuple[str, ...] = ()
    complete: bool = False
    created: bool = False
    temporary: bool = False
    written: bool = False
    doubtful: bool = False
    content: "TableContent" = field(init=False)

    def __post_init__(self) -> None:
        self.content = TableContent(self)

    @property
    def transient(self) -> bool:
        """Whether nothing of it is left after the script."""
        return self.created and (self.temporary or self.name is None)


@dataclass(slots=True, eq=False)
class TableContent:
    """What a table holds at an instant; it does not change any more once something has seen it.

    :param table: the table.
    :param columns: origins of what the script wrote, by column.
    :param opens: what else was written whose columns are not known.
    :param contents: what was read to write it.
    :param influences: columns that bear on which rows it has.
    :param seen: whether a statement has read it, or a rollback may come back to it.
    """

    table: Table
    columns: dict[str, list[Origin]] = field(default_factory=dict)
    opens: list[OpenColumns] = field(default_factory=list)
    contents: dict["TableContent", None] = field(default_factory=dict)
    influences: dict[tuple[SourceColumn, Influence], None] = field(default_factory=dict)
    seen: bool = False
    _relation: Relation | None = None

    def copied(self) -> "TableContent":
        """Make a content that can be changed.

        :returns: one that holds the same.
        """
        return TableContent(
            self.table,
            {name: list(origins) for name, origins in self.columns.items()},
            list(self.opens),
            dict(self.contents),
            dict(self.influences),
        )

    def relation(self) -> Relation:
        """Give the columns as a query sees them."""
        self.seen = True
        if self._relation is None:
            items: list[Column | OpenColumns] = [
                Column(name, self._column(name)) for name in self.table.columns
            ]
            if not self.table.complete:
                hidden = frozenset(self.table.columns)
                items.append(OpenColumns(self._column, str(self.table.first_name), hidden))
            self._relation = Relation(items)
        return self._relation

    def _column(self, name: str) -> Origin:
        return {SourceColumn(self, name): Transformation.IDENTITY}
