# Updraft sha256:2c3a3321909d853c6d15581f1b24ce6b4058e7c3327ab0e059608c2adab9e7e6
"""Reprocess on demand: runs a shell command.

1. `runner` launches the instance of the run.
2. `reprocess` runs a shell command.
3. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `reprocess_on_demand.json`:
`runner` was `Runner` (Ec2Resource), `reprocess` was `Reprocess` (ShellCommandActivity),
`runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `mySource` (S3 URI, required): Folder to read again
- `myDays` (integer): Days to go back
- `myShare` (number): Share of the files
- `myMode` (string): What to do with what is there
- `myNote` (string): Why
- `myInstanceType` (string): Type of the instance
- `mySubnet` (string): Subnet of the instance
- `myHours` (integer): Longest time in hours

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="reprocess_on_demand",
    schedule=None,
    catchup=False,
    max_active_runs=2,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "mySource": Param(
            type="string", pattern="^s3://[^/]+", title="Folder to read again"
        ),
        "myDays": Param(7, type="integer", title="Days to go back"),
        "myShare": Param(1.0, type="number", title="Share of the files"),
        "myMode": Param(
            "replace",
            type="string",
            enum=["append", "replace"],
            title="What to do with what is there",
        ),
        "myNote": Param("", type="string", title="Why"),
        "myInstanceType": Param(
            "m5.large", type="string", minLength=1, title="Type of the instance"
        ),
        "mySubnet": Param(
            "subnet-0a1b2c3d",
            type="string",
            minLength=1,
            title="Subnet of the instance",
            description_md="subnet-…",
        ),
        "myHours": Param(3, type="integer", title="Longest time in hours"),
    },
):
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="{{ params.myInstanceType }}",
        subnet_id="{{ params.mySubnet }}",
        terminate_after="{{ params.myHours }} hours",
    ).as_setup()
    reprocess = ShellCommandOperator(
        task_id="reprocess",
        instance_id=runner.output,
        script_uri="s3://acme-tools/reprocess.sh",
        arguments=[
            "{{ params.mySource }}",
            "{{ params.myDays }}",
            "{{ params.myShare }}",
            "{{ params.myMode }}",
            "{{ params.myNote }}",
            "run-{{ dag.dag_id }}-{{ dag_run.run_after.strftime('%Y%m%d%H%M%S') }}",
        ],
        user="ec2-user",
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    reprocess >> runner_terminate
