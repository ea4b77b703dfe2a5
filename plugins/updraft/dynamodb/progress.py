"""Tells how far an export or import is."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Progress:
    """Counts items over all segments, or files.

    :param expected_items: approximate number of items, 0 when unknown.
    :param clock: seconds that never run backwards.
    :param parts: what the work is split into, for the log.
    """

    def __init__(
        self,
        expected_items: int = 0,
        clock: Callable[[], float] = time.monotonic,
        *,
        parts: str = "segments",
    ) -> None:
        self._expected_items = expected_items
        self._clock = clock
        self._parts = parts
        self._lock = threading.Lock()
        self._started = clock()
        self._segments = 0
        self._segments_done = 0
        self._items = 0
        self._items_before = 0

    @property
    def items(self) -> int:
        """Number of items so far, those of earlier attempts included."""
        return self._items

    @property
    def items_before(self) -> int:
        """Number of items of earlier attempts."""
        return self._items_before

    @property
    def expected_items(self) -> int:
        """Approximate number of items, 0 when unknown."""
        return self._expected_items

    @property
    def parts(self) -> tuple[int, int]:
        """Number of segments, or files, that are done, and of all."""
        return self._segments_done, self._segments

    def expect(self, items: int) -> None:
        """Tell how many items there will be.

        :param items: their approximate number, 0 when unknown.
        """
        self._expected_items = items

    def start(self, segments: int, *, done: int = 0, items: int = 0) -> None:
        """Begin to count.

        :param segments: number of segments of the scan.
        :param done: number of those that an earlier attempt finished.
        :param items: number of items in them; they do not count for the rate.
        """
        self._started = self._clock()
        self._segments = segments
        self._segments_done = done
        self._items = self._items_before = items

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
        # What was expected is an estimate, and wrong once everything has been counted.
        all_done = 0 < self._segments <= self._segments_done
        expected = f" of about {self._expected_items:,}"
        if all_done or not self._expected_items:
            expected = ""
        return (
            f"{self._items:,}{expected} items in {seconds:.1f} s "
            f"({(self._items - self._items_before) / seconds:,.0f} items/s), "
            f"{self._segments_done} of {self._segments} {self._parts} done"
        )

    def report(self) -> None:
        """Write the state to the log."""
        log.info("%s", self)
