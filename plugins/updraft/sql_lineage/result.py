"""What is found about a script."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from updraft.sql_lineage.names import Dataset
from updraft.sql_lineage.origins import Influence, Transformation
from updraft.sql_lineage.table_contents import Unresolved


class DatasetColumn(NamedTuple):
    """A column of a dataset.

    :param dataset: the dataset.
    :param column: name of the column.
    """

    dataset: Dataset
    column: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"


Sources = Mapping[DatasetColumn, Transformation]


class ExtractionError(NamedTuple):
    """A statement whose lineage could not be found.

    :param statement: its number in the script, from 1.
    :param line: the line it begins in, from 1.
    :param message: why.
    :param sql: the statement without the secrets in it.
    """

    statement: int
    line: int
    message: str
    sql: str


@dataclass(frozen=True, slots=True)
class Output:
    """A dataset that the script writes.

    :param dataset: its name when the script ends.
    :param inputs: what is read to write it.
    :param columns: the columns that give the values of each of its columns.
    :param influences: columns that bear on its rows without being in them.
    :param schema: all its columns in order, nothing when they are not known.
    """

    dataset: Dataset
    inputs: tuple[Dataset, ...]
    columns: Mapping[str, Sources]
    influences: tuple[tuple[DatasetColumn, Influence], ...]
    schema: tuple[str, ...]


class QueryResult(NamedTuple):
    """What a query gives back that writes nowhere.

    :param statement: number of the statement.
    :param columns: the columns that give the values of each of its columns.
    """

    statement: int
    columns: Mapping[str, Sources]


@dataclass(frozen=True, slots=True)
class SqlLineage:
    """The lineage of a script.

    :param statements: number of its statements.
    :param inputs: what it reads, sorted by name.
    :param outputs: what it writes, sorted by name.
    :param results: what its queries give back.
    :param errors: the statements whose lineage could not be found.
    :param unresolved: what was left out of the lineage of the other ones.
    """

    statements: int
    inputs: tuple[Dataset, ...]
    outputs: tuple[Output, ...]
    results: tuple[QueryResult, ...]
    errors: tuple[ExtractionError, ...]
    unresolved: tuple[Unresolved, ...]

    @property
    def columns(self) -> dict[str, list[str]]:
        """The columns that give values: sources by ``table.column``."""
        return {
            f"{output.dataset}.{name}": sorted(map(str, sources))
            for output in self.outputs
            for name, sources in sorted(output.columns.items())
            if sources
        }

    def as_json(self) -> dict[str, Any]:
        """Give all of it as plain values.

        :returns: what ``updraft lineage sql --format json`` prints.
        """
        return {
            "inputs": [str(dataset) for dataset in self.inputs],
            "outputs": [str(output.dataset) for output in self.outputs],
            "columns": self.columns,
            "results": [
                {
                    "statement": result.statement,
                    "columns": {
                        name: sorted(map(str, sources))
                        for name, sources in result.columns.items()
                        if sources
                    },
                }
                for result in self.results
            ],
            "errors": [
                {"statement": error.statement, "line": error.line, "extractionError": error.message}
                for error in self.errors
            ],
            "unresolved": [one._asdict() for one in self.unresolved],
        }
