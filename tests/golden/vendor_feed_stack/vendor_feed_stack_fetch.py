# Updraft sha256:94373db73717548746959a834c3d24c81aeab75aafa2e4e191eb41ca10310166
"""vendor-fetch-dev: runs a shell command.

1. `check_parameters` fails as long as a parameter without a value is left empty.
2. `runner` launches the instance of the run.
3. `pull` runs a shell command.
4. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `vendor_feed_stack.json`:
`runner` was `Runner` (Ec2Resource), `pull` was `Pull` (ShellCommandActivity),
`runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every day at 01:00 UTC, when its period begins; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**Parameters.** They keep the names they had in the pipeline.

- `vendor_security_group` (string, required): What another stack exports as
  vendor-security-group

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.required_params import RequiredParamsOperator
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="vendor_feed_stack_fetch",
    schedule=CronTriggerTimetable("0 1 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "vendor_security_group": Param(
            None,
            type=["null", "string"],
            minLength=1,
            title="What another stack exports as vendor-security-group",
        ),
    },
):
    check_parameters = RequiredParamsOperator(
        task_id="check_parameters", names=["vendor_security_group"]
    )
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="t3.micro",
        subnet_id="subnet-0a1b2c3d",
        security_group_ids=["{{ params.vendor_security_group }}"],
        terminate_after=timedelta(hours=1),
    ).as_setup()
    pull = ShellCommandOperator(
        task_id="pull",
        instance_id=runner.output,
        command="pull-feed --to s3://acme-vendor-dev/",
        user="ec2-user",
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    check_parameters >> runner
    pull >> runner_terminate
