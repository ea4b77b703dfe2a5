"""Finds the lineage of a script of SQL for Amazon Redshift."""

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from updraft.sql_lineage.commands import COMMANDS, Handler, unloaded
from updraft.sql_lineage.names import Dataset, Session
from updraft.sql_lineage.origins import Origin
from updraft.sql_lineage.parsing import parse, quiet
from updraft.sql_lineage.relations import Column, Relation
from updraft.sql_lineage.result import ExtractionError, QueryResult, SqlLineage
from updraft.sql_lineage.scanning import Kind, Statement, statements, without_secrets
from updraft.sql_lineage.schemas import Schemas
from updraft.sql_lineage.statements import StatementReader
from updraft.sql_lineage.summary import Summary, named_sources
from updraft.sql_lineage.table_contents import Reading
from updraft.sql_lineage.tables import Tables
from updraft.sql_lineage.word_reader import SqlError, WordReader

_MADE_WITHOUT_LINEAGE = (
    *("CONSTRAINT", "DATABASE", "DATASHARE", "DEFAULT", "FUNCTION", "GROUP", "IDENTITY", "LIBRARY"),
    *("MASKING", "PROCEDURE", "RLS", "ROLE", "SCHEMA", "SYSTEM", "TEMPLATE", "USER"),
)
_PARSED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "(")
_BEFORE_KIND = ("OR", "REPLACE", "LOCAL", "TEMP", "TEMPORARY", "EXTERNAL", "PROTECTED")
_LONGEST_MESSAGE = 500


def analyze(
    script: str,
    schemas: Schemas | None = None,
    *,
    default_database: str = "dev",
    default_schema: str = "public",
    case_sensitive: bool = False,
) -> SqlLineage:
    """Find what a script reads and writes, and which columns give the values of which.

    A statement that cannot be read ends in an error of its own, and the others go on. Tables that
    the script makes for itself are left out of inputs and outputs; what went through them is not.

    :param script: statements with semicolons between them.
    :param schemas: columns of the tables that are there before.
    :param default_database: the database of names without one.
    :param default_schema: the schema of names without one.
    :param case_sensitive: whether names in quotes keep their case
        (``enable_case_sensitive_identifier``).
    :returns: the lineage.
    """
    session = Session(default_database, (default_schema,), case_sensitive)
    session.database = session.fold(default_database, quoted=True)
    session.search_path = (session.fold(default_schema, quoted=True),)
    tables = Tables(session, schemas or Schemas())
    errors: list[ExtractionError] = []
    readings: list[Reading] = []
    results: list[tuple[int, Relation]] = []
    count = 0
    with quiet():
        for statement in statements(script):
            count += 1
            reading = Reading(statement.number, statement.line)
            try:
                relation = _read(statement, tables, reading)
            except (SqlError, SqlglotError) as error:
                message = _short(error, statement.line)
            except RecursionError:
                message = "it is nested too deeply"
            except Exception as error:  # noqa: BLE001 a fault in here must not end a task
                message = f"unexpected {type(error).__name__}: {error}"
            else:
                readings.append(reading)
                if relation is not None:
                    results.append((statement.number, relation))
                continue
            shown = (without_secrets(text) for text in (message, statement.text))
            errors.append(ExtractionError(statement.number, statement.line, *shown))
            _remember_failed_table(statement, tables)
    return _summed_up(count, tables, readings, results, errors)


def _read(statement: Statement, tables: Tables, reading: Reading) -> Relation | None:
    unclosed = next((word for word in statement.words if word.kind is Kind.UNCLOSED), None)
    if unclosed is not None:
        raise SqlError(f"{unclosed.text} is never closed")
    handler = _HANDLERS.get(statement.words[0].keyword)
    if handler is None:
        raise SqlError(f"{statement.words[0].text!r} begins no statement of Amazon Redshift")
    return handler(statement, tables, reading)


def _parsed(statement: Statement, tables: Tables, reading: Reading) -> Relation | None:
    reader = StatementReader(tables, reading)
    last = [word.keyword for word in statement.words[-2:]]
    if statement.begins("MERGE") and last == ["REMOVE", "DUPLICATES"]:
        # sqlglot knows MERGE only with WHEN, so it gets one.
        shortened = statement.text[: statement.words[-2].start]
        node = parse(f"{shortened} WHEN MATCHED THEN DELETE")
        if not isinstance(node, exp.Merge):
            raise SqlError("MERGE … REMOVE DUPLICATES has another shape")
        reader.merge_removing_duplicates(node)
        return None
    return reader.read(parse(statement.text))


