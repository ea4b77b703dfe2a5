"""The statements of the Amazon Redshift Data API that belong to one task instance."""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from airflow.providers.amazon.aws.hooks.redshift_data import FINISHED_STATE, RUNNING_STATES

from updraft.errors import UpdraftError
from updraft.hooks.redshift_data import RedshiftDatabase, RedshiftStatementsHook
from updraft.operators.redshift_plan import Call
from updraft.resource_owner import ResourceOwner
from updraft.sql_lineage.scanning import without_secrets

log = logging.getLogger(__name__)

_SHORT = 16
_DIGEST = 12
_LONGEST_SQL = 300
_UNLOADED = re.compile(r"^UNLOAD \('.*'\) TO ", re.IGNORECASE)
_FAILED_PART = frozenset({"FAILED", "ABORTED"})


class Submitted(NamedTuple):
    """A statement, or a batch, that a task has submitted.

    :param id: id in the Data API.
    :param status: where it was when it was listed.
    :param series: digest of the series of attempts.
    :param digest: digest of the work.
    :param step: number of its call, from 1; 0 for what sets a session up.
    :param number: how often the call had been made with it.
    :param session: id of its session, if it has one.
    """

    id: str
    status: str
    series: str
    digest: str
    step: int
    number: int
    session: str | None

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.status in RUNNING_STATES

    @property
    def is_finished(self) -> bool:
        """Whether it has succeeded."""
        return self.status == FINISHED_STATE


@dataclass(frozen=True)
class StatementOutcome:
    """How one of the user's statements went.

    :param id: id by which its result can be asked for.
    :param sql: its text.
    :param rows: rows that it returned or changed, -1 where Redshift does not say.
    :param has_result: whether it has a result.
    :param query_id: id of the query in Redshift's system tables, 0 for none.
    :param seconds: how long it took.
    """

    id: str
    sql: str
    rows: int
    has_result: bool
    query_id: int
    seconds: float


@dataclass(frozen=True)
class FinishedStatements:
    """Statements that have all succeeded.

    :param id: id of the statement or batch in the Data API; of the last one if there are several.
    :param outcomes: how they went, in order.
    """

    id: str
    outcomes: Sequence[StatementOutcome]


class StatementFailedError(UpdraftError):
    """A statement failed or was cancelled.

    :param said: what DescribeStatement says.
    :param hidden: how many statements stand before the user's.
    :param first: number of the user's first statement.
    """

    def __init__(self, said: Mapping[str, Any], *, hidden: int, first: int) -> None:
        parts = said.get("SubStatements") or [said]
        index, part = next(
            (
                (index, part)
                for index, part in enumerate(parts)
                if part["Status"] in _FAILED_PART and part.get("Error")
            ),
            (0, said),
        )
        self.status = str(said["Status"])
        self.statement_id = str(said["Id"])
        self.number = index - hidden + first
        self.sql = str(part.get("QueryString") or "")
        self.query_id = int(part.get("RedshiftQueryId") or 0)
        self.reason = str(part.get("Error") or said.get("Error") or "Redshift gives no reason")
        what = f"Statement {self.number}" if index >= hidden else "SET query_group"
        ended = "was cancelled" if self.status == "ABORTED" else "failed"
        where = [f"statement {self.statement_id} of the Data API"]
        if self.query_id > 0:
            where.append(f"query {self.query_id} of Redshift")
        super().__init__(
            f"{what} {ended}: {self.reason.rstrip('. ')}. It reads: {shown_sql(self.sql)} "
            f"({', '.join(where)})"
        )


