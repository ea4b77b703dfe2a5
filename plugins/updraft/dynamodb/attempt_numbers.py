"""Numbers of attempts, and how messages speak of them.

An Airflow run counts its attempts from 1. The shell has nobody who counts: each of its commands
takes the time at which it begins, so that a later one has the higher number there too.
"""

import time
from datetime import UTC, datetime

_FIRST_OF_SHELL = 1_000_000_000  # September 2001; no run has as many attempts


def shell_attempt() -> int:
    """Give the command that is beginning its number.

    :returns: seconds since 1970.
    """
    return int(time.time())


def is_shell_attempt(number: int) -> bool:
    """Tell who has numbered an attempt.

    :param number: number of the attempt.
    :returns: whether it was the shell.
    """
    return number >= _FIRST_OF_SHELL


def attempt_in_words(number: int) -> str:
    """Speak of an attempt.

    :param number: number of the attempt.
    :returns: ``attempt 2 of this run``, or the time of a command.
    """
    if not is_shell_attempt(number):
        return f"attempt {number} of this run"
    return f"the command of {datetime.fromtimestamp(number, UTC):%Y-%m-%d %H:%M:%S} UTC"
