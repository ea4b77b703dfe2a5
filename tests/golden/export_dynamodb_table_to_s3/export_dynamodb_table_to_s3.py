# Updraft sha256:5b054a712833705f5b07d305db2e92d2b651c9b0a14d1c2007d76b1738f4aba8
"""Export DynamoDB table to S3: exports a DynamoDB table to S3.

1. `table_backup_activity` exports a DynamoDB table to S3, in the format that the
   pipeline wrote.

**Origin.** Converted from the AWS Data Pipeline definition
`export-dynamodb-table-to-s3.json`: `table_backup_activity` was `TableBackupActivity`
(EmrActivity).

**Schedule.** It runs when it is triggered. The pipeline ran once, when it was
activated, so a trigger takes the place of an activation.

**Parameters.** They keep the names they had in the pipeline.

- `myOutputS3Loc` (S3 URI, required): OutputS3folder
- `myDDBReadThroughputRatio` (number): DynamoDB Read Throughput Ratio
- `myDDBTableName` (string, required): DynamoDB Table Name
- `myRegion` (string, required): Region

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.dynamodb import DynamoDBExportOperator

with DAG(
    dag_id="export_dynamodb_table_to_s3",
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
        "myOutputS3Loc": Param(
            type="string", pattern="^s3://[^/]+", title="OutputS3folder"
        ),
        "myDDBReadThroughputRatio": Param(
            0.2,
            type="number",
            minimum=0.1,
            maximum=1.0,
            title="DynamoDB Read Throughput Ratio",
            description_md="Enter value between 0.1 - 1.0",
        ),
        "myDDBTableName": Param(
            type="string", minLength=1, title="DynamoDB Table Name"
        ),
        "myRegion": Param(
            type="string",
            minLength=1,
            title="Region",
            description_md="Region of DynamoDB Table/EMR cluster",
        ),
    },
):
    DynamoDBExportOperator(
        task_id="table_backup_activity",
        table_name="{{ params.myDDBTableName }}",
        s3_uri=(
            "{{ params.myOutputS3Loc }}/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}"
        ),
        read_throughput_ratio="{{ params.myDDBReadThroughputRatio }}",
        region_name="{{ params.myRegion }}",
        execution_timeout=timedelta(hours=12),
    )
