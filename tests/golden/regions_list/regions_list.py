# Updraft sha256:d02eb150543073b8d7b4805050ce3e3168d4f78ad96d47d3744f5cce792a4598
"""Regions list: runs a shell command.

1. `inventory` runs a shell command.
2. `compare` runs a shell command.

**Origin.** Converted from the AWS Data Pipeline definition `regions_list.json`:
`inventory` was `Inventory` (ShellCommandActivity), `compare` was `Compare`
(ShellCommandActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `myRegions` (list of string): Regions
- `myBuckets` (list of S3 URI): Folders

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="regions_list",
    schedule=None,
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
        "myRegions": Param(
            ["eu-west-1", "us-east-1", "ap-southeast-2"],
            type="array",
            items={"type": "string"},
            title="Regions",
        ),
        "myBuckets": Param(
            ["s3://acme-a/", "s3://acme-b/"],
            type="array",
            items={"type": "string", "pattern": "^s3://[^/]+"},
            title="Folders",
        ),
    },
):
    inventory = ShellCommandOperator(
        task_id="inventory",
        instance_tags={"worker-group": "inventory"},
        command='inventory "$@"',
        arguments=(
            "{{ macros.updraft.flatten(macros.updraft.add('region=', "
            "params.myRegions), macros.updraft.add('stage=', macros.updraft.flatten("
            "'prod', 'test')), macros.updraft.flatten(1, 2 * 3, 'all'), "
            "params.myBuckets) | map('string') | list | tojson }}"
        ),
    )
    compare = ShellCommandOperator(
        task_id="compare",
        instance_tags={"worker-group": "inventory"},
        command='compare "$@"',
        arguments=(
            "{{ macros.updraft.flatten('--folders', params.myBuckets) | map("
            "'string') | list | tojson }}"
        ),
    )

    inventory >> compare