def _unload(statement: Statement, tables: Tables, reading: Reading) -> None:
    query, target = unloaded(statement, tables)
    inner = list(statements(query))
    if len(inner) != 1:
        raise SqlError(f"UNLOAD has {len(inner)} statements in its quotes instead of one query")
    reader = StatementReader(tables, reading)
    node = parse(inner[0].text)
    relation = reader.read(node) if isinstance(node, exp.Query) else None
    if relation is None:
        raise SqlError("UNLOAD has no query in its quotes")
    reader.write_named(target, relation)


def _create(statement: Statement, tables: Tables, reading: Reading) -> None:
    words = [word.keyword for word in statement.words]
    at = 1
    while at < len(words) and words[at] in _BEFORE_KIND:
        at += 1
    kind = words[at] if at < len(words) else ""
    if kind in ("TABLE", "VIEW") or words[at : at + 2] == ["MATERIALIZED", "VIEW"]:
        StatementReader(tables, reading).read(parse(_without_local(statement)))
    elif kind == "MODEL":
        reading.leave_out("CREATE MODEL", "what a model is trained on is not looked for")
    elif kind not in _MADE_WITHOUT_LINEAGE:
        raise SqlError(f"CREATE {kind} is not known")


def _without_local(statement: Statement) -> str:
    """Leave out a word in front of TEMP that means nothing, and that sqlglot does not know."""
    word = statement.words[1]
    if word.keyword != "LOCAL":
        return statement.text
    return f"{statement.text[: word.start]}{' ' * len(word.text)}{statement.text[word.end :]}"


def _cursor(statement: Statement, tables: Tables, reading: Reading) -> Relation | None:
    words = WordReader(statement, tables)
    if not words.find_keywords("FOR"):
        raise SqlError("DECLARE without FOR")
    return StatementReader(tables, reading).read(parse(statement.text[words.rest_starts :]))


_HANDLERS: dict[str, Handler] = {
    **COMMANDS,
    **dict.fromkeys(_PARSED, _parsed),
    "CREATE": _create,
    "DECLARE": _cursor,
    "UNLOAD": _unload,
}


def _remember_failed_table(statement: Statement, tables: Tables) -> None:
    """Keep a table that a broken statement makes from being taken for one of before."""
    words = WordReader(statement, tables)
    try:
        if not words.skip("CREATE"):
            return
        words.skip("LOCAL")
        temporary = words.skip("TEMP") or words.skip("TEMPORARY")
        if words.skip("TABLE"):
            words.skip("IF", "NOT", "EXISTS")
            tables.create(words.name(), None, temporary=temporary).doubtful = True
    except SqlError:
        return


def _summed_up(
    count: int,
    tables: Tables,
    readings: list[Reading],
    results: list[tuple[int, Relation]],
    errors: list[ExtractionError],
) -> SqlLineage:
    summary = Summary(tables.contents)
    outputs = [
        summary.output(table)
        for table in tables.all
        if (table.written or (table.created and not table.doubtful))
        and table.name is not None
        and not table.transient
    ]
    inputs: dict[Dataset, None] = {}
    for reading in readings:
        for content in reading.contents:
            if not content.table.created:
                inputs[content.table.first_name] = None
    for output in outputs:
        inputs.update(dict.fromkeys(output.inputs))
    return SqlLineage(
        statements=count,
        inputs=tuple(sorted(inputs, key=str)),
        outputs=tuple(sorted(outputs, key=lambda output: str(output.dataset))),
        results=tuple(
            QueryResult(number, named_sources(_by_name(relation), summary))
            for number, relation in results
        ),
        errors=tuple(errors),
        unresolved=tuple(one for reading in readings for one in reading.unresolved),
    )


def _by_name(relation: Relation) -> dict[str, Origin]:
    """Name the columns of a query that writes nowhere; the first one of a name wins."""
    named: dict[str, Origin] = {}
    for place, item in enumerate(relation.items, 1):
        if isinstance(item, Column):
            named.setdefault(item.name or f"column {place}", item.origin)
    return named


def _short(error: Exception, line: int) -> str:
    first = error.errors[0] if isinstance(error, ParseError) and error.errors else None
    if first is not None:
        near = " ".join(
            str(first.get(key) or "") for key in ("start_context", "highlight", "end_context")
        )
        place = line + int(first["line"] or 1) - 1
        text = f"{first['description']} in line {place}, near {' '.join(near.split())!r}"
    else:
        text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"
