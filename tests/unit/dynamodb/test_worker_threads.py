"""Threads that succeed, fail and stop together."""

import threading

import pytest

from updraft.dynamodb import worker_threads
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.worker_threads import run_in_threads


def _run(*works, cancellation=None, report=lambda: None):
    return run_in_threads(
        works, name="test", cancellation=cancellation or Cancellation(), report=report
    )


def test_all_run_at_the_same_time_and_results_keep_their_order():
    barrier = threading.Barrier(3, timeout=10)

    def work(number):
        barrier.wait()
        return number, threading.current_thread().name.startswith("test")

    assert _run(*[lambda n=n: work(n) for n in range(3)]) == [(n, True) for n in range(3)]


def test_one_that_fails_stops_the_others_and_its_error_is_told():
    cancellation = Cancellation()

    def endless():
        cancellation.sleep(60)

    def fail():
        raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause"):
        _run(endless, fail, endless, cancellation=cancellation)


def test_a_cancellation_from_outside_ends_all():
    cancellation = Cancellation()
    cancellation.cancel()

    with pytest.raises(CancelledError):
        _run(cancellation.check, cancellation.check, cancellation=cancellation)


def test_reports_while_it_runs(monkeypatch):
    monkeypatch.setattr(worker_threads, "_REPORT_INTERVAL", 0.01)
    done = threading.Event()
    reports = []

    def report():
        reports.append(1)
        if len(reports) == 3:
            done.set()

    assert _run(lambda: done.wait(10), report=report) == [True]
    assert len(reports) >= 3
