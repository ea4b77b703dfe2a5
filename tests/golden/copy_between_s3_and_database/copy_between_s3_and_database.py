# Updraft sha256:fc9853a2d9670817c5bbe367c92e237c7dad7194b934db5410ab36d977bfb757
"""Copy between S3 and database.

1. `load_orders` loads files from S3 into a table.
2. `write_report` writes the result of a query to S3.
3. `archive_orders` copies files within S3.

**Origin.** Converted from the AWS Data Pipeline definition
`copy-between-s3-and-database.json`: `load_orders` was `LoadOrders` (CopyActivity),
`write_report` was `WriteReport` (CopyActivity), `archive_orders` was `ArchiveOrders`
(CopyActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `myInputS3Loc` (S3 URI, required): Folder of the incoming files
- `myOutputS3Loc` (S3 URI, required): Folder for the report and the archive
- `myTableName` (string): Table of the orders

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.s3_to_s3 import CopyS3ToS3Operator
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

with DAG(
    dag_id="copy_between_s3_and_database",
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
        "myInputS3Loc": Param(
            type="string", pattern="^s3://[^/]+", title="Folder of the incoming files"
        ),
        "myOutputS3Loc": Param(
            type="string",
            pattern="^s3://[^/]+",
            title="Folder for the report and the archive",
        ),
        "myTableName": Param(
            "orders", type="string", minLength=1, title="Table of the orders"
        ),
    },
):
    load_orders = CopyS3ToSqlOperator(
        task_id="load_orders",
        s3_uri="{{ params.myInputS3Loc.rstrip('/') }}/",
        sql_conn_id="sales_database",
        insert_query=(
            "INSERT INTO {{ params.myTableName }} (id, country, amount) VALUES (?, "
            "upper(?), ?)"
        ),
        table="{{ params.myTableName }}",
        create_table_sql=(
            "CREATE TABLE {{ params.myTableName }} (id INT, country VARCHAR(2), amount "
            "INT)"
        ),
        execution_timeout=timedelta(hours=3),
    )
    write_report = CopySqlToS3Operator(
        task_id="write_report",
        sql_conn_id="sales_database",
        query=(
            "SELECT country, sum(amount) FROM {{ params.myTableName }} GROUP BY "
            "country ORDER BY country"
        ),
        s3_uri=(
            "{{ params.myOutputS3Loc }}/report/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d') }}.tsv"
        ),
        file_format="tsv",
        execution_timeout=timedelta(hours=1),
    )
    archive_orders = CopyS3ToS3Operator(
        task_id="archive_orders",
        source_s3_uri="{{ params.myInputS3Loc.rstrip('/') }}/",
        dest_s3_uri=(
            "{{ params.myOutputS3Loc }}/archive/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d') }}/"
        ),
        dest_compression="gzip",
        execution_timeout=timedelta(hours=3),
    )

    load_orders >> [write_report, archive_orders]
