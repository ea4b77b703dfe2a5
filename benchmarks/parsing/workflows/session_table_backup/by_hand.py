"""Backs the session table up to S3 each night, if it is there and not empty."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Param

from updraft.operators.dynamodb import DynamoDBExportOperator
from updraft.sensors.dynamodb import DynamoDBDataExistsSensor, DynamoDBTableExistsSensor

with DAG(
    dag_id="session_table_backup",
    schedule="0 1 * * *",
    start_date=datetime(2021, 10, 4, 1),  # noqa: DTZ001 as people write it
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-platform", "retries": 2, "retry_delay": timedelta(minutes=10)},
    tags=["accounts"],
    doc_md=__doc__,
    params={
        "myTable": Param("sessions", type="string", minLength=1, title="Table to back up"),
        "myRegion": Param("eu-west-1", type="string", minLength=1, title="Region of the table"),
        "myReadRatio": Param(
            0.25, type="number", minimum=0.1, maximum=1.0, title="Share of the read capacity"
        ),
        "myBackupFolder": Param(
            "s3://acme-backups/dynamodb/sessions",
            type="string",
            pattern="^s3://[^/]+",
            title="Folder for backups",
        ),
    },
):
    table = {"table_name": "{{ params.myTable }}", "region_name": "{{ params.myRegion }}"}
    there = DynamoDBTableExistsSensor(
        task_id="table_there",
        poke_interval=600,
        timeout=timedelta(days=7).total_seconds(),
        retries=0,
        **table,
    )
    filled = DynamoDBDataExistsSensor(
        task_id="table_filled", poke_interval=600, timeout=60 * 60, **table
    )
    backup = DynamoDBExportOperator(
        task_id="table_backup_activity",
        s3_uri=(
            "{{ params.myBackupFolder }}/{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}"
        ),
        read_throughput_ratio="{{ params.myReadRatio }}",
        execution_timeout=timedelta(hours=6),
        **table,
    )
    [there, filled] >> backup
