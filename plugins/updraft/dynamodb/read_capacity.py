"""Chooses the length of a scan's pages by what they cost."""

import threading

BYTES_PER_UNIT = 8192
"""Bytes that one unit reads with eventual consistency: two blocks of 4 kB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

UNITS_OF_FULL_PAGE = 128.0
"""Units of the largest page, 1 MB, that a scan returns."""

_MAXIMUM_PAGE_UNITS = 48.0
# Nested items take up to 80 times their size as Python objects, and each thread holds a page.

MAXIMUM_PAGE_ITEMS = 4000
"""Items on a page. One of 1 MB can hold 20,000 small ones, which Python blows up to 20 MB."""

_SMALLEST_CHARGE = 0.5


class PageSizer:
    """Chooses how many items to ask for, so that no page exceeds a segment's second of budget.

    Without it a table with 5 units would be hit with pages of 128 units each, which throttles
    everybody else who reads it, however long the scan waits afterwards.

    :param units_per_second: budget of the whole scan.
    :param segments: number of segments read at the same time.
    :param average_item_bytes: mean size of an item, 0 when the table does not know it.
    """

    def __init__(self, units_per_second: float, segments: int, average_item_bytes: float) -> None:
        wanted = max(units_per_second / segments, _SMALLEST_CHARGE)
        self._target_units = min(wanted, _MAXIMUM_PAGE_UNITS)
        # An unknown size is taken for a whole unit, so that the first page errs on the small side.
        self._units_per_item = max(average_item_bytes, 1) / BYTES_PER_UNIT
        if not average_item_bytes:
            self._units_per_item = 1.0
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
