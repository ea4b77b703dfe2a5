# Updraft sha256:ed0847e765034dfea79c5590dec33353ddf7522ed8e94ec237b952aabb116da4
"""Session table backup: exports a DynamoDB table to S3.

1. `table_there` waits until a DynamoDB table is there.
2. `table_filled` waits until a DynamoDB table has an item.
3. `table_backup_activity` exports a DynamoDB table to S3, in the format that the
   pipeline wrote.

**Origin.** Converted from the AWS Data Pipeline definition `session_table_backup.json`:
`table_there` was `TableThere` (DynamoDBTableExists), `table_filled` was `TableFilled`
(DynamoDBDataExists), `table_backup_activity` was `TableBackupActivity` (EmrActivity).

**Schedule.** It runs every day at 01:00 UTC, when its period begins; the first one
begins on 2021-10-04. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**Parameters.** They keep the names they had in the pipeline.

- `myTable` (string): Table to back up
- `myRegion` (string): Region of the table
- `myReadRatio` (number): Share of the read capacity
- `myBackupFolder` (S3 URI): Folder for backups

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param
from updraft.operators.dynamodb import DynamoDBExportOperator
from updraft.sensors.dynamodb import DynamoDBDataExistsSensor, DynamoDBTableExistsSensor

with DAG(
    dag_id="session_table_backup",
    schedule=CronTriggerTimetable("0 1 * * *", timezone="UTC"),
    start_date=datetime(2021, 10, 4, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "region_name": "{{ params.myRegion }}",
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "myTable": Param(
            "sessions", type="string", minLength=1, title="Table to back up"
        ),
        "myRegion": Param(
            "eu-west-1",
            type="string",
            minLength=1,
            title="Region of the table",
            examples=["us-east-1"],
        ),
        "myReadRatio": Param(
            0.25,
            type="number",
            minimum=0.1,
            maximum=1.0,
            title="Share of the read capacity",
            description_md="Enter value between 0.1-1.0",
        ),
        "myBackupFolder": Param(
            "s3://acme-backups/dynamodb/sessions",
            type="string",
            pattern="^s3://[^/]+",
            title="Folder for backups",
        ),
    },
):
    table_there = DynamoDBTableExistsSensor(
        task_id="table_there",
        table_name="{{ params.myTable }}",
        poke_interval=timedelta(minutes=10),
        timeout=timedelta(days=7),
        retries=0,
    )
    table_filled = DynamoDBDataExistsSensor(
        task_id="table_filled",
        table_name="{{ params.myTable }}",
        poke_interval=timedelta(minutes=10),
        timeout=timedelta(hours=1),
    )
    table_backup_activity = DynamoDBExportOperator(
        task_id="table_backup_activity",
        table_name="{{ params.myTable }}",
        s3_uri=(
            "{{ params.myBackupFolder }}/"
            "{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}"
        ),
        read_throughput_ratio="{{ params.myReadRatio }}",
        execution_timeout=timedelta(hours=6),
    )

    [table_there, table_filled] >> table_backup_activity
