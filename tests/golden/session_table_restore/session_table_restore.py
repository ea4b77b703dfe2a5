# Updraft sha256:2c5c1e674b270ae1f64967093a9a1d5ee95c6b68b59a69f04ba79ae3ce2d1338
"""Puts the last backup of the session table back.

1. `table_load_activity` imports files from S3 into a DynamoDB table, which has to
   exist.

**Origin.** Converted from the AWS Data Pipeline definition
`session_table_restore.yaml`: `table_load_activity` was `TableLoadActivity`
(EmrActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `mySource` (S3 URI, required): Folder of the backup

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.dynamodb import DynamoDBImportOperator

with DAG(
    dag_id="session_table_restore",
    description="Puts the last backup of the session table back",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline", "team=accounts"],
    doc_md=__doc__,
    params={
        "mySource": Param(
            type="string", pattern="^s3://[^/]+", title="Folder of the backup"
        ),
    },
):
    DynamoDBImportOperator(
        task_id="table_load_activity",
        s3_uri="{{ params.mySource }}",
        table_name="sessions-production",
        write_throughput_ratio=0.9,
        import_format="DATA_PIPELINE",
        region_name="eu-west-1",
        execution_timeout=timedelta(hours=8),
    )
