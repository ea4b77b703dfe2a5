# Updraft sha256:a5921170d15fb6cd7cde0af9bad63f08840e677717a4a26858a18c61431fe394
"""DynamoDB to Redshift.

1. `load_devices` loads a DynamoDB table into a Redshift table.
2. `append_history` loads a Redshift table from another one.

**Origin.** Converted from the AWS Data Pipeline definition `dynamodb_to_redshift.json`:
`load_devices` was `LoadDevices` (RedshiftCopyActivity), `append_history` was
`AppendHistory` (RedshiftCopyActivity).

**Schedule.** It runs every day at 00:30 UTC, when its period begins; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.redshift_copy import RedshiftCopyOperator

with DAG(
    dag_id="dynamodb_to_redshift",
    schedule=CronTriggerTimetable("30 0 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 0, 30, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=2),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    load_devices = RedshiftCopyOperator(
        task_id="load_devices",
        cluster_identifier="warehouse",
        database="analytics",
        db_user="loader",
        table="devices",
        schema="iot",
        dynamodb_table="devices",
        read_ratio=50,
        iam_role="default",
        insert_mode="TRUNCATE",
    )
    append_history = RedshiftCopyOperator(
        task_id="append_history",
        cluster_identifier="warehouse",
        database="analytics",
        db_user="loader",
        table="device_history",
        schema="iot",
        source_table="iot.devices",
        insert_mode="APPEND",
        transform_sql="SELECT device_id, firmware, current_date FROM staging",
    )

    load_devices >> append_history
