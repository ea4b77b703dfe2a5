# Updraft sha256:bf3c90a17b0b0e90389ecc11afe198bd1de1b9564f95540647da9e2d972f26b0
"""Month end close.

1. `unload` unloads a Redshift table to files in S3.
2. `close` runs a script of SQL on Redshift.

**Origin.** Converted from the AWS Data Pipeline definition `month_end_close.json`:
`unload` was `Unload` (RedshiftCopyActivity), `close` was `Close` (SqlActivity).

**Schedule.** It runs every month on day 31, or the last one of a shorter month, at
22:00 UTC, when its period begins; the first one begins on 2023-12-31. Of the periods
that pass while it is paused, the last one runs. A run that you trigger needs a logical
date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG
from updraft.operators.redshift_sql import RedshiftSqlOperator
from updraft.operators.redshift_unload import RedshiftUnloadOperator
from updraft.timetables import PeriodTimetable

with DAG(
    dag_id="month_end_close",
    schedule=PeriodTimetable(
        datetime(2023, 12, 31, 22, tzinfo=UTC), "1 month", run_at="start"
    ),
    start_date=datetime(2023, 12, 31, 22, tzinfo=UTC),
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
    unload = RedshiftUnloadOperator(
        task_id="unload",
        cluster_identifier="finance",
        database="finance",
        db_user="closer",
        table="ledger",
        schema="finance",
        s3_uri="s3://acme-finance/ledger/{{ data_interval_start.format('YYYY-MM') }}/",
        iam_role="default",
        file_format="text",
        parallel=False,
        delimiter=",",
        compression="gzip",
        query_group="finance",
    )
    close = RedshiftSqlOperator(
        task_id="close",
        cluster_identifier="finance",
        database="finance",
        db_user="closer",
        sql=(
            "BEGIN; UPDATE finance.periods SET closed = true WHERE month = "
            "'{{ data_interval_start.format('YYYY-MM') }}'; COMMIT;"
        ),
        transaction=False,
        max_rows=0,
        query_group="finance",
    )

    unload >> close
