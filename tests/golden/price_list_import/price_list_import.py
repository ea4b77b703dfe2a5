# Updraft sha256:5a2eab625ddc85f9b54649726c0909e9d70d992613ccb930dddd7deffe895d38
"""Price list import: loads files from S3 into a table.

1. `import` loads files from S3 into a table.

**Origin.** Converted from the AWS Data Pipeline definition `price_list_import.json`:
`import` was `Import` (CopyActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `myPriceFile` (S3 URI, required): File with prices

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import DAG, Param
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator

MESSAGE = (
    "{{ params.myPriceFile }} went into prices at "
    "{{ (ti.end_date or macros.datetime.utcnow()).strftime('%Y-%m-%dT%H:%M:%S') }}."
)

tell_shop = SnsNotifier(
    target_arn="arn:aws:sns:eu-west-1:111122223333:shop",
    region_name="eu-west-1",
    subject="New prices",
    message=MESSAGE,
)
tell_buyers = SnsNotifier(
    target_arn="arn:aws:sns:eu-west-1:111122223333:buyers",
    region_name="eu-west-1",
    subject="New prices",
    message=MESSAGE,
)

with DAG(
    dag_id="price_list_import",
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
        "myPriceFile": Param(
            type="string",
            pattern="^s3://[^/]+",
            title="File with prices",
            description_md="Tabs between the columns",
        ),
    },
):
    CopyS3ToSqlOperator(
        task_id="import",
        s3_uri="{{ params.myPriceFile }}",
        sql_conn_id="prices",
        insert_query="REPLACE INTO prices (sku, price, valid_from) VALUES (?, ?, ?)",
        table="prices",
        create_table_sql=(
            "CREATE TABLE prices (sku VARCHAR(32), price DECIMAL(10, 2), valid_from "
            "DATE, PRIMARY KEY (sku, valid_from))"
        ),
        file_format="tsv",
        on_success_callback=[tell_shop, tell_buyers],
    )
