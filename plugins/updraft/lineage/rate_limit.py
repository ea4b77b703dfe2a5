"""Pacing of calls to a service with a quota per second."""

import time
from collections.abc import Callable


class RateLimiter:
    """Spread calls evenly, without bursts.

    :param per_second: calls per second, more than 0.
    :param clock: monotonic time in seconds.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._next = clock()

    def reserve(self) -> float:
        """Book the next call.

        :returns: seconds to wait before making it, 0 if it may be made at once.
        """
        now = self._clock()
        start = max(now, self._next)
        self._next = start + self._interval
        return start - now
