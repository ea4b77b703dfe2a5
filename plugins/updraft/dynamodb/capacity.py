"""Keeps the calls of a task within its share of a table's capacity.

The legacy pipelines had ``readThroughputPercent`` and ``writeThroughputPercent`` for it: a ratio of
the provisioned capacity units, with 40,000 units assumed for tables in on-demand mode
(``DynamoDBUtil`` and ``DynamoDBConstants`` in https://github.com/awslabs/emr-dynamodb-connector).
"""

import threading
import time
from collections.abc import Callable

from updraft.dynamodb.cancellation import Cancellation

_SLOWEST = 0.02
_SLOWING = 0.7
_SLOWING_INTERVAL = 1.0
_RECOVERY_PER_SECOND = 0.02


class TokenBucket:
    """Capacity units that flow in at a steady rate and that all threads draw from.

    What a call costs is known only once it is answered. So a thread reserves an estimate, which may
    overdraw the bucket and then makes the thread wait until the debt is paid, and settles the
    difference afterwards. The average rate holds whatever the estimates were. The bucket holds
    one second of flow at most.

    When the service throttles, others need the capacity: the flow shrinks by a third, at most once
    a second and down to 2 %, and comes back within a minute without throttling.

    :param units_per_second: flow in capacity units per second, above 0.
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
        self._flow = units_per_second
        self._slowed = self._updated - _SLOWING_INTERVAL

    def set_rate(self, units_per_second: float) -> None:
        """Change the flow, as soon as it is known what the table offers.

        :param units_per_second: flow in capacity units per second, above 0.
        """
        with self._lock:
            self._updated = self._clock()
            self.units_per_second = self._flow = self._balance = units_per_second

    def reserve(self, units: float, cancellation: Cancellation) -> None:
        """Take units out, and wait until the flow has covered them.

        :param units: estimated cost of the next call in capacity units.
        :param cancellation: ends the wait early.
        :raises CancelledError: when the work is cancelled meanwhile.
        """
        with self._lock:
            self._refill()
            self._balance -= units
            wait = -self._balance / self._flow
        cancellation.check()
        if wait > 0:
            cancellation.sleep(wait)

    def settle(self, reserved: float, consumed: float) -> None:
        """Replace an estimate by the truth.

        :param reserved: units that were reserved for the call.
        :param consumed: units that the service charged for it.
        """
        with self._lock:
            self._refill()
            self._balance = min(self._balance + reserved - consumed, self.units_per_second)

    def slow_down(self) -> None:
        """Shrink the flow, because the service has throttled a call."""
        with self._lock:
            self._refill()
            if self._updated - self._slowed >= _SLOWING_INTERVAL:
                self._slowed = self._updated
                self._flow = max(self._flow * _SLOWING, self.units_per_second * _SLOWEST)

    def _refill(self) -> None:
        now = self._clock()
        seconds = now - self._updated
        self._balance = min(self._balance + seconds * self._flow, self.units_per_second)
        recovered = self._flow + seconds * _RECOVERY_PER_SECOND * self.units_per_second
        self._flow = min(recovered, self.units_per_second)
        self._updated = now
