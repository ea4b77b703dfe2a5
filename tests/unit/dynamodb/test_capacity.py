"""The share of the capacity, measured on a clock that the test turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.capacity import TokenBucket


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
        st.tuples(st.floats(0.5, 128.0), st.floats(0.5, 128.0)),
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


def test_a_throttled_call_slows_down_at_most_once_a_second():
    clock = Clock()
    bucket = TokenBucket(100, clock)
    for _ in range(50):
        bucket.slow_down()
    bucket.reserve(100, clock)
    start = clock.now
    bucket.reserve(70, clock)
    bucket.settle(70, 70)

    assert 0.95 < clock.now - start <= 1.0  # it recovers a little meanwhile


def test_a_share_of_throttled_calls_slows_down_by_that_share():
    clock = Clock()
    bucket = TokenBucket(1000, clock)
    for _ in range(100):
        bucket.reserve(10, clock)
        bucket.settle(10, 10)
    bucket.slow_down()
    start = clock.now
    bucket.reserve(997, clock)

    assert clock.now - start == pytest.approx(1.0, abs=0.02)


def test_whoever_waits_profits_when_the_flow_comes_back():
    clock = Clock()
    bucket = TokenBucket(100, clock)
    for _ in range(20):
        clock.now += 1
        bucket.slow_down()
    bucket.reserve(100, clock)
    start = clock.now
    bucket.reserve(1000, clock)

    assert clock.now - start < 50  # at the slowed pace it would be 500


def test_throttling_without_end_leaves_a_trickle():
    clock = Clock()
    bucket = TokenBucket(100, clock)
    for _ in range(100):
        clock.now += 1
        bucket.slow_down()
    bucket.reserve(100, clock)
    start = clock.now
    bucket.reserve(1, clock)

    assert 0 < clock.now - start <= 0.5


def test_the_flow_comes_back_within_a_minute():
    clock = Clock()
    bucket = TokenBucket(100, clock)
    for _ in range(20):
        clock.now += 1
        bucket.slow_down()
    clock.now += 60
    bucket.reserve(100, clock)
    start = clock.now
    bucket.reserve(100, clock)

    assert clock.now - start == pytest.approx(1.0)


def test_the_rate_can_be_set_when_it_is_known():
    clock = Clock()
    bucket = TokenBucket(1, clock)
    bucket.set_rate(50)
    bucket.reserve(50, clock)
    start = clock.now
    bucket.reserve(50, clock)

    assert clock.now - start == pytest.approx(1.0)
