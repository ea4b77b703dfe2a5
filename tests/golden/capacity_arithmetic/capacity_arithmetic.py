# Updraft sha256:bdb89d06fa06d7ab8ba4b3b1f558d1c37b536bdd3416f3d042a7ce8ebcefbe8b
"""Capacity arithmetic: runs a shell command.

1. `plan` runs a shell command.

**Origin.** Converted from the AWS Data Pipeline definition `capacity_arithmetic.json`:
`plan` was `Plan` (ShellCommandActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `myReads` (integer): Read units
- `myWrites` (integer): Write units
- `myOffset` (integer): Offset
- `myShare` (number): Share for this pipeline

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="capacity_arithmetic",
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
        "myReads": Param(4000, type="integer", title="Read units"),
        "myWrites": Param(500, type="integer", title="Write units"),
        "myOffset": Param(3, type="integer", title="Offset"),
        "myShare": Param(0.4, type="number", title="Share for this pipeline"),
    },
):
    ShellCommandOperator(
        task_id="plan",
        instance_tags={"worker-group": "capacity"},
        command="plan",
        arguments=[
            (
                "--shards={{ macros.updraft.divide(params.myReads + params.myWrites * "
                "2, 1000) }}"
            ),
            "--half={{ macros.updraft.divide(params.myReads, 2) }}",
            (
                "--exact={{ macros.updraft.text(macros.updraft.divide(1.0 * "
                "params.myReads, 1000)) }}"
            ),
            (
                "--spare={{ macros.updraft.text(macros.updraft.subtract("
                "params.myReads, '1000')) }}"
            ),
            "--buckets={{ macros.updraft.text(macros.updraft.power(2, 4)) }}",
            "--offset={{ -1 * params.myOffset }}",
            "--share={{ macros.updraft.text(params.myShare * 100) }}",
            "--label=capacity-{{ params.myReads }}",
        ],
    )
