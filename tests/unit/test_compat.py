import subprocess
import sys

import pytest
from airflow import sdk
from airflow.sdk.observability import stats

from updraft import compat
from updraft.compat import count_metric


def test_names_are_found_wherever_airflow_has_them(monkeypatch):
    assert all(hasattr(compat, name) for name in compat.__all__)
    assert compat.CronDataIntervalTimetable is sdk.CronDataIntervalTimetable
    places = ("airflow.timetables.no_such_module", "airflow.timetables.interval")
    monkeypatch.setitem(compat._WHEN_ASKED_FOR, "CronDataIntervalTimetable", places)
    assert compat.CronDataIntervalTimetable.__module__ == "airflow.timetables.interval"
    with pytest.raises(ImportError, match="NoSuchOperator"):
        from updraft.compat import NoSuchOperator  # noqa: F401, PLC0415


def test_what_few_use_costs_nobody_else_time():
    code = "import sys, updraft.compat; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "airflow.sdk.definitions.dag" in modules
    provider = "airflow.providers.standard"
    assert not modules & {f"{provider}.{part}" for part in ("decorators", "operators", "sensors")}


def test_a_counter_counts_and_never_fails(monkeypatch):
    counted = []
    monkeypatch.setattr(stats, "incr", lambda name, count: counted.append((name, count)))
    count_metric("a.b", 3)
    count_metric("a.b", 0)
    count_metric("a.b")
    assert counted == [("a.b", 3), ("a.b", 1)]
    monkeypatch.setattr(stats, "incr", lambda *_: 1 / 0)
    count_metric("a.b")
