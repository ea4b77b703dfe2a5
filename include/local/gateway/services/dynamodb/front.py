"""What a DynamoDB request passes on its way to ministack.

In this order: a delay, tables that are still being imported, capacity, and the record of what is
written to tables with point-in-time recovery. All of it is off until somebody asks for it, and a
request that concerns none of it is forwarded as it came.
"""

import io
import json
import time
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from include.local.gateway.calls import Call
from include.local.gateway.dynamodb_backend import DynamoDBBackend
from include.local.gateway.errors import AwsError
from include.local.gateway.http import Environ, HttpResponse, read_body
from include.local.gateway.services.dynamodb import item_keys, throttle
from include.local.gateway.services.dynamodb.capacity import Capacities
from include.local.gateway.services.dynamodb.point_in_time import Recorder

_CHANGES_OF_TABLE = frozenset({"DeleteTable", "UpdateTable"})
_METERED = item_keys.ITEM_WRITES | throttle.OPERATIONS


class DynamoDBFront:
    """Answers whatever ministack answers, with what it lacks.

    :param backend: ministack.
    :param recorder: records writes.
    :param capacities: the tables that throttle.
    :param creating: gives Region and name of the tables that are being imported.
    """

    def __init__(
        self,
        backend: DynamoDBBackend,
        recorder: Recorder,
        capacities: Capacities,
        creating: Callable[[], frozenset[tuple[str, str]]],
    ) -> None:
        self._backend = backend
        self._recorder = recorder
        self._capacities = capacities
        self._creating = creating
        self.delay_seconds = 0.0

    def respond(self, call: Call, environ: Environ) -> HttpResponse:
        """Answer a request.

        :param call: what it asks for.
        :param environ: the request, its body readable.
        :returns: the answer.
        :raises AwsError: as DynamoDB does; when ministack does not answer.
        """
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        operation, region = str(call.operation), call.scope.region
        creating = {name for at, name in self._creating() if at == region}
        if creating:
            described = self._while_creating(operation, creating, environ)
            if described is not None:
                return described
        if operation in _METERED and self._is_metered(environ):
            return self._metered(operation, region, environ)
        response = self._record(operation, region, environ)
        if operation in _CHANGES_OF_TABLE and response.status == HTTPStatus.OK:
            self._follow(operation, region, json.loads(response.body)["TableDescription"])
        return response

    def _follow(self, operation: str, region: str, table: Mapping[str, Any]) -> None:
        """Take notice of a table that has changed or gone."""
        name = table["TableName"]
        if operation == "DeleteTable":
            self._recorder.disable(region, name)
            self._capacities.remove(region, name)
            return
        throughput = table["ProvisionedThroughput"]
        read, write = throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]
        self._capacities.provision(region, name, read, write)

    def _record(self, operation: str, region: str, environ: Environ) -> HttpResponse:
        if operation not in item_keys.WRITES:
            return self._backend.respond(environ)
        body = _peek(environ)
        return self._recorder.write(operation, region, body, lambda: self._backend.respond(environ))

    def _is_metered(self, environ: Environ) -> bool:
        return bool(self._capacities) or b"ReturnConsumedCapacity" in _peek(environ)

    def _metered(self, operation: str, region: str, environ: Environ) -> HttpResponse:
        request = _parsed(environ)
        if request is None or not _is_sound(operation, request):
            return self._record(operation, region, environ)
        headers: list[tuple[str, str]] = []

        def forward(changed: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
            _replace_body(environ, changed)
            response = self._record(operation, region, environ)
            headers[:] = response.headers
            return response.status, json.loads(response.body)

        def other(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
            return self._backend.call(name, parameters, region)

        meter = throttle.Throttle(self._capacities, region, operation, other)
        status, answer = meter.respond(request, forward)
        return _rendered(status, answer, headers)

    def _while_creating(
        self, operation: str, creating: set[str], environ: Environ
    ) -> HttpResponse | None:
        """Keep a request away from a table that is not ready."""
        request = _parsed(environ)
        name = creating.intersection(_tables(operation, request or {}))
        if not name:
            return None
        if operation == "DescribeTable":
            response = self._backend.respond(environ)
            answer = json.loads(response.body)
            if response.status == HTTPStatus.OK:
                answer["Table"] |= {"TableStatus": "CREATING", "ItemCount": 0, "TableSizeBytes": 0}
            return _rendered(response.status, answer, response.headers)
        if operation in _CHANGES_OF_TABLE:
            message = (
                "Attempt to change a resource which is still in use: Table is being created: "
                f"{', '.join(name)}"
            )
            raise AwsError("ResourceInUseException", message)
        if operation == "CreateTable":
            message = f"Table already exists: {', '.join(name)}"
            raise AwsError("ResourceInUseException", message)
        raise AwsError("ResourceNotFoundException", "Requested resource not found")


def _peek(environ: Environ) -> bytes:
    body = read_body(environ)
    environ["wsgi.input"].seek(0)
    return body


def _parsed(environ: Environ) -> dict[str, Any] | None:
    try:
        request = json.loads(_peek(environ))
    except ValueError:
        return None
    return request if isinstance(request, dict) else None


def _replace_body(environ: Environ, request: Mapping[str, Any]) -> None:
    body = json.dumps(request).encode()
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def _is_sound(operation: str, request: Mapping[str, Any]) -> bool:
    """Tell whether a request has the shape that metering needs; ministack refuses others."""
    if operation == "BatchWriteItem":
        tables = request.get("RequestItems")
        return isinstance(tables, dict) and all(
            isinstance(requests, list) and all(_is_write(each) for each in requests)
            for requests in tables.values()
        )
    if operation == "BatchGetItem":
        tables = request.get("RequestItems")
        return isinstance(tables, dict) and all(
            isinstance(asked, dict) and isinstance(asked.get("Keys"), list)
            for asked in tables.values()
        )
    return operation == "TransactWriteItems" or isinstance(request.get("TableName"), str)


def _is_write(request: Any) -> bool:
    if not isinstance(request, dict):
        return False
    put = request.get("PutRequest", {})
    item = put.get("Item", {}) if isinstance(put, dict) else None
    return isinstance(item, dict) and all(
        isinstance(value, dict) and len(value) == 1 for value in item.values()
    )


def _tables(operation: str, request: Mapping[str, Any]) -> set[str]:
    """Name the tables of a request."""
    names = {item_keys.table_name(str(request.get("TableName")))}
    asked = request.get("RequestItems")
    if isinstance(asked, dict):
        names |= {item_keys.table_name(name) for name in asked}
    for entry in request.get("TransactItems") or ():
        for action in entry.values() if isinstance(entry, dict) else ():
            names.add(item_keys.table_name(str(action.get("TableName"))))
    if operation in item_keys.STATEMENTS:
        names |= set(json.dumps(request).replace("\\", "").split('"'))
    return names


def _rendered(status: int, answer: Any, headers: list[tuple[str, str]]) -> HttpResponse:
    body = json.dumps(answer).encode()
    kept = [(name, value) for name, value in headers if name.lower() != "x-amz-crc32"]
    # SDKs check it.
    return HttpResponse(status, body, [*kept, ("x-amz-crc32", str(zlib.crc32(body)))])
