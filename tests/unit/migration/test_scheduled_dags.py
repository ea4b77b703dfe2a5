"""Scheduled DAGs in a real Airflow: read back from the database's form, asked, and rendered."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from updraft.migration import batch
from updraft.migration.conversion import convert_file
from updraft.migration.import_check import ImportOutcome

_PLUGINS = Path(__file__).parents[3] / "plugins"
_TAKES_OVER = datetime(2024, 6, 1, 5, 30, tzinfo=UTC)
_COMMAND = (
    "#{format(minusDays(@scheduledStartTime, 1), 'YYYY-MM-dd')} #{@scheduledEndTime} "
    "#{format(sunday(@scheduledStartTime), \"xxxx-'W'ww kk\")}"
)
# Type, period, start or None for the first activation, end or number of runs, --start-date.
_SCHEDULES = {
    "daily": ("cron", "1 day", "2024-01-01T03:00:00", {}, None),
    "daily_at_end": ("timeseries", "1 day", "2024-01-01T03:00:00", {}, _TAKES_OVER),
    "last_of_month": ("cron", "1 month", "2024-01-31T07:48:00", {"occurrences": "2"}, None),
    "last_of_month_at_end": (
        "timeseries",
        "1 month",
        "2024-01-31T07:48:09",
        {"endDateTime": "2024-08-31T07:48:09"},
        _TAKES_OVER,
    ),
    "five_hours": ("timeseries", "5 hours", "2024-01-01T03:00:00", {}, _TAKES_OVER),
    "from_activation": ("cron", "90 minutes", None, {"occurrences": "2"}, _TAKES_OVER),
}
_PROBE = """
import json, sys
from types import SimpleNamespace
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.execution_time import macros
from airflow.sdk.plugins_manager import integrate_macros_plugins
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
import pendulum

integrate_macros_plugins()
bag = DagBag(dag_folder=sys.argv[1])
assert not bag.import_errors, bag.import_errors
for dag in bag.dags.values():
    read_back = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    start, end = (
        None if one is None else pendulum.instance(one) for one in (dag.start_date, dag.end_date)
    )
    restriction = TimeRestriction(start, end, catchup=True)
    runs, last = [], None
    while len(runs) < 3 and (
        info := read_back.timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
    ):
        last = info.data_interval
        context = {
            "data_interval_start": last.start, "data_interval_end": last.end, "macros": macros,
            "dag": dag, "dag_run": SimpleNamespace(run_after=info.run_after),
        }
        (step,) = dag.get_task("a").steps
        text = dag.get_template_env().from_string(step["HadoopJarStep"]["Args"][0]).render(context)
        runs.append([info.run_after.isoformat(), last.start.isoformat(), text])
    print(json.dumps([dag.dag_id, dag.catchup, runs]))
"""


def _definition(name):
    kind, period, start, more, _ = _SCHEDULES[name]
    begins = {"startDateTime": start} if start else {"startAt": "FIRST_ACTIVATION_DATE_TIME"}
    return {
        "objects": [
            {"id": "Default", "scheduleType": kind, "schedule": {"ref": "S"}},
            {"id": "S", "type": "Schedule", "period": period, **begins, **more},
            {
                "id": "A",
                "type": "HadoopActivity",
                "runsOn": {"ref": "C"},
                "jarUri": "s3://b/x.jar",
                "argument": _COMMAND,
            },
            {"id": "C", "type": "EmrCluster", "releaseLabel": "emr-7.9.0", "region": "eu-west-1"},
        ]
    }


@pytest.fixture(scope="module")
def conversions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("definitions")
    made = {}
    for name, (*_, start_date) in _SCHEDULES.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(_definition(name)))
        made[name] = convert_file(path, name, (), start_date)
    return made


@pytest.fixture(scope="module")
def answers(conversions, tmp_path_factory):
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    for name, conversion in conversions.items():
        assert conversion.findings == ()
        (home / "dags" / f"{name}.py").write_text(conversion.dag_source)
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(_PLUGINS),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "PYTHONPATH": str(_PLUGINS),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:updraft", "-c", _PROBE, home / "dags"],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
    return {dag_id: (catchup, runs) for dag_id, catchup, runs in lines}


@pytest.mark.parametrize("name", _SCHEDULES)
def test_airflow_runs_when_the_pipeline_did(name, conversions, answers):
    catchup, runs = answers[name]
    (row,) = conversions[name].report.runs
    assert [[due[:19], start[:19]] for due, start, _ in runs] == [
        [one.due[:19], one.start[:19]] for one in row.legacy
    ]
    assert catchup == (_SCHEDULES[name][4] is not None)
    for (_, _, text), one in zip(runs, row.legacy, strict=True):
        day, end, _, hour = text.split(" ")
        start = datetime.fromisoformat(one.start)
        assert (day, end) == (
            f"{datetime.fromordinal(start.toordinal() - 1):%Y-%m-%d}",
            one.end[:-1],
        )
        assert int(hour) == (start.hour or 24)


def _checked(conversion, runs, monkeypatch):
    outcome = ImportOutcome(dag_ids=(conversion.dag_id,), error=None, runs=runs)
    monkeypatch.setattr(
        batch, "check_imports", lambda sources: {f"{conversion.dag_id}.py": outcome}
    )
    (checked,) = batch.check_all([conversion])
    return checked


def test_the_report_shows_both_sides(conversions, monkeypatch):
    conversion = conversions["last_of_month"]
    assert "| not asked |" in conversion.report.to_markdown()
    asked = tuple((run.due, run.start, run.end) for run in conversion.schedule.airflow_runs(3))
    report = _checked(conversion, asked, monkeypatch).report.to_markdown()
    row = (
        "| A | 2024-02-29T07:48:00Z | 2024-02-29T07:48:00Z | 2024-03-31T07:48:00Z "
        "| 2024-02-29T07:48:00Z | 2024-02-29T07:48:00Z | 2024-03-31T07:48:00Z |"
    )
    assert row in report


def test_a_dag_that_runs_at_other_times_is_not_written(conversions, monkeypatch):
    conversion = conversions["daily"]
    asked = tuple(
        (run.due + timedelta(days=1), run.start, run.end)
        for run in conversion.schedule.airflow_runs(3)
    )
    checked = _checked(conversion, asked, monkeypatch)
    assert checked.failed
    assert "other times" in checked.findings[-1].message
