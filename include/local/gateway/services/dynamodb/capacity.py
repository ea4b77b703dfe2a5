"""Throughput of tables: token buckets that throttle as DynamoDB does.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from include.local.gateway.errors import AwsError

Direction = Literal["read", "write"]

EXCEEDED = AwsError(
    "ProvisionedThroughputExceededException",
    "The level of configured provisioned throughput for the table was exceeded. Consider "
    "increasing your provisioning level with the UpdateTable API.",
)


@dataclass
class Bucket:
    """Units of one direction of one table.

    A request is let through while any unit is left, and may leave a debt: what a scan costs is
    known only afterwards.

    :param rate: units per second that flow in.
    :param burst_seconds: how many seconds' worth it holds.
    :param clock: gives the time in seconds.
    """

    rate: float
    burst_seconds: float
    clock: Callable[[], float] = time.monotonic
    consumed: float = 0.0
    throttled: int = 0
    _tokens: float = field(init=False)
    _then: float = field(init=False)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = self.rate * self.burst_seconds
        self._then = self.clock()

    def _flow_in(self) -> None:
        now = self.clock()
        most = self.rate * self.burst_seconds
        self._tokens = min(most, self._tokens + (now - self._then) * self.rate)
        self._then = now

    def admit(self, units: float) -> bool:
        """Ask for a request.

        :param units: what it will cost at least; taken at once.
        :returns: whether it may pass. One that may not is counted and costs nothing.
        """
        with self._lock:
            self._flow_in()
            if self._tokens <= 0:
                self.throttled += 1
                return False
            self._tokens -= units
            self.consumed += units
            return True

    def charge(self, units: float) -> None:
        """Take what a request has cost beyond what was taken when it was let through.

        :param units: units, negative for less.
        """
        with self._lock:
            self._flow_in()
            self._tokens -= units
            self.consumed += units

    def set_rate(self, rate: float) -> None:
        """Change the rate.

        :param rate: units per second that flow in from now on.
        """
        with self._lock:
            self._flow_in()
            self.rate = rate

    def describe(self) -> dict[str, float]:
        """Tell its state.

        :returns: rate, units left, units consumed, requests or items throttled.
        """
        with self._lock:
            self._flow_in()
            return {
                "rate": self.rate,
                "left": round(self._tokens, 3),
                "consumed": round(self.consumed, 3),
                "throttled": self.throttled,
            }


@dataclass(frozen=True)
class TableCapacity:
    """Both buckets of a table.

    :param read: bucket of reads, None without limit.
    :param write: bucket of writes, None without limit.
    :param follows_table: whether the rates are those that the table is provisioned with.
    """

    read: Bucket | None
    write: Bucket | None
    follows_table: bool = False

    def bucket(self, direction: Direction) -> Bucket | None:
        """Choose a bucket.

        :param direction: which.
        :returns: the bucket, None when there is no limit.
        """
        return self.read if direction == "read" else self.write


class Capacities:
    """The tables that throttle. There are none until somebody says so."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str], TableCapacity] = {}

    def __bool__(self) -> bool:
        return bool(self._tables)

    def put(self, region: str, table: str, capacity: TableCapacity) -> None:
        """Set the capacity of a table.

        :param region: its Region.
        :param table: its name.
        :param capacity: the buckets.
        """
        self._tables[region, table] = capacity

    def provision(self, region: str, table: str, read: float, write: float) -> None:
        """Tell that the throughput of a table has changed.

        :param region: its Region.
        :param table: its name.
        :param read: read units per second.
        :param write: write units per second.
        """
        capacity = self._tables.get((region, table))
        if capacity is not None and capacity.follows_table:
            for bucket, rate in ((capacity.read, read), (capacity.write, write)):
                if bucket is not None:
                    bucket.set_rate(rate)

    def remove(self, region: str, table: str | None) -> None:
        """Lift the limits.

        :param region: Region of the tables.
        :param table: name of one table, None for all of the Region.
        """
        for place in list(self._tables):
            if place[0] == region and table in {None, place[1]}:
                self._tables.pop(place, None)

    def bucket(self, region: str, table: str, direction: Direction) -> Bucket | None:
        """Find a bucket.

        :param region: Region of the table.
        :param table: its name.
        :param direction: which of the two.
        :returns: the bucket, None when there is no limit.
        """
        capacity = self._tables.get((region, table))
        return capacity.bucket(direction) if capacity is not None else None

    def describe(self) -> list[dict[str, Any]]:
        """List the tables that throttle.

        :returns: per table its Region, name and buckets.
        """
        return [
            {
                "region": region,
                "table": table,
                "read": capacity.read.describe() if capacity.read else None,
                "write": capacity.write.describe() if capacity.write else None,
            }
            for (region, table), capacity in sorted(self._tables.items())
        ]
