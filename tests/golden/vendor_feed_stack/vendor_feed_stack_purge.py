# Updraft sha256:1f4b1ad2f4e1058e2e8f53851fbdb5ad9dc28aaa8d4a771423e6669caac0b525
"""vendor-purge-dev: runs a shell command.

1. `purge` runs a shell command.

**Origin.** Converted from the AWS Data Pipeline definition `vendor_feed_stack.json`:
`purge` was `Purge` (ShellCommandActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `audit_table` (string, required): What another stack exports as audit-table

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="vendor_feed_stack_purge",
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
        "audit_table": Param(
            type="string",
            minLength=1,
            title="What another stack exports as audit-table",
        ),
    },
):
    ShellCommandOperator(
        task_id="purge",
        instance_tags={"worker-group": "vendors"},
        command="purge-feed s3://acme-vendor-dev/ --audit {{ params.audit_table }}",
    )
