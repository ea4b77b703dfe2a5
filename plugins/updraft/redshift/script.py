"""Scripts of Amazon Redshift: their statements, and which of them can be in one transaction."""

from collections.abc import Sequence
from itertools import pairwise

from updraft.errors import UpdraftError
from updraft.sql_lineage.scanning import Kind, Statement, statements, words

_BEGIN = frozenset({"BEGIN", "START"})
_COMMIT = frozenset({"COMMIT", "END"})
_CONTROL = _BEGIN | _COMMIT | {"ROLLBACK", "ABORT"}
_OUTSIDE = (
    ("VACUUM",),
    *((verb, "DATABASE") for verb in ("ALTER", "CREATE", "DROP")),
    *((verb, "LIBRARY") for verb in ("CREATE", "DROP")),
    *((verb, "EXTERNAL", "TABLE") for verb in ("CREATE", "DROP", "ALTER")),
    ("CREATE", "EXTERNAL", "DATABASE"),
)
_SESSION = frozenset({"CALL", "DECLARE", "PREPARE", "RESET", "SET", "USE"})


def read_script(script: str) -> list[Statement]:
    """Take a script apart.

    :param script: statements with semicolons between them.
    :returns: the statements, at least one.
    :raises UpdraftError: when there is none, or a quote or comment is never closed.
    """
    found = list(statements(script))
    unclosed = next((word for word in words(script) if word.kind is Kind.UNCLOSED), None)
    if unclosed is not None:
        line = script.count("\n", 0, unclosed.start) + 1
        raise UpdraftError(f"line {line}: {unclosed.text} begins what is never closed")
    if not found:
        raise UpdraftError("there is no SQL statement, only comments and space")
    return found


def for_transaction(script: Sequence[Statement]) -> list[Statement]:
    """Leave out BEGIN and COMMIT around a script that runs as one transaction anyway.

    :param script: its statements.
    :returns: the statements without them.
    :raises UpdraftError: when a statement ends the transaction, or can't be in one.
    """
    found = list(script)
    if len(found) > 2 and found[0].words[0].keyword in _BEGIN and _ends(found[-1]):  # noqa: PLR2004
        found = found[1:-1]
    for one in found:
        if one.words[0].keyword in _CONTROL:
            raise UpdraftError(
                f"line {one.line}: {one.words[0].keyword} within a script that is one transaction. "
                "Leave it out, or set transaction=False, which runs statement by statement"
            )
    if len(found) > 1:
        for one in found:
            if not runs_in_transaction(one):
                raise UpdraftError(
                    f"line {one.line}: {one.text.split()[0].upper()} … can't be in a transaction "
                    "with other statements; set transaction=False, which runs statement by "
                    "statement"
                )
    return found


def grouped(script: Sequence[Statement]) -> list[list[int]]:
    """Group the statements of a script that runs statement by statement.

    :param script: its statements.
    :returns: indexes of the statements of each transaction: one by itself, or those between BEGIN
        and COMMIT, which are left out.
    :raises UpdraftError: when a transaction is not closed, rolled back, or in another one.
    """
    groups: list[list[int]] = []
    block: list[int] | None = None
    for index, one in enumerate(script):
        word = one.words[0].keyword
        if word in _BEGIN and block is None:
            block = []
        elif word in _COMMIT and block is not None:
            groups += [block] if block else []
            block = None
        elif word in _CONTROL:
            raise UpdraftError(
                f"statement {index + 1} is {word}, which has no place here: statements count as "
                "soon as they have ended, and those between BEGIN and COMMIT together"
            )
        elif block is not None:
            block.append(index)
        else:
            groups.append([index])
    if block is not None:
        raise UpdraftError("BEGIN is not followed by COMMIT")
    return groups


def runs_in_transaction(statement: Statement) -> bool:
    """Say whether Redshift runs a statement in a transaction with others.

    https://docs.aws.amazon.com/redshift/latest/dg/stored-procedure-transaction-management.html

    :param statement: the statement.
    :returns: whether it does.
    """
    appends = statement.begins("ALTER", "TABLE") and any(
        word.keyword == "APPEND" for word in statement.words
    )
    return not appends and not any(statement.begins(*begin) for begin in _OUTSIDE)


def commits(statement: Statement) -> bool:
    """Say whether a statement commits what came before it, although nobody wrote COMMIT."""
    return statement.begins("TRUNCATE")


def lives_in_session(statement: Statement) -> bool:
    """Say whether a statement makes something that ends with its session.

    :param statement: the statement.
    :returns: whether it makes a temporary table or changes a setting, or may do so, as a procedure
        may.
    """
    keywords = [word.keyword for word in statement.words]
    if keywords[0] in _SESSION:
        return True
    if keywords[0] == "CREATE" and {"TEMP", "TEMPORARY"} & set(keywords[:4]):
        return True
    if any(one.startswith("#") for one in keywords):
        return True
    return any(
        word == "INTO" and follower in {"TEMP", "TEMPORARY"}
        for word, follower in pairwise(keywords)
    )


def _ends(statement: Statement) -> bool:
    return statement.words[0].keyword in _COMMIT
