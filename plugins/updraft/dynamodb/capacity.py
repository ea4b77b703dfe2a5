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
_SLOWING = 0.3
_SLOWING_INTERVAL = 1.0
_RECOVERY_PER_SECOND = 0.02
_LONGEST_SLICE = 1.0
_SHORTEST_WAIT = 1e-6


class TokenBucket:
    """Capacity units that flow in at a steady rate and that all threads draw from.

    What a call costs is known only once it is answered. So a thread reserves an estimate and waits
    until as much has flowed in as it and all before it have reserved, and settles the difference
    afterwards. The average rate holds whatever the estimates were. One second of flow at most is
    saved up.

    When the service throttles, others need the capacity: the flow shrinks at most once a second, by
    up to a third if all calls are throttled, and down to 2 %. It comes back within a minute without
    throttling.

    :param units_per_second: flow in capacity units per second, above 0.
    :param clock: seconds that never run backwards.
    """

    def __init__(
        self, units_per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.units_per_second = units_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._flow = units_per_second
        self._flowed = units_per_second
        self._reserved = 0.0
        self._updated = clock()
        self._slowed = self._updated - _SLOWING_INTERVAL
        self._calls = 0
        self._throttled_calls = 0

    def set_rate(self, units_per_second: float) -> None:
        """Change the flow, as soon as it is known what the table offers.

        :param units_per_second: flow in capacity units per second, above 0.
        """
        with self._lock:
            self._updated = self._clock()
            self.units_per_second = self._flow = units_per_second
            self._flowed = self._reserved + units_per_second

    def reserve(self, units: float, cancellation: Cancellation) -> None:
        """Take units out, and wait until the flow has covered them.

        :param units: estimated cost of the next call in capacity units.
        :param cancellation: ends the wait early.
        :raises CancelledError: when the work is cancelled meanwhile.
        """
        with self._lock:
            self._refill()
            self._calls += 1
            self._reserved += units
            covered = self._reserved
        cancellation.check()
        # The flow changes while a thread waits: in slices, so that it learns of that.
        while (seconds := self._seconds_until(covered)) > _SHORTEST_WAIT:
            cancellation.sleep(min(seconds, _LONGEST_SLICE))

    def settle(self, reserved: float, consumed: float) -> None:
        """Replace an estimate by the truth.

        :param reserved: units that were reserved for the call.
        :param consumed: units that the service charged for it.
        """
        with self._lock:
            self._flowed += reserved - consumed
            self._refill()

    def slow_down(self) -> None:
        """Shrink the flow, because the service has throttled a call."""
        with self._lock:
            self._refill()
            self._throttled_calls += 1
            if self._updated - self._slowed < _SLOWING_INTERVAL:
                return
            # A repeated call is throttled more often than it is reserved for.
            share = min(self._throttled_calls / max(self._calls, 1), 1.0)
            slowest = self.units_per_second * _SLOWEST
            self._flow = max(self._flow * (1 - _SLOWING * share), slowest)
            self._slowed = self._updated
            self._calls = self._throttled_calls = 0

    def _seconds_until(self, covered: float) -> float:
        with self._lock:
            self._refill()
            return (covered - self._flowed) / self._flow

    def _refill(self) -> None:
        now = self._clock()
        seconds = now - self._updated
        inflow = self._flowed + seconds * self._flow
        self._flowed = min(inflow, self._reserved + self.units_per_second)
        recovered = self._flow + seconds * _RECOVERY_PER_SECOND * self.units_per_second
        self._flow = min(recovered, self.units_per_second)
        self._updated = now
