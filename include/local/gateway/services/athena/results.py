"""Results as Athena has them: typed columns for the API, and a CSV object on S3.

.. seealso:: https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

_NAMES = {
    "BLOB": "varbinary",
    "FLOAT": "float",
    "HUGEINT": "bigint",
    "INTEGER": "integer",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "UBIGINT": "bigint",
    "VARCHAR": "varchar",
}
_PRECISION = {"bigint": 19, "integer": 10, "varchar": 2147483647, "double": 17, "date": 0}


@dataclass
class QueryResult:
    """The rows of a query.

    :param names: names of the columns.
    :param types: their types in Athena.
    :param rows: values as text; None for NULL.
    """

    names: list[str]
    types: list[str]
    rows: list[list[str | None]]

    @classmethod
    def of(
        cls, names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> "QueryResult":
        """Take over what DuckDB has found.

        :param names: names of the columns.
        :param types: their types in DuckDB.
        :param rows: the values.
        :returns: the same as Athena writes it.
        """
        return cls(
            list(names),
            [_NAMES.get(kind, re.sub(r"\(.*", "", kind).lower()) for kind in types],
            [[None if value is None else _text(value) for value in row] for row in rows],
        )

    @classmethod
    def load(cls, path: Path) -> "QueryResult":
        """Read what :meth:`save` has written."""
        return cls(**json.loads(path.read_text()))

    def save(self, path: Path) -> None:
        """Keep it.

        :param path: the file.
        """
        path.write_text(json.dumps(asdict(self)))

    def csv(self) -> bytes:
        """Write the CSV object: every value in quotation marks, NULL as nothing."""
        lines: list[list[str | None]] = [list(self.names), *self.rows]
        written = (",".join("" if v is None else _quoted(v) for v in line) for line in lines)
        return "".join(f"{line}\n" for line in written).encode()

    def columns(self) -> list[dict[str, Any]]:
        """Give the columns as ``ColumnInfo``."""
        return [
            {
                "CatalogName": "hive",
                "SchemaName": "",
                "TableName": "",
                "Name": name,
                "Label": name,
                "Type": kind,
                "Precision": _PRECISION.get(kind, 0),
                "Scale": 0,
                "Nullable": "UNKNOWN",
                "CaseSensitive": kind == "varchar",
            }
            for name, kind in zip(self.names, self.types, strict=True)
        ]

    def page(self, start: int, size: int) -> list[dict[str, Any]]:
        """Give rows as ``Row``; the names of the columns are row 0, as with Athena.

        :param start: number of the first one.
        :param size: how many.
        """
        every: list[list[str | None]] = [list(self.names), *self.rows]
        return [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
            for row in every[start : start + size]
        ]


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_inner, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_inner(one)}" for key, one in value.items()) + "}"
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    return str(value)


def _inner(value: Any) -> str:
    return "null" if value is None else _text(value)


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: str(value).lower()),
    (datetime, lambda value: value.isoformat(" ", "milliseconds")),
    (Decimal, lambda value: f"{value:f}"),
    (bytes, lambda value: value.hex(" ")),
    (float, lambda value: str(value).replace("inf", "Infinity").replace("nan", "NaN")),
)
