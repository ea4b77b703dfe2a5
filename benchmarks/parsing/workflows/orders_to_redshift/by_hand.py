"""Loads yesterday's orders into Redshift as soon as their manifest is there.

If the manifest does not come within twelve hours, ask the shop's team.
"""

from datetime import datetime, timedelta

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import DAG

from updraft.operators.redshift_copy import RedshiftCopyOperator

MANIFEST = (
    "s3://acme-orders/manifests/"
    "{{ data_interval_start.subtract(days=1).format('YYYYMMDD') }}.manifest"
)
TABLE = """
CREATE TABLE sales.orders (
    id BIGINT, email VARCHAR(256), amount DECIMAL(12, 2), placed_at TIMESTAMP, PRIMARY KEY (id)
);
"""

with DAG(
    dag_id="orders_to_redshift",
    schedule="0 5 * * *",
    start_date=datetime(2023, 6, 1, 5),  # noqa: DTZ001 as people write it
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-platform", "retries": 2, "retry_delay": timedelta(minutes=10)},
    tags=["sales"],
    doc_md=__doc__,
):
    manifest_written = S3KeySensor(
        task_id="manifest_written",
        bucket_key=MANIFEST,
        deferrable=True,
        poke_interval=600,
        timeout=12 * 60 * 60,
    )
    load = RedshiftCopyOperator(
        task_id="load",
        cluster_identifier="warehouse",
        database="analytics",
        db_user="loader",
        region_name="eu-central-1",
        table="orders",
        schema="sales",
        s3_uri=MANIFEST,
        manifest=True,
        iam_role="default",
        copy_options=["GZIP", "JSON 'auto'", "TIMEFORMAT 'auto'"],
        insert_mode="OVERWRITE_EXISTING",
        primary_keys=["id"],
        transform_sql="SELECT id, lower(email), amount::decimal(12, 2), placed_at FROM staging",
        create_table_sql=TABLE,
        query_group="loads",
        execution_timeout=timedelta(hours=2),
    )
    manifest_written >> load
