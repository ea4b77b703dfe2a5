# Updraft sha256:242e7614b8eea8a32ee4d604a05bb0c2ba4433de3ed83fc858b1b423c2b17297
"""Morning report deadline: runs a shell command.

1. `runner` launches the instance of the run.
2. `collect` runs a shell command.
3. `send` runs a shell command.
4. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition
`morning_report_deadline.json`: `runner` was `Runner` (Ec2Resource), `collect` was
`Collect` (ShellCommandActivity), `send` was `Send` (ShellCommandActivity),
`runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every day at 05:00 UTC, when its period begins; the first one
begins on 2024-03-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place. `tell_desk` tells a topic of Amazon SNS, after the last
try.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import DAG, CronTriggerTimetable
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.lateness import fail_when_late
from updraft.operators.shell_command import ShellCommandOperator

tell_desk_late = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(minutes=30),
    callback=AsyncCallback(
        SnsNotifier,
        kwargs={
            "target_arn": "arn:aws:sns:eu-west-1:111122223333:desk",
            "region_name": "eu-west-1",
            "subject": (
                "Morning report of "
                "{{ dag_run.data_interval_start or dag_run.run_after }}"
            ),
            "message": "Collect is late or has failed.",
        },
    ),
)
tell_desk = SnsNotifier(
    target_arn="arn:aws:sns:eu-west-1:111122223333:desk",
    region_name="eu-west-1",
    subject="Morning report of {{ data_interval_start.strftime('%A, %-d %B') }}",
    message="{{ ti.task_id }} is late or has failed.",
)

with DAG(
    dag_id="morning_report_deadline",
    schedule=CronTriggerTimetable("0 5 * * *", timezone="UTC"),
    start_date=datetime(2024, 3, 1, 5, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    deadline=[tell_desk_late],
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="t3.medium",
        terminate_after=timedelta(hours=3),
        on_failure_callback=[tell_desk],
    ).as_setup()
    collect = ShellCommandOperator(
        task_id="collect",
        instance_id=runner.output,
        command="/opt/report/collect.sh",
        user="ec2-user",
        on_failure_callback=[tell_desk],
    )
    send = ShellCommandOperator(
        task_id="send",
        instance_id=runner.output,
        command="/opt/report/send.sh",
        user="ec2-user",
        pre_execute=fail_when_late(timedelta(hours=2)),
        on_failure_callback=[tell_desk],
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    collect >> send >> runner_terminate
