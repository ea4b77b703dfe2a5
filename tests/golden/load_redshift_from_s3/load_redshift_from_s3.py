# Updraft sha256:550d939fa5c830fb3994c8b432d151b5cc19ccd1d07fb82c4287ebe23b71f875
"""Load Redshift from S3.

1. `redshift_load_activity` loads files from S3 into a Redshift table.
2. `summary_activity` runs a script of SQL on Redshift.
3. `redshift_unload_activity` unloads a Redshift table to files in S3.

**Origin.** Converted from the AWS Data Pipeline definition
`load-redshift-from-s3.json`: `redshift_load_activity` was `RedshiftLoadActivity`
(RedshiftCopyActivity), `summary_activity` was `SummaryActivity` (SqlActivity),
`redshift_unload_activity` was `RedshiftUnloadActivity` (RedshiftCopyActivity).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline.

- `myInputS3Loc` (S3 URI, required): Folder with the CSV files
- `myOutputS3Loc` (S3 URI, required): Folder for the totals
- `myRedshiftJdbcConnectStr` (string, required): JDBC connection string of the cluster
- `myRedshiftDbName` (string): Database
- `myRedshiftUsername` (string, required): Database user
- `myRedshiftTableName` (string): Table in the schema sales

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.redshift_copy import RedshiftCopyOperator
from updraft.operators.redshift_sql import RedshiftSqlOperator
from updraft.operators.redshift_unload import RedshiftUnloadOperator

with DAG(
    dag_id="load_redshift_from_s3",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=2),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "myInputS3Loc": Param(
            type="string", pattern="^s3://[^/]+", title="Folder with the CSV files"
        ),
        "myOutputS3Loc": Param(
            type="string", pattern="^s3://[^/]+", title="Folder for the totals"
        ),
        "myRedshiftJdbcConnectStr": Param(
            type="string",
            minLength=1,
            title="JDBC connection string of the cluster",
            examples=["jdbc:redshift://endpoint:port/database"],
        ),
        "myRedshiftDbName": Param("dev", type="string", minLength=1, title="Database"),
        "myRedshiftUsername": Param(type="string", minLength=1, title="Database user"),
        "myRedshiftTableName": Param(
            "orders", type="string", minLength=1, title="Table in the schema sales"
        ),
    },
):
    redshift_load_activity = RedshiftCopyOperator(
        task_id="redshift_load_activity",
        cluster_identifier=(
            "{{ params.myRedshiftJdbcConnectStr.split('//')[1].split('.')[0] }}"
        ),
        database="{{ params.myRedshiftDbName }}",
        db_user="{{ params.myRedshiftUsername }}",
        table="{{ params.myRedshiftTableName }}",
        schema="sales",
        s3_uri="{{ params.myInputS3Loc.rstrip('/') }}/",
        compression="gzip",
        iam_role="default",
        copy_options=["CSV", "IGNOREHEADER 1", "EMPTYASNULL"],
        insert_mode="OVERWRITE_EXISTING",
        primary_keys=["id"],
        transform_sql=(
            "SELECT id, upper(country), amount, sold FROM staging WHERE amount > 0"
        ),
        create_table_sql=(
            "CREATE TABLE sales.{{ params.myRedshiftTableName }} (id INT, country "
            "CHAR(2), amount INT, sold DATE, PRIMARY KEY (id)) DISTKEY(id) "
            "SORTKEY(sold);"
        ),
        query_group="etl",
    )
    summary_activity = RedshiftSqlOperator(
        task_id="summary_activity",
        cluster_identifier=(
            "{{ params.myRedshiftJdbcConnectStr.split('//')[1].split('.')[0] }}"
        ),
        database="{{ params.myRedshiftDbName }}",
        db_user="{{ params.myRedshiftUsername }}",
        sql=(
            "CREATE TABLE IF NOT EXISTS sales.totals (sold DATE, country CHAR(2), "
            "amount BIGINT);\n"
            "DELETE FROM sales.totals WHERE sold = ?;\n"
            "INSERT INTO sales.totals SELECT sold, country, sum(amount) FROM "
            "sales.{{ params.myRedshiftTableName }} WHERE sold = ? GROUP BY 1, 2;"
        ),
        script_arguments=[
            "{{ dag_run.run_after.strftime('%Y-%m-%d') }}",
            "{{ dag_run.run_after.strftime('%Y-%m-%d') }}",
        ],
        transaction=False,
        max_rows=0,
        query_group="etl",
    )
    redshift_unload_activity = RedshiftUnloadOperator(
        task_id="redshift_unload_activity",
        cluster_identifier=(
            "{{ params.myRedshiftJdbcConnectStr.split('//')[1].split('.')[0] }}"
        ),
        database="{{ params.myRedshiftDbName }}",
        db_user="{{ params.myRedshiftUsername }}",
        table="totals",
        schema="sales",
        s3_uri=(
            "{{ params.myOutputS3Loc }}/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}"
        ),
        iam_role="default",
        file_format="text",
        parallel=False,
        delimiter="\t",
        escape=True,
        query_group="etl",
    )

    redshift_load_activity >> summary_activity >> redshift_unload_activity
