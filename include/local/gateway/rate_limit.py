"""Request quotas of AWS services."""

import threading
import time
from collections.abc import Callable, Hashable


class RateLimit:
    """A token bucket per key: so many requests a second, with a burst of one second's worth.

    :param per_second: requests per second that are let through.
    :param clock: gives the time in seconds; only tests set it.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def admits(self, key: Hashable) -> bool:
        """Count a request.

        :param key: what the quota is for, such as account and Region.
        :returns: whether the request is within the quota; one that is not costs nothing.
        """
        with self._lock:
            now = self._clock()
            tokens, then = self._buckets.get(key, (self._per_second, now))
            tokens = min(self._per_second, tokens + (now - then) * self._per_second)
            admitted = tokens >= 1
            self._buckets[key] = (tokens - admitted, now)
            return admitted
