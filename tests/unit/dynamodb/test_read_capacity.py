"""The length of a scan's pages."""

from hypothesis import given
from hypothesis import strategies as st

from updraft.dynamodb.read_capacity import MAXIMUM_PAGE_ITEMS, UNITS_OF_FULL_PAGE, PageSizer


def test_pages_of_a_small_table_fit_its_budget():
    sizer = PageSizer(units_per_second=8, segments=4, average_item_bytes=4096)

    limit, units = sizer.next_page()

    assert (limit, units) == (4, 2.0)


def test_pages_of_a_fast_table_are_bounded_in_items():
    sizer = PageSizer(units_per_second=10_000, segments=4, average_item_bytes=50)

    assert sizer.next_page()[0] == MAXIMUM_PAGE_ITEMS


def test_pages_are_bounded_in_size_because_each_thread_holds_one():
    sizer = PageSizer(units_per_second=10_000, segments=4, average_item_bytes=400)

    limit, units = sizer.next_page()

    assert units <= 48
    assert limit * 400 <= 400_000


def test_pages_of_large_items_cost_what_1_mb_costs():
    sizer = PageSizer(units_per_second=10_000, segments=4, average_item_bytes=400_000)

    limit, units = sizer.next_page()
    assert limit == 1
    assert units <= UNITS_OF_FULL_PAGE


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
