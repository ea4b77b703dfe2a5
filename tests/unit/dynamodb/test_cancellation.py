"""The flag that stops an export."""

import sys
import threading
import time

import pytest

from updraft.dynamodb.cancellation import Cancellation, CancelledError


def test_a_signal_may_cancel_at_any_point_of_a_cancellation():
    cancellation = Cancellation()

    def interrupt(frame, event, argument):
        if event == "line":  # as a signal handler would, between any two lines
            cancellation.cancel()
        return interrupt

    def cancel():
        sys.settrace(interrupt)
        try:
            cancellation.cancel()
        finally:
            sys.settrace(None)

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    thread.join(5)

    assert not thread.is_alive()
    with pytest.raises(CancelledError):
        cancellation.check()


def test_a_wait_ends_soon_after_a_cancellation():
    cancellation = Cancellation()
    timer = threading.Timer(0.1, cancellation.cancel)
    timer.start()
    started = time.monotonic()

    with pytest.raises(CancelledError):
        cancellation.sleep(60)
    assert time.monotonic() - started < 5


def test_a_wait_lasts_as_long_as_it_should():
    started = time.monotonic()
    Cancellation().sleep(0.3)

    assert 0.3 <= time.monotonic() - started < 5