class RedshiftStatementCalls:
    """Submits statements under a name and a token of their owner, and finds them again.

    The Data API answers a repeated call with the statement that there is as long as it knows the
    token. A retry looks by name first: it finds statements whose token it can't know, and those
    that a call must not be repeated for. AWS forgets both 24 hours after a statement has ended.

    :param hook: calls the Data API.
    :param place: where the statements run.
    :param owner: the task instance.
    :param series: digest of the series of attempts.
    :param work: what tells this work from another one of the task, to be written as JSON.
    """

    def __init__(
        self,
        hook: RedshiftStatementsHook,
        place: RedshiftDatabase,
        owner: ResourceOwner,
        series: str,
        work: object,
    ) -> None:
        self._hook = hook
        self.place = place
        self._owner = owner
        self._series = series
        text = json.dumps([place.members(), work], sort_keys=True, default=str)
        self._digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
        self._prefix = f"updraft-{owner.token().replace('-', '')[:_SHORT]}-"

    def is_own(self, one: Submitted) -> bool:
        """Say whether something is of this work and of this series of attempts."""
        return (one.series, one.digest) == (self._series, self._digest)

    def submitted(self) -> list[Submitted]:
        """List what the task instance has submitted, in all series of its attempts.

        :returns: in no certain order.
        :raises ServiceError: when AWS refuses.
        """
        return list(self._listed())

    def _listed(self) -> Iterator[Submitted]:
        pattern = re.compile(
            re.escape(self._prefix)
            + r"(?P<series>[0-9a-f]+)-(?P<digest>[0-9a-f]+)-(?P<step>\d+)-(?P<number>\d+)"
        )
        for one in self._hook.pages(
            "ListStatements",
            "Statements",
            str(self.place),
            StatementName=self._prefix,
            Status="ALL",
        ):
            match = pattern.fullmatch(one.get("StatementName") or "")
            if match is not None:
                yield Submitted(
                    one["Id"],
                    one["Status"],
                    match["series"],
                    match["digest"],
                    int(match["step"]),
                    int(match["number"]),
                    one.get("SessionId"),
                )

    def submit(
        self, call: Call, step: int, number: int, *, session: str | None = None, keep: int = 0
    ) -> Submitted:
        """Submit statements, or find them submitted already.

        :param call: the statements.
        :param step: number of the call.
        :param number: how often it is made with this one.
        :param session: id of the session to run in.
        :param keep: seconds that a new session is kept after its last statement; 0 for none.
        :returns: what was submitted.
        :raises ServiceError: when AWS refuses.
        """
        members: dict[str, Any] = {"SessionId": session} if session else self.place.members()
        if keep:
            members["SessionKeepAliveSeconds"] = keep
        if call.parameters:
            members["Parameters"] = [dict(one) for one in call.parameters]
        single = len(call.texts) == 1
        answer = self._hook.request(
            "ExecuteStatement" if single else "BatchExecuteStatement",
            str(self.place),
            **({"Sql": call.texts[0]} if single else {"Sqls": list(call.texts)}),
            StatementName=f"{self._prefix}{self._series}-{self._digest}-{step}-{number}",
            ClientToken=self._owner.token(
                "redshift statement", self._series, self._digest, step, number
            ),
            **members,
        )
        return Submitted(
            answer["Id"],
            "SUBMITTED",
            self._series,
            self._digest,
            step,
            number,
            answer.get("SessionId"),
        )

    def describe(self, statement_id: str) -> dict[str, Any]:
        """Ask how a statement is doing.

        :param statement_id: its id.
        :returns: what DescribeStatement says.
        :raises ServiceError: when AWS refuses.
        """
        return self._hook.request("DescribeStatement", f"statement {statement_id}", Id=statement_id)

    def cancel(self, statement_id: str) -> None:
        """Cancel a statement.

        :param statement_id: its id.
        :raises ServiceError: when AWS refuses, as it does once the statement has ended.
        """
        self._hook.request("CancelStatement", f"statement {statement_id}", Id=statement_id)


def outcomes(said: Mapping[str, Any], hidden: int) -> list[StatementOutcome]:
    """Read how the statements of a call went.

    :param said: what DescribeStatement says.
    :param hidden: how many of them are not the user's.
    :returns: the outcomes of the user's.
    """
    return [
        StatementOutcome(
            id=part["Id"],
            sql=part.get("QueryString") or "",
            rows=int(part.get("ResultRows", -1)),
            has_result=bool(part.get("HasResultSet")),
            query_id=int(part.get("RedshiftQueryId") or 0),
            seconds=max(0, int(part.get("Duration") or 0)) / 1e9,
        )
        for part in (said.get("SubStatements") or [said])[hidden:]
    ]


def shown_sql(sql: str) -> str:
    """Shorten a statement for a message.

    :param sql: the statement.
    :returns: its beginning in one line, without the secrets that COPY and the like have, and
        without the query of UNLOAD, into which the values of parameters are written.
    """
    text = _UNLOADED.sub("UNLOAD ('…') TO ", " ".join(without_secrets(sql).split()))
    return text if len(text) <= _LONGEST_SQL else f"{text[:_LONGEST_SQL]}…"
