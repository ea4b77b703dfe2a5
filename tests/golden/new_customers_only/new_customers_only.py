# Updraft sha256:0bebb3eab70565761253b29c803ebe66b20437c1062aa1c1358199625a4f335a
"""New customers only: loads files from S3 into a Redshift table.

1. `add_new` loads files from S3 into a Redshift table.

**Origin.** Converted from the AWS Data Pipeline definition `new_customers_only.json`:
`add_new` was `AddNew` (RedshiftCopyActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `myFile` (S3 URI, required): File with customers

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.redshift_copy import RedshiftCopyOperator

with DAG(
    dag_id="new_customers_only",
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
        "myFile": Param(
            type="string", pattern="^s3://[^/]+", title="File with customers"
        ),
    },
):
    RedshiftCopyOperator(
        task_id="add_new",
        cluster_identifier="warehouse",
        database="analytics",
        db_user="loader",
        region_name="eu-central-1",
        table="customers",
        s3_uri="{{ params.myFile }}",
        iam_role="default",
        delimiter="|",
        copy_options=["ESCAPE"],
        insert_mode="KEEP_EXISTING",
        primary_keys=["id", "country"],
    )
