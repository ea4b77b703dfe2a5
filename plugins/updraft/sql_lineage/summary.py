"""Sums up what the statements of a script did: from real inputs to real outputs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from updraft.sql_lineage.names import Dataset
from updraft.sql_lineage.origins import Influence, Origin, SourceColumn, Transformation
from updraft.sql_lineage.result import DatasetColumn, Output, Sources
from updraft.sql_lineage.table_contents import Table, TableContent


@dataclass(slots=True)
class _Traced:
    """What a table that is not there in the end held, told by what is there."""

    columns: dict[str, Sources] = field(default_factory=dict)
    inputs: dict[Dataset, None] = field(default_factory=dict)
    influences: dict[tuple[DatasetColumn, Influence], None] = field(default_factory=dict)


class Summary:
    """Leaves out the tables that are not there when the script ends.

    :param contents: what tables held, in the order in which it came to be.
    """

    def __init__(self, contents: Iterable[TableContent]) -> None:
        self._traced: dict[TableContent, _Traced] = {}
        # In order, so that what a table was filled from is done before the table.
        for content in contents:
            if content.table.transient:
                self._traced[content] = _Traced(
                    {name: self.sources(*origins) for name, origins in content.columns.items()},
                    self._inputs(content),
                    dict.fromkeys(self._influences(content)),
                )

    def sources(self, *origins: Origin) -> Sources:
        """Trace a value.

        :param origins: the columns that give it, in one way or several.
        :returns: the columns of real tables that give it.
        """
        found: dict[DatasetColumn, Transformation] = {}
        for origin in origins:
            for source, kind in origin.items():
                for column, before in self._column(source).items():
                    found[column] = max(found.get(column, kind), before, kind)
        return found

    def output(self, table: Table) -> Output:
        """Sum up what a table got.

        :param table: a table that is there when the script ends.
        :returns: its lineage.
        """
        content = table.content
        columns = {name: self.sources(*origins) for name, origins in content.columns.items()}
        return Output(
            dataset=_name(table),
            inputs=tuple(sorted(self._inputs(content), key=str)),
            columns=columns,
            influences=tuple(dict.fromkeys(self._influences(content))),
            schema=table.columns if table.complete else (),
        )

    def _column(self, source: SourceColumn) -> Sources:
        content, name = source
        if not content.table.transient:
            return {DatasetColumn(_name(content.table), name): Transformation.IDENTITY}
        traced = self._traced[content]
        if name not in traced.columns:
            found = [open_columns.origin(name) for open_columns in content.opens]
            only = found[0] if len(found) == 1 else None
            traced.columns[name] = self.sources(only) if only is not None else {}
        return traced.columns[name]

    def _inputs(self, content: TableContent) -> dict[Dataset, None]:
        found: dict[Dataset, None] = {}
        for one in content.contents:
            if one.table.transient:
                found.update(self._traced[one].inputs)
            elif not (one.table.created and one.table is content.table):
                found[_name(one.table)] = None
        return found

    def _influences(self, content: TableContent) -> Iterable[tuple[DatasetColumn, Influence]]:
        for source, influence in content.influences:
            for column in self._column(source):
                yield column, influence
        for one in content.contents:
            if one.table.transient:
                yield from self._traced[one].influences


def _name(table: Table) -> Dataset:
    return table.name if table.created and table.name is not None else table.first_name


def named_sources(columns: Mapping[str, Origin], summary: Summary) -> dict[str, Sources]:
    """Trace the columns of a query.

    :param columns: their origins by name.
    :param summary: knows the tables.
    :returns: the columns of real tables by name.
    """
    return {name: summary.sources(origin) for name, origin in columns.items()}
