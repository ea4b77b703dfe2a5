"""Pauses between two looks."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from updraft.triggers.pauses import growing_pauses


def test_half_a_minute_is_reached_in_three_steps():
    assert list(islice(growing_pauses(30), 5)) == [3.75, 7.5, 15, 30, 30]


def test_none_is_shorter_than_a_second_unless_all_are():
    assert list(islice(growing_pauses(2), 3)) == [1, 2, 2]
    assert list(islice(growing_pauses(0.1), 2)) == [0.1, 0.1]


@given(st.floats(0.01, 86400))
def test_they_grow_to_the_interval_and_no_further(interval):
    pauses = list(islice(growing_pauses(interval), 20))
    assert pauses == sorted(pauses)
    assert pauses[-1] == max(pauses) == interval
