"""Keeps a scan within its share of a table's read capacity.

The legacy pipelines had ``readThroughputPercent`` for it: a ratio of the provisioned read capacity
units, with 40,000 units assumed for tables in on-demand mode (``DynamoDBUtil`` and
``DynamoDBConstants`` in https://github.com/awslabs/emr-dynamodb-connector).
"""

import threading
import time
from collections.abc import Callable

from updraft.dynamodb.cancellation import Cancellation

BYTES_PER_UNIT = 8192
"""Bytes that one unit reads with eventual consistency: two blocks of 4 kB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

UNITS_OF_FULL_PAGE = 128.0
"""Units of the largest page, 1 MB, that a scan returns."""

MAXIMUM_PAGE_ITEMS = 1000
"""Items on a page. A page of 1 MB can hold 20,000 small ones, which boto3 blows up to 100 MB."""

_SMALLEST_CHARGE = 0.5


class TokenBucket:
    """Read capacity units that flow in at a constant rate and that all segments draw from.

    What a page costs is known only once it is there. So a segment reserves an estimate, which may
    overdraw the bucket and then makes the segment wait until the debt is paid, and settles the
    difference afterwards. The average rate holds whatever the estimates were. The bucket holds
    one second of flow at most.

    :param units_per_second: flow in read capacity units per second, above 0.
    :param clock: seconds that never run backwards.
    """

    def __init__(
        self, units_per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.units_per_second = units_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._balance = units_per_second
        self._updated = clock()

    def reserve(self, units: float, cancellation: Cancellation) -> None:
        """Take units out, and wait until the flow has covered them.

        :param units: estimated cost of the next page in read capacity units.
        :param cancellation: ends the wait early.
        :raises CancelledError: when the work is cancelled meanwhile.
        """
        with self._lock:
            self._refill()
            self._balance -= units
            debt = -self._balance
        cancellation.check()
        if debt > 0:
            cancellation.sleep(debt / self.units_per_second)

    def settle(self, reserved: float, consumed: float) -> None:
        """Replace an estimate by the truth.

        :param reserved: units that were reserved for the page.
        :param consumed: units that the service charged for it.
        """
        with self._lock:
            self._refill()
            self._balance = min(self._balance + reserved - consumed, self.units_per_second)

    def _refill(self) -> None:
        now = self._clock()
        inflow = (now - self._updated) * self.units_per_second
        self._balance = min(self._balance + inflow, self.units_per_second)
        self._updated = now


class PageSizer:
    """Chooses how many items to ask for, so that no page exceeds a segment's second of budget.

    Without it a table with 5 units would be hit with pages of 128 units each, which throttles
    everybody else who reads it, however long the scan waits afterwards.

    :param units_per_second: budget of the whole scan.
    :param segments: number of segments read at the same time.
    :param average_item_bytes: mean size of an item, 0 when the table does not know it.
    """

    def __init__(self, units_per_second: float, segments: int, average_item_bytes: float) -> None:
        self._target_units = max(units_per_second / segments, _SMALLEST_CHARGE)
        # An unknown size is taken for a whole unit, so that the first page errs on the small side.
        self._units_per_item = average_item_bytes / BYTES_PER_UNIT or 1.0
        self._lock = threading.Lock()
        self._units = 0.0
        self._items = 0

    def next_page(self) -> tuple[int, float]:
        """Plan one page.

        :returns: the number of items to ask for, and the units that the page is expected to cost.
        """
        units_per_item = self._units_per_item
        limit = min(max(int(self._target_units / units_per_item), 1), MAXIMUM_PAGE_ITEMS)
        return limit, min(limit * units_per_item, UNITS_OF_FULL_PAGE)

    def observe(self, items: int, units: float) -> None:
        """Learn from a page.

        :param items: number of items on the page.
        :param units: what the page cost in read capacity units.
        """
        with self._lock:
            self._items += items
            self._units += units
            if self._items:
                self._units_per_item = max(self._units / self._items, 1 / BYTES_PER_UNIT)
