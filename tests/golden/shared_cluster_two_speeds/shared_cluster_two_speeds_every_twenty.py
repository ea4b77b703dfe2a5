# Updraft sha256:eb18504f85796d6c714df5de543c0b93008bdca7ad25a2c709dc355aa9a017d2
"""Shared cluster two speeds every twenty: runs a shell command.

1. `runner` launches the instance of the run.
2. `collect` runs a shell command.
3. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition
`shared_cluster_two_speeds.json`: `runner` was `Runner` (Ec2Resource), `collect` was
`Collect` (ShellCommandActivity), `runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every 20 minutes, when its period has ended; the first one begins
on 2024-01-01 at 00:00 UTC. Of the periods that pass while it is paused, the last one
runs. A run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="shared_cluster_two_speeds_every_twenty",
    schedule=CronDataIntervalTimetable("*/20 * * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
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
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="c5.large",
        terminate_after=timedelta(hours=2),
    ).as_setup()
    collect = ShellCommandOperator(
        task_id="collect",
        instance_id=runner.output,
        command=(
            "collect --minute {{ data_interval_start.minute }} > "
            "${OUTPUT1_STAGING_DIR}/samples.json"
        ),
        outputs=[
            (
                "s3://acme-metrics/samples/"
                "{{ data_interval_start.format('YYYY-MM-DD/HHmm') }}/"
            )
        ],
        stage=True,
        user="ec2-user",
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    collect >> runner_terminate
