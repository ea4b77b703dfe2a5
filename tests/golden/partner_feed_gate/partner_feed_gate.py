# Updraft sha256:3193b40ab6b6aab756538193a64f89d579ee3fbe4f3ea91f9b70f32bf454cd48
"""What the pipeline partner_feed_gate did.

1. `feed_there` waits for an object in S3.
2. `partner_done` fails, because it runs a command until that succeeds:
   `ShellCommandOperator` with `retries` and `retry_delay` takes its place.
3. `checksum_right` fails, because it runs a command until that succeeds:
   `ShellCommandOperator` with `retries` and `retry_delay` takes its place.
4. `runner` launches the instance of the run.
5. `load_feed` runs a shell command.
6. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `partner_feed_gate.json`:
`feed_there` was `FeedThere` (Exists), `partner_done` was `PartnerDone`
(ShellCommandPrecondition), `checksum_right` was `ChecksumRight`
(ShellCommandPrecondition), `runner` was `Runner` (Ec2Resource), `load_feed` was
`LoadFeed` (ShellCommandActivity), `runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every 1 day, when a period begins, from the period of 2024-01-01
12:00 UTC on. Of the periods that pass while it is paused, the last one runs. A run that
you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place. Tasks of type `NotMigratedOperator` always fail: replace
each by one that does the work; the conversion report says what was there.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.placeholder import NotMigratedOperator
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
    partner_done = NotMigratedOperator(
        task_id="partner_done",
        reason=(
            "it runs a command until that succeeds: `ShellCommandOperator` with "
            "`retries` and `retry_delay` takes its place"
        ),
        object_id="PartnerDone",
        object_type="ShellCommandPrecondition",
    )
    checksum_right = NotMigratedOperator(
        task_id="checksum_right",
        reason=(
            "it runs a command until that succeeds: `ShellCommandOperator` with "
            "`retries` and `retry_delay` takes its place"
        ),
        object_id="ChecksumRight",
        object_type="ShellCommandPrecondition",
    )
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="t3.small",
        terminate_after=timedelta(hours=9),
    ).as_setup()
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
        task_id="runner_terminate",
        instance_id=runner.output,
    ).as_teardown(setups=runner)

    [feed_there, partner_done, checksum_right] >> runner
    load_feed >> runner_terminate
