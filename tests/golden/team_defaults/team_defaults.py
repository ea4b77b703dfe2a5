# Updraft sha256:f06e6e74bcb373c7328cd7e6ff349cb62327b82734baf5755f114ce2c4a6cf0f
"""Team defaults: runs a shell command.

1. `runner` launches the instance of the run.
2. `campaigns` runs a shell command.
3. `attribute_revenue` runs a shell command.
4. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `team_defaults.json`:
`runner` was `Runner` (Ec2Resource), `campaigns` was `Campaigns` (ShellCommandActivity),
`attribute_revenue` was `Attribution` (ShellCommandActivity), `runner_terminate` was
`Runner` (Ec2Resource).

**Schedule.** It runs every day at 03:00 UTC, when its period begins; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

CAMPAIGNS_OUTPUTS = [
    "s3://acme-marketing/campaigns/{{ data_interval_start.format('YYYY-MM-DD') }}/"
]

with DAG(
    dag_id="team_defaults",
    schedule=CronTriggerTimetable("0 3 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 3, tzinfo=UTC),
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
        instance_type="c5.xlarge",
        terminate_after=timedelta(hours=7),
    ).as_setup()
    campaigns = ShellCommandOperator(
        task_id="campaigns",
        instance_id=runner.output,
        command=(
            "fetch-campaigns --as Campaigns --to s3://acme-marketing/campaigns/"
            "{{ data_interval_start.format('YYYY-MM-DD') }}"
        ),
        outputs=CAMPAIGNS_OUTPUTS,
        command_timeout=timedelta(hours=1),
        user="ec2-user",
        retries=4,
        retry_delay=timedelta(minutes=3),
    )
    attribute_revenue = ShellCommandOperator(
        task_id="attribute_revenue",
        instance_id=runner.output,
        command=(
            "attribute --name 'Attribute revenue' --from s3://acme-marketing/campaigns/"
            "{{ data_interval_start.format('YYYY-MM-DD') }} --compared-with "
            "s3://acme-marketing/campaigns/"
            "{{ data_interval_start.subtract(years=1).format('YYYY-MM-DD') }} --to "
            "s3://acme-marketing/{{ data_interval_start.format('YYYY-MM-DD') }}/"
            "attribution"
        ),
        inputs=CAMPAIGNS_OUTPUTS,
        command_timeout=timedelta(hours=5),
        user="ec2-user",
        retries=4,
        retry_delay=timedelta(minutes=3),
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    campaigns >> attribute_revenue >> runner_terminate
