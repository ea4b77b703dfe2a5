# Updraft sha256:53473164d029ab51c2688a3f5517de20d6d44995c119a8d764eb1ea63d1b6fac
"""Copy DynamoDB table across regions.

1. `export_activity` exports a DynamoDB table to S3, in the format that the pipeline
   wrote.
2. `import_activity` imports files from S3 into a DynamoDB table, which has to exist.

**Origin.** Converted from the AWS Data Pipeline definition
`copy-dynamodb-table-across-regions.json`: `export_activity` was `ExportActivity`
(EmrActivity), `import_activity` was `ImportActivity` (EmrActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `mySourceTable` (string, required): Table to copy
- `mySourceRegion` (string): Region of the table to copy
- `myTargetTable` (string, required): Table to copy into; it has to exist
- `myTargetRegion` (string): Region of the table to copy into
- `myCopyLocation` (S3 URI, required): S3 folder for the files between the tables
- `myReadThroughputRatio` (number): Share of the read capacity of the table to copy
- `myWriteThroughputRatio` (number): Share of the write capacity of the table to copy
  into

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator

with DAG(
    dag_id="copy_dynamodb_table_across_regions",
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
        "mySourceTable": Param(type="string", minLength=1, title="Table to copy"),
        "mySourceRegion": Param(
            "eu-west-1", type="string", minLength=1, title="Region of the table to copy"
        ),
        "myTargetTable": Param(
            type="string", minLength=1, title="Table to copy into; it has to exist"
        ),
        "myTargetRegion": Param(
            "us-east-1",
            type="string",
            minLength=1,
            title="Region of the table to copy into",
        ),
        "myCopyLocation": Param(
            type="string",
            pattern="^s3://[^/]+",
            title="S3 folder for the files between the tables",
            examples=["s3://backups/copies"],
        ),
        "myReadThroughputRatio": Param(
            0.25,
            type="number",
            minimum=0.1,
            maximum=1.0,
            title="Share of the read capacity of the table to copy",
            description_md="0.1 to 1.0",
        ),
        "myWriteThroughputRatio": Param(
            0.25,
            type="number",
            minimum=0.1,
            maximum=1.0,
            title="Share of the write capacity of the table to copy into",
            description_md="0.1 to 1.0",
        ),
    },
):
    export_activity = DynamoDBExportOperator(
        task_id="export_activity",
        table_name="{{ params.mySourceTable }}",
        s3_uri=(
            "{{ params.myCopyLocation }}/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}"
        ),
        read_throughput_ratio="{{ params.myReadThroughputRatio }}",
        region_name="{{ params.mySourceRegion }}",
        execution_timeout=timedelta(hours=6),
    )
    import_activity = DynamoDBImportOperator(
        task_id="import_activity",
        s3_uri=(
            "{{ params.myCopyLocation }}/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}"
        ),
        table_name="{{ params.myTargetTable }}",
        write_throughput_ratio="{{ params.myWriteThroughputRatio }}",
        import_format="DATA_PIPELINE",
        region_name="{{ params.myTargetRegion }}",
        execution_timeout=timedelta(hours=12),
    )

    export_activity >> import_activity
