"""Tells the log how far an export is."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Progress:
    """Counts items over all segments.

    :param expected_items: approximate number of items, 0 when unknown.
    :param clock: seconds that never run backwards.
    """

    def __init__(
        self, expected_items: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._expected_items = expected_items
        self._clock = clock
        self._lock = threading.Lock()
        self._started = clock()
        self._segments = 0
        self._segments_done = 0
        self._items = 0

    def start(self, segments: int) -> None:
        """Begin to count.

        :param segments: number of segments of the scan.
        """
        self._started = self._clock()
        self._segments = segments

    def add(self, items: int) -> None:
        """Count the items of a page.

        :param items: their number.
        """
        with self._lock:
            self._items += items

    def segment_done(self) -> None:
        """Count a segment that has been read to its end."""
        with self._lock:
            self._segments_done += 1

    def __str__(self) -> str:
        seconds = max(self._clock() - self._started, 1e-6)
        expected = f" of about {self._expected_items:,}" if self._expected_items else ""
        return (
            f"{self._items:,}{expected} items in {seconds:.1f} s "
            f"({self._items / seconds:,.0f} items/s), "
            f"{self._segments_done} of {self._segments} segments done"
        )

    def report(self) -> None:
        """Write the state to the log."""
        log.info("Read %s", self)
