# Updraft sha256:402a216ea34b18a6915d04aaf67c4be84eaed5f8e0babacac5d27dc60daa0c21
"""Shared cluster two speeds hourly: runs a shell command.

1. `wait_for_collect` waits for `collect` of `shared_cluster_two_speeds_every_twenty`,
   in the periods that overlap.
2. `runner` launches the instance of the run.
3. `aggregate` runs a shell command.
4. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition
`shared_cluster_two_speeds.json`: `wait_for_collect` was `Collect`
(ShellCommandActivity), `runner` was `Runner` (Ec2Resource), `aggregate` was `Aggregate`
(ShellCommandActivity), `runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every hour at minute 0, when its period has ended; the first one
begins on 2024-01-01 at 00:00 UTC. Of the periods that pass while it is paused, the last
one runs. A run that you trigger needs a logical date, which tells its period. Switch on
`shared_cluster_two_speeds_every_twenty` first, and this DAG once a period of it has
passed: what it waits for are runs of its own period, and Airflow makes none for the
time before.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import DAG, CronDataIntervalTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator
from updraft.timetables import overlapping_runs

with DAG(
    dag_id="shared_cluster_two_speeds_hourly",
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
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
    wait_for_collect = ExternalTaskSensor(
        task_id="wait_for_collect",
        external_dag_id="shared_cluster_two_speeds_every_twenty",
        external_task_id="collect",
        execution_date_fn=overlapping_runs(
            datetime(2024, 1, 1, tzinfo=UTC),
            "20 minutes",
            own_start=datetime(2024, 1, 1, tzinfo=UTC),
            own_period="1 hour",
        ),
        mode="reschedule",
        timeout=timedelta(minutes=80),
        failed_states=["failed", "upstream_failed"],
    )
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="c5.large",
        terminate_after=timedelta(hours=2),
    ).as_setup()
    aggregate = ShellCommandOperator(
        task_id="aggregate",
        instance_id=runner.output,
        command=(
            "aggregate s3://acme-metrics/samples/"
            "{{ data_interval_start.format('YYYY-MM-DD/HH') }} --hour "
            "{{ data_interval_start.hour }}"
        ),
        user="ec2-user",
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    wait_for_collect >> runner
    aggregate >> runner_terminate
