# Updraft sha256:43c83c29ad74018576a4cf179e8b0ffca8d150019e49a9f028fa9ab4bb514c15
"""Regions list: runs a shell command.

1. `inventory` fails, because a list in a text is not supported: write one text for
   each.
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
so it writes to the same place. Tasks of type `NotMigratedOperator` always fail: replace
each by one that does the work; the conversion report says what was there.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.placeholder import NotMigratedOperator
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
    inventory = NotMigratedOperator(
        task_id="inventory",
        reason="a list in a text is not supported: write one text for each",
        object_id="Inventory",
        object_type="ShellCommandActivity",
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
