from hypothesis import given
from hypothesis import strategies as st

from include.local.gateway.rate_limit import RateLimit


@given(st.lists(st.floats(0, 0.5), max_size=200), st.integers(1, 30))
def test_never_more_than_burst_and_rate(pauses: list[float], per_second: int) -> None:
    now = 0.0
    limit = RateLimit(per_second, clock=lambda: now)
    admitted = 0
    for pause in pauses:
        now += pause
        admitted += limit.admits("key")
        assert admitted <= per_second * (1 + now) + 1e-6


def test_exact_rate_is_always_admitted() -> None:
    now = 0.0
    limit = RateLimit(20, clock=lambda: now)
    for _ in range(200):
        assert limit.admits("key")
        now += 0.05001


def test_burst_then_nothing_then_more() -> None:
    now = 0.0
    limit = RateLimit(20, clock=lambda: now)
    assert [limit.admits("key") for _ in range(22)] == [True] * 20 + [False] * 2
    now = 0.1
    assert [limit.admits("key") for _ in range(3)] == [True, True, False]


def test_keys_have_buckets_of_their_own() -> None:
    limit = RateLimit(1, clock=lambda: 0.0)
    assert limit.admits(("account", "us-east-1"))
    assert not limit.admits(("account", "us-east-1"))
    assert limit.admits(("account", "eu-west-1"))
