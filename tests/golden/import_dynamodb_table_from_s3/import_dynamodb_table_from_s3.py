# Updraft sha256:7b7355f0e65a24ecdded5f9767695dbed0faf0e8b7045cab341483681e864918
"""Import DynamoDB table from S3: imports files from S3 into a DynamoDB table.

1. `table_load_activity` imports files from S3 into a DynamoDB table, which has to
   exist.

**Origin.** Converted from the AWS Data Pipeline definition
`import-dynamodb-table-from-s3.json`: `table_load_activity` was `TableLoadActivity`
(EmrActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `myBackupLocation` (S3 URI, required): S3 folder with the backup
- `myTableName` (string, required): Table to restore into; it has to exist
- `myWriteThroughputRatio` (number): Share of the table's write capacity
- `myRegion` (string): Region of the table

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.dynamodb import DynamoDBImportOperator

with DAG(
    dag_id="import_dynamodb_table_from_s3",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "myBackupLocation": Param(
            type="string",
            pattern="^s3://[^/]+",
            title="S3 folder with the backup",
            examples=["s3://backups/orders/2024-03-01-04-00-00"],
        ),
        "myTableName": Param(
            type="string", minLength=1, title="Table to restore into; it has to exist"
        ),
        "myWriteThroughputRatio": Param(
            0.25,
            type="number",
            minimum=0.1,
            maximum=1.0,
            title="Share of the table's write capacity",
            description_md="0.1 to 1.0",
        ),
        "myRegion": Param(
            "us-east-1", type="string", minLength=1, title="Region of the table"
        ),
    },
):
    DynamoDBImportOperator(
        task_id="table_load_activity",
        s3_uri="{{ params.myBackupLocation }}",
        table_name="{{ params.myTableName }}",
        write_throughput_ratio="{{ params.myWriteThroughputRatio }}",
        import_format="DATA_PIPELINE",
        region_name="{{ params.myRegion }}",
        execution_timeout=timedelta(hours=6),
    )
