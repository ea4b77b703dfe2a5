"""The operations of the Amazon Redshift Data API.

.. seealso:: https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.redshift_data.catalog import CatalogOperations
from include.local.gateway.services.redshift_data.endpoints import Endpoint, Endpoints
from include.local.gateway.services.redshift_data.parameters import read_parameters
from include.local.gateway.services.redshift_data.results import read_page
from include.local.gateway.services.redshift_data.running import Runner, Session
from include.local.gateway.services.redshift_data.statements import (
    DataStatement,
    DataStatements,
    SubStatement,
)

_MOST_BYTES = 100 * 1024
_MOST_ACTIVE = 500
_PAGE = 100


class RedshiftDataHandler:
    """Statements that really run.

    :param endpoints: finds the warehouses.
    :param runner: runs the statements.
    :param statements: where they are kept.
    """

    service = "redshift-data"

    def __init__(self, endpoints: Endpoints, runner: Runner, statements: DataStatements) -> None:
        self._endpoints = endpoints
        self._runner = runner
        self._statements = statements
        self._catalog = CatalogOperations(endpoints)

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            **self._catalog.operations(),
            "BatchExecuteStatement": self._batch_execute,
            "CancelStatement": self._cancel,
            "DescribeStatement": self._describe,
            "ExecuteStatement": self._execute,
            "GetStatementResult": self._get_result,
            "GetStatementResultV2": self._get_result_v2,
            "ListStatements": self._list,
        }

    def close(self) -> None:
        """End what runs."""
        self._runner.close()

    def _execute(self, request: OperationRequest) -> Mapping[str, Any]:
        return self._submit(request, [request.parameters["Sql"]], batch=False)

    def _batch_execute(self, request: OperationRequest) -> Mapping[str, Any]:
        return self._submit(request, list(request.parameters["Sqls"]), batch=True)

    def _submit(
        self, request: OperationRequest, texts: Sequence[str], *, batch: bool
    ) -> Mapping[str, Any]:
        given = request.parameters
        self._endpoints.fail_if_asked(request)
        for text in texts:
            if len(text.encode()) > _MOST_BYTES:
                raise _invalid("The SQL statement is larger than the limit of 100 KB")
            if not text.strip():
                raise _invalid("The SQL statement is empty")
        values = read_parameters(given.get("Parameters", ()), texts)
        known = self._known(request, texts)
        if known is not None:
            return _submitted(known)
        endpoint, session = self._place(request)
        statement_id = str(uuid.uuid4())
        parts = [
            SubStatement(f"{statement_id}:{number}" if batch else statement_id, text)
            for number, text in enumerate(texts, start=1)
        ]
        new = DataStatement(
            id=statement_id,
            region=request.region,
            caller=request.principal,
            parts=parts,
            batch=batch,
            place=_shown_place(endpoint),
            parameters=[dict(one) for one in given.get("Parameters", ())],
            name=given.get("StatementName"),
            token=given.get("ClientToken"),
            session=session.id if session is not None else None,
            form=given.get("ResultFormat", "JSON"),
        )
        found = self._statements.add(new, _MOST_ACTIVE)
        if found is not new and session is not None:
            session.busy = False
        if found is None:
            message = f"There are {_MOST_ACTIVE} active statements, which is the limit"
            raise AwsError("ActiveStatementsExceededException", message)
        if found is new:
            self._runner.start(new, endpoint, values, session)
        return _submitted(found)

    def _known(self, request: OperationRequest, texts: Sequence[str]) -> DataStatement | None:
        """Find what was submitted with the same token."""
        token = request.parameters.get("ClientToken")
        if token is None:
            return None
        for one in self._statements.of_region(request.region):
            if one.token == token:
                if [part.sql for part in one.parts] != list(texts):
                    message = f"ClientToken {token} was used with other parameters"
                    raise _invalid(message)
                return one
        return None

    def _place(self, request: OperationRequest) -> tuple[Endpoint, Session | None]:
        given = request.parameters
        session_id = given.get("SessionId")
        if session_id is None:
            endpoint = self._endpoints.find(request)
            keep = given.get("SessionKeepAliveSeconds", 0)
            if not keep:
                return endpoint, None
            opened = self._runner.open_session(endpoint, keep)
            opened.busy = True
            return endpoint, opened
        for name in ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn"):
            if name in given:
                raise _invalid(f"{name} can't be given together with SessionId")
        session = self._runner.session(session_id)
        if session is None:
            raise _missing(f"Session {session_id} does not exist or has ended")
        if session.busy:
            raise _invalid(f"Session {session_id} is busy with another statement")
        session.busy = True
        session.keep = given.get("SessionKeepAliveSeconds", session.keep)
        return session.endpoint, session

    def _describe(self, request: OperationRequest) -> Mapping[str, Any]:
        self._endpoints.fail_if_asked(request)
        statement = self._require(request)
        part = self._part(statement, request.parameters["Id"])
        if part is None:
            return statement.members()
        single = DataStatement(
            **{
                **vars(statement),
                "id": part.id,
                "parts": [part],
                "batch": False,
                "status": part.status,
                "error": part.error,
                "started": part.started,
                "updated": part.ended or statement.updated,
            }
        )
        return single.members()

    def _get_result(self, request: OperationRequest) -> Mapping[str, Any]:
        return self._result(request, "JSON")

    def _get_result_v2(self, request: OperationRequest) -> Mapping[str, Any]:
        return self._result(request, "CSV")

    def _result(self, request: OperationRequest, form: str) -> Mapping[str, Any]:
        self._endpoints.fail_if_asked(request)
        statement = self._require(request)
        part = self._part(statement, request.parameters["Id"])
        if part is None:
            if statement.batch:
                raise _invalid(
                    "The statement is a batch; ask for the result of one of its SubStatements"
                )
            part = statement.parts[0]
        if statement.status != "FINISHED" or not part.has_result:
            raise _missing(
                "Query does not have result. Please check query status with DescribeStatement."
            )
        path = self._statements.result_file(part)
        return read_page(path, request.parameters.get("NextToken"), form)

    def _cancel(self, request: OperationRequest) -> Mapping[str, Any]:
        self._endpoints.fail_if_asked(request)
        statement = self._require(request)
        if not self._runner.cancel(statement):
            message = (
                f"Could not cancel a query that is already in {statement.status} state with ID: "
                f"{statement.id}"
            )
            raise _invalid(message)
        return {"Status": True}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        self._endpoints.fail_if_asked(request)
        status = given.get("Status", "ALL")
        name = given.get("StatementName", "")
        everybody = given.get("RoleLevel", True)
        found = [
            one
            for one in self._statements.of_region(request.region)
            if status in {"ALL", one.status}
            and (not name or (one.name or "").startswith(name))
            and (everybody or one.caller == request.principal)
            and all(
                one.place.get(key) == given[key]
                for key in ("ClusterIdentifier", "Database", "WorkgroupName")
                if key in given
            )
        ]
        token = given.get("NextToken")
        first = 0
        if token:
            ids = [one.id for one in found]
            if token not in ids:
                raise _invalid(f"NextToken {token!r} is not valid")
            first = ids.index(token)
        most = given.get("MaxResults") or _PAGE
        more = {"NextToken": found[first + most].id} if len(found) > first + most else {}
        return {"Statements": [one.summary() for one in found[first : first + most]], **more}

    def _require(self, request: OperationRequest) -> DataStatement:
        statement = self._statements.find(request.region, request.parameters["Id"])
        if statement is None:
            raise _missing("Query does not exist.")
        return statement

    @staticmethod
    def _part(statement: DataStatement, wanted: str) -> SubStatement | None:
        if ":" not in wanted:
            return None
        for part in statement.parts:
            if part.id == wanted:
                return part
        raise _missing("Query does not exist.")


def _shown_place(endpoint: Endpoint) -> dict[str, str]:
    place = dict(endpoint.place)
    if "ClusterIdentifier" in place and "SecretArn" not in place:
        place["DbUser"] = endpoint.user
    return place


def _submitted(statement: DataStatement) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "Id": statement.id,
        "CreatedAt": datetime.fromtimestamp(statement.created, UTC),
        **statement.place,
    }
    if statement.session is not None:
        shown["SessionId"] = statement.session
    return shown


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _missing(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)


def build(directory: Path, endpoints: Endpoints, waiting: Any) -> RedshiftDataHandler:
    """Make the handler.

    :param directory: where statements and results are kept.
    :param endpoints: finds the warehouses.
    :param waiting: gives the seconds before a statement runs.
    :returns: the handler.
    """
    statements = DataStatements(directory)
    return RedshiftDataHandler(endpoints, Runner(statements, waiting), statements)
