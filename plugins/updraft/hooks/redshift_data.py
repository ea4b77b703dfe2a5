"""The Amazon Redshift Data API: calls that wait where waiting helps, and results with types."""

import logging
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.redshift_data import RUNNING_STATES

from updraft.dynamodb.service_errors import THROTTLED, ServiceError, explained
from updraft.errors import UpdraftError
from updraft.hooks.clients import connected_client
from updraft.redshift.statement import RedshiftStatement, bound

log = logging.getLogger(__name__)

LIMITS = frozenset(
    {
        "ActiveSessionsExceededException",
        "ActiveStatementsExceededException",
        "ActiveWaitingRequestsExceededException",
    }
)
"""Error codes that say that there is too much at the moment. Nothing was done."""

_INTERNAL = "InternalServerException"
_PATIENCE = 900.0
_INTERNAL_PATIENCE = 15.0
_LONGEST_PAUSE = 30.0
_LOOKUP_SECONDS = 300.0
_FIRST_LOOK, _LAST_LOOK = 0.1, 2.0
_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)?(:\d\d)?", re.ASCII)


@dataclass(frozen=True)
class RedshiftDatabase:
    """A database of a cluster or workgroup, and who connects to it.

    With neither a user nor a secret, the connection's own identity of IAM connects.

    :param database: name of the database.
    :param cluster_identifier: the cluster.
    :param workgroup_name: the workgroup of Redshift Serverless, or its ARN.
    :param db_user: the database user, for a cluster.
    :param secret_arn: ARN or name of a secret with ``username`` and ``password``.
    """

    database: str
    cluster_identifier: str | None = None
    workgroup_name: str | None = None
    db_user: str | None = None
    secret_arn: str | None = None

    def check(self) -> None:
        """Check what is given.

        :raises UpdraftError: when it does not lead to one database.
        """
        if not self.database:
            raise UpdraftError("database: there is none; the first one of a cluster is often dev")
        if bool(self.cluster_identifier) == bool(self.workgroup_name):
            raise UpdraftError("give either cluster_identifier or workgroup_name")
        if self.db_user and self.secret_arn:
            raise UpdraftError("give db_user or secret_arn, not both; the secret names its user")
        if self.db_user and self.workgroup_name:
            raise UpdraftError(
                f"db_user: {self.db_user!r} is for a cluster. A workgroup takes a secret, or the "
                "identity of IAM"
            )

    def members(self) -> dict[str, str]:
        """Give it as members of a call."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            "".join(part.title() for part in name.split("_")): value
            for name, value in given.items()
            if value
        }

    def __str__(self) -> str:
        where = (
            f"cluster {self.cluster_identifier!r}"
            if self.cluster_identifier
            else f"workgroup {self.workgroup_name!r}"
        )
        return f"database {self.database!r} of {where}"


@dataclass(frozen=True)
class RedshiftResult:
    """The rows of a query.

    :param columns: name and type of each column.
    :param rows: their values. Numbers of type NUMERIC are texts with all digits, dates and times
        texts in ISO 8601.
    :param row_count: number of all rows.
    """

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    row_count: int

    @property
    def is_truncated(self) -> bool:
        """Whether there are more rows than these."""
        return self.row_count > len(self.rows)


class RedshiftStatementsHook(AwsBaseHook):
    """Makes boto3's client for the Data API, and calls it.

    The provider's ``RedshiftDataHook`` takes no ClientToken, gives up at the first call that is
    throttled, and reads the first page of a result.
    """

    patience = _PATIENCE
    """Seconds for which a throttled call is repeated beyond botocore's own retries."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "redshift-data"
        super().__init__(*args, **kwargs)

    def request(self, operation: str, resource: str, **members: Any) -> dict[str, Any]:
        """Call an operation; it waits while AWS throttles it, and a little while AWS fails.

        Each operation can be repeated: one that submits carries a token.

        :param operation: its name, such as ``DescribeStatement``.
        :param resource: what it is about, for the error message.
        :param members: its input; members that are ``None`` are left out.
        :returns: its output.
        :raises ServiceError: when AWS refuses, or gives no answer.
        """
        from botocore import xform_name

        client = connected_client(self)
        given = {name: value for name, value in members.items() if value is not None}
        give_up_at = time.monotonic() + self.patience
        pause = 1.0
        while True:
            try:
                with explained(f"redshift-data:{operation}", resource):
                    answer: dict[str, Any] = getattr(client, xform_name(operation))(**given)
                    return answer
            except ServiceError as error:
                may_pass = error.code in THROTTLED or error.code == _INTERNAL
                if not may_pass or time.monotonic() + pause > give_up_at:
                    raise
                log.info("%s; the next attempt is in about %.0f s", error, pause)
                if error.code == _INTERNAL:
                    give_up_at = min(give_up_at, time.monotonic() + _INTERNAL_PATIENCE)
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311 - no secret
            pause = min(pause * 2, _LONGEST_PAUSE)

    def pages(
        self, operation: str, member: str, resource: str, **members: Any
    ) -> Iterator[dict[str, Any]]:
        """Call an operation that answers in pages.

        :param operation: its name, such as ``ListStatements``.
        :param member: name of the member of its output that holds the entries.
        :param resource: what it is about, for the error message.
        :param members: its input.
        :returns: the entries of all pages.
        :raises ServiceError: when AWS refuses, or gives no answer.
        """
        token: str | None = None
        while True:
            page = self.request(operation, resource, NextToken=token, **members)
            yield from page.get(member, ())
            token = page.get("NextToken")
            if not token:
                return

    def result(self, statement_id: str, most: int | None = None) -> RedshiftResult:
        """Read the result of a statement.

        :param statement_id: id of the statement, or of one of a batch.
        :param most: number of rows to read at most, by default all.
        :returns: the result.
        :raises ServiceError: when AWS refuses, or gives no answer.
        """
        resource, rows, token = f"statement {statement_id}", [], None
        while True:
            page = self.request("GetStatementResult", resource, Id=statement_id, NextToken=token)
            columns = [(one["name"], one["typeName"]) for one in page["ColumnMetadata"]]
            rows += [
                [_value(field, kind) for field, (_, kind) in zip(record, columns, strict=True)]
                for record in page["Records"]
            ]
            token = page.get("NextToken")
            if not token or (most is not None and len(rows) >= most):
                count = max(page.get("TotalNumRows") or 0, len(rows))
                return RedshiftResult(columns, rows[:most], count)

    def rows(
        self,
        place: RedshiftDatabase,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        timeout: float = _LOOKUP_SECONDS,
    ) -> list[dict[str, Any]]:
        """Run a short query and give its rows.

        :param place: where it runs.
        :param sql: the query.
        :param parameters: value by name.
        :param timeout: seconds after which it is cancelled.
        :returns: value by name of the column, for each row.
        :raises UpdraftError: when the query fails or takes too long, or AWS refuses.
        """
        call = bound([RedshiftStatement(sql, parameters or {})])
        give_up_at = time.monotonic() + timeout
        statement_id = self._submitted(place, call.texts[0], call.members(), give_up_at)
        resource, pause = f"statement {statement_id}", _FIRST_LOOK
        while True:
            said = self.request("DescribeStatement", resource, Id=statement_id)
            if said["Status"] not in RUNNING_STATES:
                break
            if time.monotonic() > give_up_at:
                self.request("CancelStatement", resource, Id=statement_id)
                raise UpdraftError(f"A query of {place} has not ended after {timeout:.0f} s: {sql}")
            time.sleep(pause)
            pause = min(pause * 2, _LAST_LOOK)
        if said["Status"] != "FINISHED":
            raise UpdraftError(f"A query of {place} failed: {said.get('Error')} It reads: {sql}")
        found = self.result(statement_id)
        names = [name for name, _ in found.columns]
        return [dict(zip(names, row, strict=True)) for row in found.rows]

    def _submitted(
        self, place: RedshiftDatabase, sql: str, parameters: list[dict[str, str]], until: float
    ) -> str:
        while True:
            try:
                answer = self.request(
                    "ExecuteStatement",
                    str(place),
                    Sql=sql,
                    Parameters=parameters or None,
                    **place.members(),
                )
                return str(answer["Id"])
            except ServiceError as error:
                if error.code not in LIMITS or time.monotonic() > until:
                    raise
                log.info("Redshift takes no more statements at the moment; waiting. %s", error)
            time.sleep(_LONGEST_PAUSE * (0.5 + random.random()))  # noqa: S311 - no secret


def _value(field: Mapping[str, Any], kind: str) -> Any:
    [(member, value)] = field.items()
    if member == "isNull":
        return None
    if member == "blobValue":
        return bytes(value).hex()
    if kind.startswith("timestamp"):
        match = _TIME.fullmatch(str(value))
        if match is not None:
            zone = f"{match[3]}{match[4] or ':00'}" if match[3] else ""
            return f"{match[1]}T{match[2]}{zone}"
    return value
