"""The schemas that are known beforehand: columns by table, read from JSON."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from updraft.errors import UpdraftError
from updraft.sql_lineage.names import RedshiftTable, Session

_PART = re.compile(r'(?:"((?:[^"]|"")+)"|([^".]+))(?:\.(?=.)|$)')
_SHAPE = (
    'schemas look like {"db.schema.table": ["column", ...]} or {"schema.table": {"column": "type"}}'
)


class Schemas:
    """Columns of tables by the name of the table.

    :param tables: names of columns in order, by table.
    """

    def __init__(self, tables: Mapping[RedshiftTable, tuple[str, ...]] | None = None) -> None:
        self._exact = dict(tables or {})
        self._folded = {
            RedshiftTable(*(part.lower() for part in table)): tuple(
                column.lower() for column in columns
            )
            for table, columns in self._exact.items()
        }

    def columns(self, table: RedshiftTable, session: Session) -> tuple[str, ...] | None:
        """Look a table up.

        :param table: its folded name.
        :param session: says whether case counts.
        :returns: names of its columns in order, ``None`` when the table is not known.
        """
        return (self._exact if session.case_sensitive else self._folded).get(table)


def read_schemas(path: Path, session: Session) -> Schemas:
    """Read the schemas of tables from a JSON file.

    :param path: the file, see `parse_schemas` for its shape.
    :param session: completes short names.
    :returns: the schemas.
    :raises UpdraftError: when the file cannot be read, or is not of that shape.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UpdraftError(f"cannot read the schemas in {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UpdraftError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise UpdraftError(
            f"{path} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise UpdraftError(f"{path} is nested too deeply; {_SHAPE}") from None
    try:
        return parse_schemas(content, session)
    except UpdraftError as error:
        raise UpdraftError(f"{path}: {error}") from None


def parse_schemas(content: Any, session: Session) -> Schemas:
    """Take schemas from what JSON holds.

    :param content: an object whose keys name tables as ``db.schema.table``, ``schema.table`` or
        ``table``, parts with dots in double quotes, and whose values are lists of columns in the
        order of the table or objects that map them to their types.
    :param session: completes short names.
    :returns: the schemas.
    :raises UpdraftError: when the content is not of that shape, or names a table or column twice.
    """
    if not isinstance(content, Mapping):
        raise UpdraftError(f"found {_kind(content)} where an object was expected; {_SHAPE}")
    tables: dict[RedshiftTable, tuple[str, ...]] = {}
    spelled: dict[RedshiftTable, str] = {}
    for key, value in content.items():
        table = _table(key, session)
        same = RedshiftTable(*(part.lower() for part in table))
        if same in spelled and (not session.case_sensitive or table in tables):
            raise UpdraftError(f"{key!r} and {spelled[same]!r} name the same table")
        spelled[same] = key
        tables[table] = _columns(key, value, session)
    return Schemas(tables)


def _table(key: str, session: Session) -> RedshiftTable:
    parts, at = [], 0
    while at < len(key) and (match := _PART.match(key, at)):
        parts.append(match[1].replace('""', '"') if match[1] else match[2])
        at = match.end()
    if at < len(key) or not 1 <= len(parts) <= 3:  # noqa: PLR2004 database, schema, table
        raise UpdraftError(f"{key!r} does not name a table; {_SHAPE}")
    return session.candidates(tuple(parts))[0]


def _columns(key: str, value: Any, session: Session) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        wrong = next((one for one in value.values() if not isinstance(one, str)), None)
        if wrong is not None:
            raise UpdraftError(f"{key!r} has {_kind(wrong)} for the type of a column; {_SHAPE}")
    elif not isinstance(value, list):
        raise UpdraftError(f"{key!r} has {_kind(value)} for its columns; {_SHAPE}")
    columns = []
    seen = set()
    for column in value:
        if not isinstance(column, str) or not column:
            raise UpdraftError(f"{key!r} has {_kind(column)} for the name of a column; {_SHAPE}")
        same = column if session.case_sensitive else column.lower()
        if same in seen:
            raise UpdraftError(f"{key!r} has the column {column!r} twice")
        seen.add(same)
        columns.append(column)
    return tuple(columns)


def _kind(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004 fits a line
    return f"{shown}"
