"""Takes SQL that a user writes as one statement of a certain kind, and no more."""

from dataclasses import dataclass

from updraft.errors import UpdraftError
from updraft.redshift.identifiers import TableName, parse_table
from updraft.sql_lineage.scanning import Kind, Statement, Word, statements

_QUERIES = frozenset({"SELECT", "WITH", "("})
_TEMPORARY = frozenset({"TEMP", "TEMPORARY", "LOCAL"})


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A CREATE TABLE.

    :param sql: the statement, without IF NOT EXISTS: if another one makes the table meanwhile, it
        fails instead of going on with a table that is not empty.
    :param is_query: whether it takes its rows from a query.
    """

    sql: str
    is_query: bool


def query(argument: str, text: object) -> str:
    """Take one query.

    :param argument: name of the argument, for the error message.
    :param text: the SQL.
    :returns: it without semicolon.
    :raises UpdraftError: when it is something else, or more than that.
    """
    statement = _single(argument, text, "a query")
    if statement.words[0].keyword not in _QUERIES:
        raise UpdraftError(
            f"{argument}: it begins with {statement.words[0].text!r}, and not as a query with "
            "SELECT or WITH"
        )
    _check_balance(argument, statement)
    if _selects_into(statement):
        raise UpdraftError(f"{argument}: a query with INTO makes a table of its own")
    return statement.text


def table_definition(argument: str, text: object, table: TableName) -> TableDefinition:
    """Take the definition of a table.

    :param argument: name of the argument, for the error message.
    :param text: one CREATE TABLE.
    :param table: the table that it has to make.
    :returns: the statement.
    :raises UpdraftError: when it is something else, or makes another table.
    """
    statement = _single(argument, text, "a CREATE TABLE")
    _check_balance(argument, statement)
    words = statement.words
    keywords = [word.keyword for word in words]
    if keywords[:2] != ["CREATE", "TABLE"]:
        kind = "a temporary table" if _TEMPORARY & set(keywords[1:3]) else "something else"
        raise UpdraftError(f"{argument}: it makes {kind}; it has to begin with CREATE TABLE")
    at = 2
    sql = statement.text
    if keywords[2:5] == ["IF", "NOT", "EXISTS"]:
        at = 5
        sql = sql[: words[2].start] + sql[words[4].end :].lstrip()
    end = at
    while end < len(words) and (words[end].kind in (Kind.WORD, Kind.QUOTED)) == (
        (end - at) % 2 == 0
    ):
        if (end - at) % 2 and words[end].text != ".":
            break
        end += 1
    name = statement.text[words[at].start : words[end - 1].end] if end > at else ""
    made = parse_table(argument, name)
    if made != table:
        raise UpdraftError(
            f"{argument}: it makes the table {made}, while {table} is to be loaded; write the "
            "schema into both"
        )
    return TableDefinition(sql, "AS" in keywords[end:] and _has_query(words[end:]))


def _single(argument: str, text: object, what: str) -> Statement:
    found = list(statements(text)) if isinstance(text, str) else []
    if len(found) != 1:
        raise UpdraftError(f"{argument}: it has {len(found)} statements instead of {what}")
    if "\0" in found[0].text:
        raise UpdraftError(f"{argument}: it has a NUL character, which Redshift has not")
    unclosed = next((word for word in found[0].words if word.kind is Kind.UNCLOSED), None)
    if unclosed is not None:
        raise UpdraftError(f"{argument}: {unclosed.text} is never closed")
    return found[0]


def _check_balance(argument: str, statement: Statement) -> None:
    depth = 0
    for word in statement.words:
        if word.kind is Kind.SIGN and word.text in "()":
            depth += 1 if word.text == "(" else -1
            if depth < 0:
                break
    if depth:
        raise UpdraftError(f"{argument}: its parentheses don't match")


def _selects_into(statement: Statement) -> bool:
    depth = 0
    for word in statement.words:
        if word.kind is Kind.SIGN and word.text in "()":
            depth += 1 if word.text == "(" else -1
        elif depth == 0 and word.keyword == "INTO":
            return True
    return False


def _has_query(words: tuple[Word, ...]) -> bool:
    return any(word.keyword in {"SELECT", "WITH", "TABLE", "VALUES"} for word in words)
