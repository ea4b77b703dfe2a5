# Updraft sha256:5c4ca4861f9230ca8983df43dad28796a7dbc13e271add49001458530482e5d8
"""RDS orders extract: writes the result of a query to S3.

1. `extract` writes the result of a query to S3.

**Origin.** Converted from the AWS Data Pipeline definition `rds_orders_extract.json`:
`extract` was `Extract` (CopyActivity).

**Schedule.** It runs every day at 00:00 UTC, when its period has ended; the first one
begins on 2023-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

with DAG(
    dag_id="rds_orders_extract",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2023, 1, 1, tzinfo=UTC),
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
    CopySqlToS3Operator(
        task_id="extract",
        sql_conn_id="shop",
        query=(
            "SELECT * FROM orders WHERE placed_at >= "
            "'{{ data_interval_start.format('YYYY-MM-DD HH:mm:ss') }}' AND placed_at < "
            "'{{ data_interval_end.format('YYYY-MM-DD HH:mm:ss') }}'"
        ),
        s3_uri=(
            "s3://acme-extracts/orders/"
            "{{ data_interval_start.format('YYYY-MM-DD') }}.csv.gz"
        ),
        compression="gzip",
        execution_timeout=timedelta(minutes=90),
    )
