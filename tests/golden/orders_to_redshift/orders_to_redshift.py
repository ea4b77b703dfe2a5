# Updraft sha256:5981b53716d1d5e01f9c6cf952e7f3ca35d883796eb83bdd2826a7454b24d029
"""Orders to Redshift: loads files from S3 into a Redshift table.

1. `manifest_written` waits for an object in S3.
2. `load` loads files from S3 into a Redshift table.

**Origin.** Converted from the AWS Data Pipeline definition `orders_to_redshift.json`:
`manifest_written` was `ManifestWritten` (S3KeyExists), `load` was `Load`
(RedshiftCopyActivity).

**Schedule.** It runs every day at 05:00 UTC, when its period begins; the first one
begins on 2023-06-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.redshift_copy import RedshiftCopyOperator

with DAG(
    dag_id="orders_to_redshift",
    schedule=CronTriggerTimetable("0 5 * * *", timezone="UTC"),
    start_date=datetime(2023, 6, 1, 5, tzinfo=UTC),
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
    manifest_written = S3KeySensor(
        task_id="manifest_written",
        bucket_key=(
            "s3://acme-orders/manifests/"
            "{{ data_interval_start.subtract(days=1).format('YYYYMMDD') }}.manifest"
        ),
        deferrable=True,
        poke_interval=timedelta(minutes=10),
        timeout=timedelta(hours=12),
    )
    load = RedshiftCopyOperator(
        task_id="load",
        cluster_identifier="warehouse",
        database="analytics",
        db_user="loader",
        region_name="eu-central-1",
        table="orders",
        schema="sales",
        s3_uri=(
            "s3://acme-orders/manifests/"
            "{{ data_interval_start.subtract(days=1).format('YYYYMMDD') }}.manifest"
        ),
        manifest=True,
        iam_role="default",
        copy_options=["GZIP", "JSON 'auto'", "TIMEFORMAT 'auto'"],
        insert_mode="OVERWRITE_EXISTING",
        primary_keys=["id"],
        transform_sql=(
            "SELECT id, lower(email), amount::decimal(12, 2), placed_at FROM staging"
        ),
        create_table_sql=(
            "CREATE TABLE sales.orders (id BIGINT, email VARCHAR(256), amount "
            "DECIMAL(12, 2), placed_at TIMESTAMP, PRIMARY KEY (id));"
        ),
        query_group="loads",
        execution_timeout=timedelta(hours=2),
    )

    manifest_written >> load
