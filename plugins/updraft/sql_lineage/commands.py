"""Statements that no SQL parser knows, read word by word.

``COPY``, ``UNLOAD``, ``ALTER TABLE … APPEND`` and what only names tables:
https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html
"""

import re
from collections.abc import Callable

from updraft.sql_lineage.names import Dataset, DynamoDBTable, Files
from updraft.sql_lineage.origins import SourceColumn, Transformation
from updraft.sql_lineage.relations import Relation
from updraft.sql_lineage.scanning import Kind, Statement
from updraft.sql_lineage.table_contents import Reading, Table
from updraft.sql_lineage.tables import Tables
from updraft.sql_lineage.word_reader import SqlError, WordReader

# Laxer than a bucket's name may be: refusing a wrong one is the server's affair.
_S3_URI = re.compile(
    r"s3://(?P<bucket>[\w.-]+)(?P<key>(?:/.*)?)", re.ASCII | re.DOTALL | re.IGNORECASE
)


def copy(statement: Statement, tables: Tables, reading: Reading) -> None:
    """Read ``COPY``.

    What columns the files have is not in the statement, so no column of theirs is named.

    :param statement: the statement.
    :param tables: the tables of the script.
    :param reading: takes notes of what is read.
    :raises SqlError: when it names no source.
    """
    words = WordReader(statement, tables)
    words.expect("COPY")
    target = tables.find(words.name())
    if not words.find_keywords("FROM"):
        raise SqlError("COPY without FROM")
    source = tables.outside(copy_source(words.string("the source")))
    reading.read(source.content)
    tables.write(target, {}, reading)


def copy_source(uri: str) -> Dataset:
    """Name what ``COPY`` loads.

    :param uri: what stands behind ``FROM``: ``s3://``, ``dynamodb://`` or ``emr://``. With ``SSH``
        it is the manifest in Amazon S3, for what the hosts in it send has no name.
    :returns: its name.
    :raises SqlError: when it is none of these.
    """
    scheme, separator, rest = uri.partition("://")
    if separator and scheme.lower() == "dynamodb" and rest.strip("/"):
        return DynamoDBTable(rest.strip("/"))
    if separator and scheme.lower() == "emr" and rest.strip("/"):
        return Files(f"emr://{rest.strip('/')}")
    return s3_files(uri)


def s3_files(uri: str) -> Files:
    """Name files in Amazon S3.

    :param uri: their prefix, with or without slashes at its end.
    :returns: their name.
    :raises SqlError: when it is no URI of Amazon S3.
    """
    match = _S3_URI.fullmatch(uri)
    if match is None:
        raise SqlError(f"{uri!r} names neither files in Amazon S3 nor another source of COPY")
    return Files(f"s3://{match['bucket']}/{match['key'].strip('/')}".rstrip("/"))


def unloaded(statement: Statement, tables: Tables) -> tuple[str, Table]:
    """Read ``UNLOAD``.

    :param statement: the statement.
    :param tables: the tables of the script.
    :returns: the query in it, and what it is written to.
    :raises SqlError: when it has no query or no target.
    """
    words = WordReader(statement, tables)
    words.expect("UNLOAD", "(")
    query = words.string("the query")
    words.expect(")", "TO")
    return query, tables.outside(s3_files(words.string("the target")))


def alter_table(statement: Statement, tables: Tables, reading: Reading) -> None:
    """Read ``ALTER TABLE``: what moves data, names or columns.

    :param statement: the statement.
    :param tables: the tables of the script.
    :param reading: takes notes of what is read.
    :raises SqlError: when it cannot be read.
    """
    words = WordReader(statement, tables)
    words.expect("ALTER")
    if not words.skip("TABLE"):
        return
    words.skip("IF", "EXISTS")
    name = words.name()
    if words.skip("APPEND", "FROM"):
        source = tables.find(words.name())
        _append(tables.find(name), source, statement.words[-1].keyword, tables, reading)
    elif words.skip("RENAME", "TO"):
        tables.rename(name, words.name()[-1])
    elif words.skip("SET", "SCHEMA"):
        tables.rename(name, tables.find(name).first_name[-1], words.name()[-1])
    elif words.skip("RENAME", "COLUMN") or words.skip("RENAME"):
        before = words.name()[-1]
        words.expect("TO")
        after = words.name()[-1]
        tables.change_columns(
            tables.find(name),
            lambda columns: [after if column == before else column for column in columns],
            {before: after},
        )
    elif words.skip("ADD", "COLUMN") or (words.skip("ADD") and not _constraint(words)):
        added = words.name()[-1]
        tables.change_columns(tables.find(name), lambda columns: [*columns, added])
    elif words.skip("DROP", "COLUMN") or (words.skip("DROP") and not _constraint(words)):
        dropped = words.name()[-1]
        tables.change_columns(
            tables.find(name),
            lambda columns: [column for column in columns if column != dropped],
        )


def _constraint(words: WordReader) -> bool:
    kinds = ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "PARTITION", "IF")
    return any(words.skip(kind) for kind in kinds)


def _append(target: Table, source: Table, option: str, tables: Tables, reading: Reading) -> None:
    """Move all rows: columns meet by name.

    Without an option both tables have the same columns; ``IGNOREEXTRA`` lets the source have more,
    ``FILLTARGET`` the target.
    https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_APPEND.html
    """
    reading.read(source.content)
    shared: set[str] = set()
    if target.complete and source.complete:
        shared = set(target.columns) & set(source.columns)
    elif target.complete and option != "FILLTARGET":
        shared = set(target.columns)
    elif source.complete and option != "IGNOREEXTRA":
        shared = set(source.columns)
    else:
        reading.leave_out(
            f"{source.first_name}.*",
            f"which of its columns {target.first_name} has is not known: give the schemas of both",
        )
    columns = {
        name: {SourceColumn(source.content, name): Transformation.IDENTITY} for name in shared
    }
    tables.write(target, columns, reading)
    tables.clear(source, moved=True)


