"""The share of the read capacity, measured on a clock that the test turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.read_capacity import (
    MAXIMUM_PAGE_ITEMS,
    UNITS_OF_FULL_PAGE,
    PageSizer,
    TokenBucket,
)


class Clock:
    """A clock, and the sleep that turns it."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def check(self):
        pass

    def sleep(self, seconds):
        self.now += seconds


@given(
    rate=st.floats(0.5, 10_000),
    charges=st.lists(
        st.tuples(st.floats(0.5, UNITS_OF_FULL_PAGE), st.floats(0.5, UNITS_OF_FULL_PAGE)),
        min_size=1,
        max_size=50,
    ),
)
def test_average_rate_holds_whatever_the_estimates_were(rate, charges):
    clock = Clock()
    bucket = TokenBucket(rate, clock)
    start = clock.now
    consumed = 0.0
    for estimate, charge in charges:
        # When a page is asked for, all before it are paid for, but for one second's burst and the
        # difference between the estimate and the truth of the page just before.
        bucket.reserve(estimate, clock)
        assert consumed <= rate * (clock.now - start) + rate + 1e-6
        consumed += charge
        bucket.settle(estimate, charge)


def test_flow_is_not_wasted():
    clock = Clock()
    bucket = TokenBucket(10, clock)
    start = clock.now
    for _ in range(11):
        bucket.reserve(10, clock)
        bucket.settle(10, 10)

    assert clock.now - start == pytest.approx(10)


def test_idle_time_saves_up_one_second_at_most():
    clock = Clock()
    bucket = TokenBucket(10, clock)
    clock.now += 3600
    start = clock.now
    bucket.reserve(10, clock)
    assert clock.now == start
    bucket.reserve(10, clock)
    assert clock.now == start + 1


def test_waiting_ends_with_the_work():
    cancellation = Cancellation()
    bucket = TokenBucket(1)
    cancellation.cancel()

    with pytest.raises(CancelledError):
        bucket.reserve(1_000_000, cancellation)


def test_pages_of_a_small_table_fit_its_budget():
    sizer = PageSizer(units_per_second=8, segments=4, average_item_bytes=4096)

    limit, units = sizer.next_page()

    assert (limit, units) == (4, 2.0)


def test_pages_of_a_fast_table_are_bounded_in_items():
    sizer = PageSizer(units_per_second=10_000, segments=4, average_item_bytes=100)

    assert sizer.next_page()[0] == MAXIMUM_PAGE_ITEMS


def test_pages_of_large_items_cost_what_1_mb_costs():
    sizer = PageSizer(units_per_second=10_000, segments=4, average_item_bytes=400_000)

    assert sizer.next_page()[1] == UNITS_OF_FULL_PAGE


@given(
    rate=st.floats(0.01, 40_000),
    segments=st.integers(1, 8),
    size=st.floats(0, 400_000),
    pages=st.lists(st.tuples(st.integers(0, 1000), st.floats(0.5, 128)), max_size=5),
)
def test_there_is_always_a_page_to_ask_for(rate, segments, size, pages):
    sizer = PageSizer(rate, segments, size)
    for items, units in pages:
        sizer.observe(items, units)

    limit, units = sizer.next_page()

    assert 1 <= limit <= MAXIMUM_PAGE_ITEMS
    assert 0 < units <= UNITS_OF_FULL_PAGE


def test_sizes_are_learnt_from_what_was_read():
    sizer = PageSizer(units_per_second=4, segments=1, average_item_bytes=0)
    assert sizer.next_page()[0] == 4
    sizer.observe(items=100, units=5)

    assert sizer.next_page()[0] == 80
