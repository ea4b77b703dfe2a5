# Updraft sha256:e3ad168da7d84ba4dd108e3f8f08a06f5a51fe7cb95130c00bc51118aa03a7d8
"""Trial week cleanup: runs a shell command.

1. `runner` launches the instance of the run.
2. `clean_up` runs a shell command.
3. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `trial_week_cleanup.json`:
`runner` was `Runner` (Ec2Resource), `clean_up` was `CleanUp` (ShellCommandActivity),
`runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every 12 hours, when its period begins; the first one begins on
2026-12-01 at 07:48 UTC, the last one on 2026-12-05 at 19:48 UTC. Periods that pass
while it is paused run later. A run that you trigger needs a logical date, which tells
its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="trial_week_cleanup",
    schedule=CronTriggerTimetable("48 7,19 * * *", timezone="UTC"),
    start_date=datetime(2026, 12, 1, 7, 48, tzinfo=UTC),
    end_date=datetime(2026, 12, 5, 19, 48, tzinfo=UTC),
    catchup=True,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="t3.micro",
        terminate_after=timedelta(minutes=30),
    ).as_setup()
    clean_up = ShellCommandOperator(
        task_id="clean_up",
        instance_id=runner.output,
        command=(
            "aws s3 rm --recursive s3://acme-trials/expired/"
            "{{ data_interval_start.subtract(days=1).format('YYYY-MM-DD') }}/"
        ),
        user="ec2-user",
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    clean_up >> runner_terminate
