"""Settings over HTTP for whoever tests against the local stack: ``/_local/dynamodb/…``."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from include.local.gateway.dynamodb_backend import DynamoDBBackend
from include.local.gateway.errors import AwsError
from include.local.gateway.http import Environ, HttpResponse, read_body
from include.local.gateway.services.dynamodb.capacity import Bucket, Capacities, TableCapacity
from include.local.gateway.services.dynamodb.front import DynamoDBFront
from include.local.gateway.services.dynamodb.settings import (
    TaskSettings,
    invalid,
    require_number,
)

PATH = "/_local/dynamodb/"

_REGION = "us-east-1"
_CAPACITY = ("table", "region", "read", "write", "burst_seconds")


class Control:
    """Answers the control calls: GET tells, PUT sets, DELETE takes back.

    :param backend: ministack, for the throughput that tables are provisioned with.
    :param front: has the delay.
    :param capacities: the tables that throttle.
    """

    def __init__(
        self, backend: DynamoDBBackend, front: DynamoDBFront, capacities: Capacities
    ) -> None:
        self._backend = backend
        self._front = front
        self._capacities = capacities
        self.tasks = TaskSettings()

    def respond(self, environ: Environ) -> HttpResponse:
        """Answer a control call.

        :param environ: the request.
        :returns: the present state of what it is about, or an error with a message.
        """
        try:
            return _answer(HTTPStatus.OK, self._carry_out(environ))
        except AwsError as error:
            return _answer(error.status, {"error": error.message})

    def _carry_out(self, environ: Environ) -> Any:
        resources: dict[str, dict[str, Callable[[Mapping[str, Any]], Any]]] = {
            "capacity": {
                "GET": self._get_capacity,
                "PUT": self._put_capacity,
                "DELETE": self._delete_capacity,
            },
            "delay": {"GET": self._delay, "PUT": self._put_delay, "DELETE": self._delete_delay},
            "tasks": {"GET": self._get_tasks, "PUT": self._put_tasks, "DELETE": self._reset_tasks},
        }
        name = environ["PATH_INFO"].removeprefix(PATH)
        methods = resources.get(name)
        if methods is None:
            message = f"There is no {PATH}{name}; choose from {', '.join(resources)}"
            raise AwsError("NotFound", message, HTTPStatus.NOT_FOUND)
        method = methods.get(environ["REQUEST_METHOD"])
        if method is None:
            message = f"{PATH}{name} takes {', '.join(methods)}"
            raise AwsError("MethodNotAllowed", message, HTTPStatus.METHOD_NOT_ALLOWED)
        given: dict[str, Any] = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        body = read_body(environ)
        if body:
            try:
                given.update(json.loads(body))
            except (ValueError, TypeError) as error:
                raise invalid(f"The body is no JSON object: {error}") from error
        return method(given)

    def _get_capacity(self, given: Mapping[str, Any]) -> Any:
        del given
        return {"tables": self._capacities.describe()}

    def _put_capacity(self, given: Mapping[str, Any]) -> Any:
        _require_names(given, _CAPACITY)
        region, table = given.get("region", _REGION), given.get("table")
        if not isinstance(table, str):
            raise invalid('Name the table: {"table": "orders", "read": 100, "write": 50}')
        burst = require_number("burst_seconds", given.get("burst_seconds", 1))
        rates = {name: given[name] for name in ("read", "write") if name in given}
        follows = not rates
        if follows:
            rates = self._provisioned(region, table)
        buckets = {
            name: Bucket(require_number(name, rate), burst)
            for name, rate in rates.items()
            if rate is not None
        }
        capacity = TableCapacity(buckets.get("read"), buckets.get("write"), follows)
        self._capacities.put(region, table, capacity)
        return self._get_capacity({})

    def _provisioned(self, region: str, table: str) -> dict[str, Any]:
        description = self._backend.call("DescribeTable", {"TableName": table}, region)["Table"]
        throughput = description["ProvisionedThroughput"]
        rates = {
            "read": throughput["ReadCapacityUnits"],
            "write": throughput["WriteCapacityUnits"],
        }
        if not all(rates.values()):
            raise invalid(f"Table {table} is not provisioned; give read and write units per second")
        return rates

    def _delete_capacity(self, given: Mapping[str, Any]) -> Any:
        _require_names(given, ("table", "region"))
        self._capacities.remove(given.get("region", _REGION), given.get("table"))
        return self._get_capacity({})

    def _delay(self, given: Mapping[str, Any]) -> Any:
        del given
        return {"seconds": self._front.delay_seconds}

    def _put_delay(self, given: Mapping[str, Any]) -> Any:
        _require_names(given, ("seconds",))
        self._front.delay_seconds = require_number("seconds", given.get("seconds"))
        return self._delay({})

    def _delete_delay(self, given: Mapping[str, Any]) -> Any:
        del given
        return self._put_delay({"seconds": 0})

    def _get_tasks(self, given: Mapping[str, Any]) -> Any:
        del given
        return self.tasks.as_dict()

    def _put_tasks(self, given: Mapping[str, Any]) -> Any:
        self.tasks = self.tasks.changed(given)
        return self._get_tasks({})

    def _reset_tasks(self, given: Mapping[str, Any]) -> Any:
        del given
        self.tasks = TaskSettings()
        return self._get_tasks({})


def _require_names(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in given:
        if name not in names:
            raise invalid(f"{name!r} is not known here; choose from {', '.join(names)}")


def _answer(status: int, body: Any) -> HttpResponse:
    return HttpResponse(
        int(status), json.dumps(body).encode(), [("Content-Type", "application/json")]
    )
