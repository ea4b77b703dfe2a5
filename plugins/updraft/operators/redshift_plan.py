"""Turns statements into calls of the Amazon Redshift Data API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from updraft.errors import UpdraftError
from updraft.redshift.literals import literal
from updraft.redshift.script import grouped, lives_in_session, read_script
from updraft.redshift.statement import RedshiftStatement, bound

MOST_STATEMENTS = 40
"""Statements that one call takes, as botocore's model of BatchExecuteStatement says."""


@dataclass(frozen=True)
class Call:
    """What one call of the Data API submits.

    :param texts: the statements; several are one transaction.
    :param parameters: the parameters as a member of the call.
    :param first: number of its first statement among all of the user's, from 1.
    """

    texts: Sequence[str]
    parameters: Sequence[Mapping[str, str]] = ()
    first: int = 1


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    :param calls: the calls, one after the other; each is a transaction of its own.
    :param setup: what a session begins with, if there is any.
    :param in_session: indexes of the calls whose effects end with their session.
    :param uses_session: whether the calls share one.
    """

    calls: Sequence[Call]
    setup: Call | None = None
    in_session: frozenset[int] = field(default_factory=frozenset)
    uses_session: bool = False


def plan_of(
    statements: Sequence[RedshiftStatement], *, query_group: str | None, transaction: bool
) -> Plan:
    """Plan how statements are run.

    :param statements: the statements.
    :param query_group: their query group.
    :param transaction: whether they are one transaction.
    :returns: one call for a transaction; otherwise one for each statement, and for each block from
        BEGIN to COMMIT.
    :raises UpdraftError: when there are none, or they can't be run so.
    """
    if not statements:
        raise UpdraftError("there is no statement to run")
    setup = f"SET query_group TO {literal(query_group)}" if query_group else None
    if transaction:
        return Plan([_call(statements, 1, setup)])
    parsed = [read_script(one.sql)[0] for one in statements]
    calls, in_session = [], set()
    for index, numbers in enumerate(grouped(parsed)):
        calls.append(_call([statements[number] for number in numbers], numbers[0] + 1, None))
        if any(lives_in_session(parsed[number]) for number in numbers):
            in_session.add(index)
    return Plan(
        calls,
        setup=Call([setup]) if setup else None,
        in_session=frozenset(in_session),
        uses_session=setup is not None or (len(calls) > 1 and bool(in_session)),
    )


def _call(statements: Sequence[RedshiftStatement], first: int, setup: str | None) -> Call:
    texts = bound(statements)
    sent = [setup, *texts.texts] if setup else list(texts.texts)
    if len(sent) > MOST_STATEMENTS:
        room = MOST_STATEMENTS - (1 if setup else 0)
        raise UpdraftError(
            f"{len(statements)} statements are too many for one transaction of the Data API, which "
            f"has room for {room}. Split them over several tasks, put them into a procedure, or "
            "set transaction=False"
        )
    return Call(sent, texts.members(), first)
