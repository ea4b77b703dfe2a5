# Updraft sha256:7319a141a2585cab5522d2eb4ce061a8562a2f018edc151ca042f27c0fe00c66
"""On premises reconciliation: runs a shell command.

1. `reconcile` runs a shell command.
2. `archive` runs a shell command.

**Origin.** Converted from the AWS Data Pipeline definition
`on_premises_reconciliation.json`: `reconcile` was `Reconcile` (ShellCommandActivity),
`archive` was `Archive` (ShellCommandActivity).

**Schedule.** It runs every 3 months on day 31, or the last one of a shorter month, at
18:00 UTC, when its period begins; the first one begins on 2023-01-31. Of the periods
that pass while it is paused, the last one runs. A run that you trigger needs a logical
date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG
from updraft.operators.shell_command import ShellCommandOperator
from updraft.timetables import PeriodTimetable

with DAG(
    dag_id="on_premises_reconciliation",
    schedule=PeriodTimetable(
        datetime(2023, 1, 31, 18, tzinfo=UTC), "3 months", run_at="start"
    ),
    start_date=datetime(2023, 1, 31, 18, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    reconcile = ShellCommandOperator(
        task_id="reconcile",
        instance_tags={"worker-group": "finance-mainframe"},
        script_uri="s3://acme-finance/reconcile.sh",
        arguments=[
            "--quarter",
            (
                "{{ data_interval_start.subtract(months=1).year }}Q"
                "{{ macros.updraft.divide(data_interval_start.subtract(months=1).month "
                "+ 2, 3) }}"
            ),
        ],
        stdout_uri="/var/log/reconcile.out",
        stderr_uri="/var/log/reconcile.err",
    )
    archive = ShellCommandOperator(
        task_id="archive",
        instance_tags={"worker-group": "finance-mainframe"},
        command=(
            "tar czf /archive/{{ data_interval_start.year }}-"
            "{{ data_interval_start.month }}-{{ data_interval_start.day }}.tgz "
            "/var/reconcile"
        ),
        retries=0,
    )

    reconcile >> archive