def drop(statement: Statement, tables: Tables, reading: Reading) -> None:  # noqa: ARG001 as others
    """Read ``DROP TABLE``, ``DROP VIEW`` and ``DROP SCHEMA``.

    :param statement: the statement.
    :param tables: the tables of the script.
    :param reading: not needed.
    :raises SqlError: when it names nothing.
    """
    words = WordReader(statement, tables)
    words.expect("DROP")
    schema = words.skip("SCHEMA")
    kinds = (("TABLE",), ("VIEW",), ("MATERIALIZED", "VIEW"))
    if not (schema or any(words.skip(*kind) for kind in kinds)):
        return  # a user, a function, a datashare
    words.skip("IF", "EXISTS")
    names = [words.name()]
    while words.skip(","):
        names.append(words.name())
    for name in names:
        if schema:
            tables.drop_schema(name)
        else:
            tables.drop(name)


def truncate(statement: Statement, tables: Tables, reading: Reading) -> None:  # noqa: ARG001 as others
    """Read ``TRUNCATE``, which also commits.

    :param statement: the statement.
    :param tables: the tables of the script.
    :param reading: not needed.
    :raises SqlError: when it names no table.
    """
    words = WordReader(statement, tables)
    words.expect("TRUNCATE")
    words.skip("TABLE")
    tables.clear(tables.find(words.name()))
    if tables.in_transaction:
        tables.keep()


def refresh(statement: Statement, tables: Tables, reading: Reading) -> None:
    """Read ``REFRESH MATERIALIZED VIEW``: data gets into it, from where is in its definition.

    :param statement: the statement.
    :param tables: the tables of the script.
    :param reading: takes notes of what is read.
    :raises SqlError: when it names no view.
    """
    words = WordReader(statement, tables)
    words.expect("REFRESH", "MATERIALIZED", "VIEW")
    tables.write(tables.find(words.name()), {}, reading)


def settings(statement: Statement, tables: Tables, reading: Reading) -> None:  # noqa: ARG001 as others
    """Read ``SET`` and ``USE``: the settings that change what names mean.

    :param statement: the statement.
    :param tables: the tables of the script, whose session changes.
    :param reading: not needed.
    """
    words = WordReader(statement, tables)
    if words.skip("USE"):
        tables.session.database = words.name()[-1]
        return
    words.expect("SET")
    if not words.skip("SESSION"):
        words.skip("LOCAL")
    if words.skip("ENABLE_CASE_SENSITIVE_IDENTIFIER") and (words.skip("TO") or words.skip("=")):
        value = statement.words[-1].text.lower()
        tables.session.case_sensitive = value in ("true", "on", "1", "yes")
    elif words.skip("SEARCH_PATH") and (words.skip("TO") or words.skip("=")):
        path = _search_path(statement, words, tables)
        tables.session.search_path = path or tables.session.search_path


def _search_path(statement: Statement, words: WordReader, tables: Tables) -> tuple[str, ...]:
    listed = [word for word in statement.words if word.start >= words.rest_starts >= 0]
    names = [
        tables.session.fold(part.strip(), quoted=word.kind is not Kind.WORD)
        for word in listed
        if word.kind in (Kind.WORD, Kind.QUOTED, Kind.STRING)
        for part in (word.text.split(",") if word.kind is Kind.STRING else [word.text])
    ]
    return tuple(name for name in names if name and name not in ("$user", "user"))


def transaction(statement: Statement, tables: Tables, reading: Reading) -> None:  # noqa: ARG001 as others
    """Read what begins and ends a transaction.

    :param statement: the statement.
    :param tables: the tables of the script.
    :param reading: not needed.
    """
    first = statement.words[0].keyword
    if first in ("BEGIN", "START"):
        tables.begin()
    elif first in ("COMMIT", "END"):
        tables.commit()
    else:
        tables.roll_back()


def nothing(statement: Statement, tables: Tables, reading: Reading) -> None:
    """Read what moves no data.

    :param statement: not needed.
    :param tables: not needed.
    :param reading: not needed.
    """


def opaque(statement: Statement, tables: Tables, reading: Reading) -> None:  # noqa: ARG001 as others
    """Read what runs SQL that is not in the script.

    :param statement: the statement.
    :param tables: not needed.
    :param reading: takes the note that lineage may be missing.
    """
    what = " ".join(word.text for word in statement.words[:2])
    reading.leave_out(what, "what it reads and writes is not in the script")


Handler = Callable[[Statement, Tables, Reading], Relation | None]

COMMANDS: dict[str, Handler] = {
    "ALTER": alter_table,
    "COPY": copy,
    "DROP": drop,
    "TRUNCATE": truncate,
    "REFRESH": refresh,
    **dict.fromkeys(("SET", "USE"), settings),
    **dict.fromkeys(("CALL", "EXECUTE"), opaque),
    **dict.fromkeys(("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT"), transaction),
    **dict.fromkeys(
        (
            *("ANALYZE", "ATTACH", "CANCEL", "CHECKPOINT", "CLOSE", "COMMENT", "DEALLOCATE"),
            *("DESC", "DESCRIBE", "DETACH", "EXPLAIN", "FETCH", "GRANT", "LOCK", "PREPARE"),
            *("RESET", "REVOKE", "SHOW", "VACUUM"),
        ),
        nothing,
    ),
}
"""What reads a statement, by its first keyword."""
