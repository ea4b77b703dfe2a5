"""Settings over HTTP for whoever tests against the local stack: ``/_local/dynamodb/…``."""

from collections.abc import Mapping
from typing import Any

from include.local.gateway.control import ControlInterface, Method
from include.local.gateway.dynamodb_backend import DynamoDBBackend
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


class Control(ControlInterface):
    """Capacities of tables, the delay, and how long exports and imports take.

    :param backend: ministack, for the throughput that tables are provisioned with.
    :param front: has the delay.
    :param capacities: the tables that throttle.
    """

    def __init__(
        self, backend: DynamoDBBackend, front: DynamoDBFront, capacities: Capacities
    ) -> None:
        resources: dict[str, dict[str, Method]] = {
            "capacity": {
                "GET": self._get_capacity,
                "PUT": self._put_capacity,
                "DELETE": self._delete_capacity,
            },
            "delay": {"GET": self._delay, "PUT": self._put_delay, "DELETE": self._delete_delay},
            "tasks": {"GET": self._get_tasks, "PUT": self._put_tasks, "DELETE": self._reset_tasks},
        }
        super().__init__(PATH, resources)
        self._backend = backend
        self._front = front
        self._capacities = capacities
        self.tasks = TaskSettings()

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
