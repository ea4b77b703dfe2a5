"""The operations of Athena on queries; workgroups and named queries are moto's."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.errors import MANUAL, NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.athena.execution import Execution
from include.local.gateway.services.athena.query_executions import (
    SUCCEEDED,
    QueryExecution,
    QueryExecutions,
)
from include.local.gateway.services.athena.results import QueryResult
from include.local.gateway.services.athena.translation import (
    QueryError,
    UnsupportedStatementError,
    parse_query,
)

_INVALID = "InvalidRequestException"
_PAGE = 1000
_LIST_PAGE = 50


class AthenaHandler:
    """Executes queries.

    :param directory: where they and their results are kept.
    :param endpoint_url: address of the gateway.
    """

    service = "athena"

    def __init__(self, directory: Path, endpoint_url: str) -> None:
        self._directory = directory
        self._executions = QueryExecutions(directory)
        self._running: dict[str, Execution] = {}
        self._endpoint_url = endpoint_url

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "BatchGetQueryExecution": self._get_several,
            "GetQueryExecution": self._get,
            "GetQueryResults": self._results,
            "ListQueryExecutions": self._list,
            "StartQueryExecution": self._start,
            "StopQueryExecution": self._stop,
        }

    def close(self) -> None:
        """Cancel what runs."""
        for execution in self._running.values():
            execution.stop()

    def _start(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        sql = given["QueryString"]
        self._refuse_other_statements(sql)
        work_group = given.get("WorkGroup", "primary")
        execution_id = str(uuid.uuid4())
        context = given.get("QueryExecutionContext", {})
        new = QueryExecution(
            id=execution_id,
            region=request.region,
            query=sql,
            database=context.get("Database", "default"),
            work_group=work_group,
            output=f"{self._output(request, work_group)}/{execution_id}.csv",
            token=given.get("ClientRequestToken", execution_id),
            parameters=list(given.get("ExecutionParameters", ())),
        )
        kept = self._executions.add(new)
        if kept is not new:
            if (kept.query, kept.database, kept.work_group, kept.parameters) != (
                new.query,
                new.database,
                new.work_group,
                new.parameters,
            ):
                raise AwsError(_INVALID, "Idempotent parameters do not match")
            return {"QueryExecutionId": kept.id}
        execution = self._running[new.id] = Execution(
            self._executions,
            new,
            result=self._result(new),
            endpoint_url=self._endpoint_url,
        )
        execution.start()
        return {"QueryExecutionId": new.id}

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        return {"QueryExecution": self._find(request).members()}

    def _get_several(self, request: OperationRequest) -> Mapping[str, Any]:
        found, missing = [], []
        for execution_id in request.parameters["QueryExecutionIds"]:
            execution = self._executions.find(request.region, execution_id)
            if execution is None:
                missing.append({"QueryExecutionId": execution_id, "ErrorCode": _INVALID})
            else:
                found.append(execution.members())
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        work_group = given.get("WorkGroup", "primary")
        ids = [one.id for one in self._executions.of_work_group(request.region, work_group)]
        start, size = _token(given), given.get("MaxResults", _LIST_PAGE)
        page: dict[str, Any] = {"QueryExecutionIds": ids[start : start + size]}
        if start + size < len(ids):
            page["NextToken"] = str(start + size)
        return page

    def _results(self, request: OperationRequest) -> Mapping[str, Any]:
        execution = self._find(request)
        if execution.state != SUCCEEDED:
            raise AwsError(
                _INVALID,
                f"Query has not yet finished. Current state: {execution.state}"
                if execution.ended is None
                else f"Query did not finish successfully. Final query state: {execution.state}",
            )
        result = QueryResult.load(self._result(execution))
        start, size = _token(request.parameters), request.parameters.get("MaxResults", _PAGE)
        page: dict[str, Any] = {
            "ResultSet": {
                "Rows": result.page(start, size),
                "ResultSetMetadata": {"ColumnInfo": result.columns()},
            },
            "UpdateCount": 0,
        }
        if start + size < len(result.rows) + 1:
            page["NextToken"] = str(start + size)
        return page

    def _stop(self, request: OperationRequest) -> Mapping[str, Any]:
        execution = self._find(request)
        if execution.id in self._running:
            self._running[execution.id].stop()
        return {}

    def _find(self, request: OperationRequest) -> QueryExecution:
        execution_id = request.parameters["QueryExecutionId"]
        found = self._executions.find(request.region, execution_id)
        if found is None:
            raise AwsError(_INVALID, f"QueryExecution {execution_id} was not found")
        return found

    def _refuse_other_statements(self, sql: str) -> None:
        try:
            parse_query(sql)
        except UnsupportedStatementError as error:
            raise AwsError(
                NOT_IMPLEMENTED, f"StartQueryExecution: {error}. {MANUAL} says how to add it.", 501
            ) from error
        except QueryError:
            return  # the execution fails with it, as with Athena

    def _output(self, request: OperationRequest, work_group: str) -> str:
        athena: Any = client(self._endpoint_url, request.region, self.service)
        try:
            settings = athena.get_work_group(WorkGroup=work_group)["WorkGroup"]["Configuration"]
        except ClientError as error:
            raise AwsError(_INVALID, f"WorkGroup {work_group} is not found.") from error
        of_group = settings.get("ResultConfiguration", {}).get("OutputLocation")
        given = request.parameters.get("ResultConfiguration", {}).get("OutputLocation")
        enforced = settings.get("EnforceWorkGroupConfiguration") and of_group
        output = of_group if enforced else given or of_group
        if not output:
            raise AwsError(
                _INVALID,
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input.",
            )
        return str(output).rstrip("/")

    def _result(self, execution: QueryExecution) -> Path:
        return self._directory / f"{execution.id}.result"


def _token(given: Mapping[str, Any]) -> int:
    token = given.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError(_INVALID, f"NextToken {token!r} is not valid")
    return int(token)
