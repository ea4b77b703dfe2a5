# Updraft sha256:5a82b3ee312bcb034c058283e18cc5118de45b65935450b6ba6feaa3aded2911
"""Partner feed gate: runs a shell command.

1. `feed_there` waits for an object in S3.
2. `runner` launches the instance of the run.
3. `partner_done` tries a shell command until it succeeds.
4. `checksum_right` tries a shell command until it succeeds.
5. `load_feed` runs a shell command.
6. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `partner_feed_gate.json`:
`feed_there` was `FeedThere` (Exists), `runner` was `Runner` (Ec2Resource),
`partner_done` was `PartnerDone` (ShellCommandPrecondition), `checksum_right` was
`ChecksumRight` (ShellCommandPrecondition), `load_feed` was `LoadFeed`
(ShellCommandActivity), `runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every day at 12:00 UTC, when its period begins; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="partner_feed_gate",
    schedule=CronTriggerTimetable("0 12 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 12, tzinfo=UTC),
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
    feed_there = S3KeySensor(
        task_id="feed_there",
        bucket_key=(
            "s3://partner-drop/feed-{{ data_interval_start.format('YYYYMMDD') }}.xml"
        ),
        deferrable=True,
        poke_interval=timedelta(minutes=10),
        timeout=timedelta(hours=8),
    )
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="t3.small",
        terminate_after=timedelta(hours=9),
    ).as_setup()
    partner_done = ShellCommandOperator(
        task_id="partner_done",
        instance_id=runner.output,
        command="curl --fail --silent https://partner.example/status/$1",
        arguments=["{{ data_interval_start.format('YYYY-MM-DD') }}"],
        stdout_uri="s3://acme-ops/partner/stdout/stdout",
        stderr_uri="s3://acme-ops/partner/stderr/stderr",
        user="ec2-user",
        retry_delay=timedelta(minutes=15),
        retries=24,
    )
    checksum_right = ShellCommandOperator(
        task_id="checksum_right",
        instance_id=runner.output,
        script_uri="s3://acme-tools/compare-checksum.sh",
        arguments=[
            "s3://partner-drop/feed-{{ data_interval_start.format('YYYYMMDD') }}.xml",
            "sha256",
        ],
        user="ec2-user",
        retries=1008,
        retry_delay=timedelta(minutes=10),
    )
    load_feed = ShellCommandOperator(
        task_id="load_feed",
        instance_id=runner.output,
        command=(
            "load-feed "
            "s3://partner-drop/feed-{{ data_interval_start.format('YYYYMMDD') }}.xml"
        ),
        inputs=[
            "s3://partner-drop/feed-{{ data_interval_start.format('YYYYMMDD') }}.xml"
        ],
        user="ec2-user",
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    [feed_there, partner_done, checksum_right] >> load_feed >> runner_terminate
