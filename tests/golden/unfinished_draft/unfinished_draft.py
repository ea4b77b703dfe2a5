# Updraft sha256:dc4984109c2ad1afd8785c258632b0cdc00c41db923c3b4057ed4254ca7fe966
"""Unfinished draft: runs a shell command.

**Before it is switched on.** The definition has errors; what they hit fails until it is
put right.

- `Fetch.command`, line 16: There is no function 'yesterdy'. Did you mean 'yesterday'?
- `Clean.type`, line 18: AWS Data Pipeline has no object type of this name. Did you mean
  'ShellCommandActivity'?
- `Publish.dependsOn`, line 29: The reference points to an object that does not exist.
  Add that object, or remove the reference.
- `Publish.retryDelay`, line 31: retryDelay takes a period. Write a number and minutes,
  hours, days, weeks, months or years. Until then it is left out.
- `Report.database`, line 33: SqlActivity needs the field 'database'. Add it to the
  object, its parent or Default.

1. `approval` fails, because the definition has no object with this id.
2. `runner` launches the instance of the run.
3. `fetch` fails, because command: there is no function 'yesterdy'.
4. `clean` fails, because ShellComandActivity is no object type of AWS Data Pipeline.
5. `publish` runs a shell command.
6. `report` fails, because SqlActivity needs the field 'database'.
7. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `unfinished_draft.json`:
`approval` was `Approval` (-), `runner` was `Runner` (Ec2Resource), `fetch` was `Fetch`
(ShellCommandActivity), `clean` was `Clean` (ShellComandActivity), `publish` was
`Publish` (ShellCommandActivity), `report` was `Report` (SqlActivity),
`runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every day at 04:00 UTC, when its period begins; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place. Tasks of type `NotMigratedOperator` always fail: replace
each by one that does the work; the conversion report says what was there.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.placeholder import NotMigratedOperator
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="unfinished_draft",
    schedule=CronTriggerTimetable("0 4 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 4, tzinfo=UTC),
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
    approval = NotMigratedOperator(
        task_id="approval",
        reason="the definition has no object with this id",
        object_id="Approval",
        object_type="-",
    )
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="t3.small",
        terminate_after=timedelta(hours=2),
    ).as_setup()
    fetch = NotMigratedOperator(
        task_id="fetch",
        reason="command: there is no function 'yesterdy'",
        object_id="Fetch",
        object_type="ShellCommandActivity",
    )
    clean = NotMigratedOperator(
        task_id="clean",
        reason="ShellComandActivity is no object type of AWS Data Pipeline",
        object_id="Clean",
        object_type="ShellComandActivity",
    )
    publish = ShellCommandOperator(
        task_id="publish",
        instance_id=runner.output,
        command="publish /data",
        user="ec2-user",
    )
    report = NotMigratedOperator(
        task_id="report",
        reason="SqlActivity needs the field 'database'",
        object_id="Report",
        object_type="SqlActivity",
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    runner >> fetch >> clean
    [clean, approval] >> publish >> report >> runner_terminate
