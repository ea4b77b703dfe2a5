# Updraft sha256:3a6d6154c0b5727513910efec14da5dace8a0912e3665208175f2b6c740f0b55
"""Profile table clone.

1. `check_parameters` fails as long as a parameter without a value is left empty.
2. `clone_export` exports a DynamoDB table to S3, one JSON item per line.
3. `clone_import` imports files from S3 into a DynamoDB table, which has to exist.

**Origin.** Converted from the AWS Data Pipeline definition `profile_table_clone.json`:
`clone_export` was `Clone` (HiveCopyActivity), `clone_import` was `Clone`
(HiveCopyActivity).

**Schedule.** It runs every month on day 3 at 22:00 UTC, when its period begins; the
first one begins on 2024-01-03. Of the periods that pass while it is paused, the last
one runs. A run that you trigger needs a logical date, which tells its period.

**Parameters.** They keep the names they had in the pipeline, except for new ones.

- `staging_s3_uri` (S3 URI, required): New: S3 prefix for rows on the way from and to
  tables; the files stay there

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place. `tell_team` tells a topic of Amazon SNS, after the last
try.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import DAG, CronTriggerTimetable, Param
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator
from updraft.operators.required_params import RequiredParamsOperator

tell_team = SnsNotifier(
    target_arn="arn:aws:sns:eu-west-1:111122223333:profiles",
    region_name="eu-west-1",
    subject="Clone of Production failed",
    message="From profiles to profiles-staging: {{ exception | default('') }}",
)

with DAG(
    dag_id="profile_table_clone",
    schedule=CronTriggerTimetable("0 22 3 * *", timezone="UTC"),
    start_date=datetime(2024, 1, 3, 22, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=4),
        "on_failure_callback": [tell_team],
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "staging_s3_uri": Param(
            None,
            type=["null", "string"],
            pattern="^s3://[^/]+",
            title=(
                "New: S3 prefix for rows on the way from and to tables; the files stay "
                "there"
            ),
        ),
    },
):
    check_parameters = RequiredParamsOperator(
        task_id="check_parameters", names=["staging_s3_uri"]
    )
    clone_export = DynamoDBExportOperator(
        task_id="clone_export",
        table_name="profiles",
        s3_uri=(
            "{{ params.staging_s3_uri }}/clone/"
            "{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}"
        ),
        read_throughput_ratio=0.3,
        region_name="eu-west-1",
    )
    clone_import = DynamoDBImportOperator(
        task_id="clone_import",
        s3_uri=(
            "{{ params.staging_s3_uri }}/clone/"
            "{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}"
        ),
        table_name="profiles-staging",
        write_throughput_ratio=0.8,
        import_format="DATA_PIPELINE",
        region_name="eu-central-1",
    )

    check_parameters >> clone_export >> clone_import
