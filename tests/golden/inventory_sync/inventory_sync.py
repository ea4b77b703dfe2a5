# Updraft sha256:9fddf72521f5a8bf3ab645327fb015cb652b4198d4ee013597ec249f1e5393f4
"""Fetches the stock of each warehouse.

1. `fetch_north` runs a shell command.
2. `fetch_south` runs a shell command.

**Origin.** Converted from the AWS Data Pipeline definition `inventory_sync.tf`:
`fetch_north` was `Fetch_north` (ShellCommandActivity), `fetch_south` was `Fetch_south`
(ShellCommandActivity).

**Schedule.** It runs every 90 minutes, when its period begins; the first one begins on
2024-01-01 at 00:00 UTC. Of the periods that pass while it is paused, the last one runs.
A run that you trigger needs a logical date, which tells its period.

**Parameters.** They keep the names they had in the pipeline.

- `myRegion` (string): no description given

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param
from updraft.operators.shell_command import ShellCommandOperator
from updraft.timetables import PeriodTimetable

with DAG(
    dag_id="inventory_sync",
    description="Fetches the stock of each warehouse",
    schedule=PeriodTimetable(
        datetime(2024, 1, 1, tzinfo=UTC), "90 minutes", run_at="start"
    ),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline", "team=logistics"],
    doc_md=__doc__,
    params={
        "myRegion": Param("eu-west-1", type="string", minLength=1, title="myRegion"),
    },
):
    ShellCommandOperator(
        task_id="fetch_north",
        instance_tags={"worker-group": "logistics"},
        command=(
            "fetch-stock north s3://acme-inventory/"
            "{{ data_interval_start.format('YYYY-MM-DD-HH-mm') }}/{{ params.myRegion }}"
        ),
    )
    ShellCommandOperator(
        task_id="fetch_south",
        instance_tags={"worker-group": "logistics"},
        command=(
            "fetch-stock south s3://acme-inventory/"
            "{{ data_interval_start.format('YYYY-MM-DD-HH-mm') }}/{{ params.myRegion }}"
        ),
    )
