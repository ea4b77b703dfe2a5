# Updraft sha256:46a57102e121e856089ae21891b5aff38ea8396c62d0ab66dc08f709b7a5282d
"""Exports a DynamoDB table to S3 and imports files from S3 into a DynamoDB table.

1. `clone_export` exports a DynamoDB table to S3, one JSON item per line.
2. `clone_import` imports files from S3 into a DynamoDB table, which has to exist.

**Origin.** Converted from the AWS Data Pipeline definition `profile_table_clone.json`:
`clone_export` was `Clone` (HiveCopyActivity), `clone_import` was `Clone`
(HiveCopyActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline, except for new ones.

- `staging_s3_uri` (S3 URI, required): New: S3 prefix for the files between the tables;
  they stay there

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place. `tell_team` tells a topic of Amazon SNS, after the last
try.
"""

from datetime import timedelta

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import DAG, Param
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator

tell_team = SnsNotifier(
    target_arn="arn:aws:sns:eu-west-1:111122223333:profiles",
    region_name="eu-west-1",
    subject="Clone of Production failed",
    message="From profiles to profiles-staging: {{ exception | default('') }}",
)

with DAG(
    dag_id="profile_table_clone",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "on_failure_callback": [tell_team],
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "staging_s3_uri": Param(
            type="string",
            pattern="^s3://[^/]+",
            title="New: S3 prefix for the files between the tables; they stay there",
        ),
    },
):
    clone_export = DynamoDBExportOperator(
        task_id="clone_export",
        table_name="profiles",
        s3_uri=(
            "{{ params.staging_s3_uri }}/clone/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}"
        ),
        read_throughput_ratio=0.3,
        region_name="eu-west-1",
        execution_timeout=timedelta(hours=4),
    )
    clone_import = DynamoDBImportOperator(
        task_id="clone_import",
        s3_uri=(
            "{{ params.staging_s3_uri }}/clone/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}"
        ),
        table_name="profiles-staging",
        write_throughput_ratio=0.8,
        import_format="DATA_PIPELINE",
        region_name="eu-central-1",
        execution_timeout=timedelta(hours=4),
    )

    clone_export >> clone_import
