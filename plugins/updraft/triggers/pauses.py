"""How long triggers wait between two looks."""

from collections.abc import Iterator

_FIRST_SHARE = 8
_SHORTEST = 1.0  # seconds


def growing_pauses(interval: float) -> Iterator[float]:
    """Give pauses that double until they are as long as they may be.

    What takes seconds is noticed after seconds, and what takes hours costs three calls more.

    :param interval: the longest pause in seconds, above 0.
    :returns: pauses in seconds without end, from an eighth of the interval, or a second, on.
    """
    pause = min(max(interval / _FIRST_SHARE, _SHORTEST), interval)
    while True:
        yield pause
        pause = min(pause * 2, interval)
