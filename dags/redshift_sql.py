"""
### Run SQL on Amazon Redshift

Runs statements on a cluster or a workgroup of Redshift Serverless, each once however
often the task is tried. It takes the place of Data Pipeline's SqlActivity on Redshift.

**Steps**
1. `run` submits the statements by the Data API and waits for their end without holding
   a worker. They are one transaction, unless `transaction` is off.

**Parameters**
- `cluster_identifier` or `workgroup_name`, and `database`: where it runs.
- `db_user` or `secret_arn`: who connects; the connection's identity of IAM if neither
  is given.
- `sql`: the statements, with semicolons between them; or `script_uri`: a script in S3.
- `parameters`: values for `:name` in the statements, such as `{"day": "2026-11-02"}`.
- `script_arguments`: values for the question marks of a legacy script, in order.
- `query_group`: query group, by which workload management chooses the queue.
- `transaction`: whether all statements count together, or each as soon as it has ended.
- `wait_for_available`: whether to wait while the cluster is paused or resized.
- `max_rows`, `truncate_result`: most rows of the last query that go to XCom, and
  whether more are left out; otherwise they are an error.
- `result_uri`, `result_format`, `overwrite_result`, `iam_role`: where in S3 the rows of
  the last query go instead, in which format, whether what is there is removed first,
  and the role of the cluster that writes.
- `region_name`: region; empty for that of the connection.

```json
{"cluster_identifier": "etl", "database": "dev", "db_user": "etl",
 "sql": "DELETE FROM sales WHERE day = :day", "parameters": {"day": "2026-11-02"}}
```

**When it fails**: the message has the statement and what Redshift says. A retry finds
what has run already and does not run it again; clearing the task runs all anew. Ending
the task cancels the statement.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields, redshift_form_fields
from updraft.compat import DAG, Param
from updraft.operators.redshift_sql import RedshiftSqlOperator

with DAG(
    dag_id="redshift_sql",
    description="Runs SQL on Amazon Redshift",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "redshift"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        **redshift_form_fields.database(),
        "sql": Param(
            None,
            type=["null", "string"],
            format="multiline",
            title="SQL",
            description="The statements, with semicolons between them.",
        ),
        "script_uri": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.S3_PREFIX,
            title="Script",
            description="s3://bucket/key of a script; instead of SQL.",
        ),
        "parameters": Param(
            {},
            type="object",
            additionalProperties={"type": ["null", "string", "number", "boolean"]},
            propertyNames={"pattern": "^[0-9a-zA-Z_]+$"},
            title="Parameters",
            description='Values for :name, such as {"day": "2026-11-02"}.',
        ),
        "script_arguments": Param(
            [],
            type="array",
            items={"type": ["null", "string", "number", "boolean"]},
            title="Script arguments",
            description="Values for the question marks of a legacy script, in order.",
        ),
        "transaction": Param(
            True,
            type="boolean",
            title="One transaction",
            description="Otherwise each statement counts as soon as it has ended.",
        ),
        "wait_for_available": Param(
            False,
            type="boolean",
            title="Wait for the cluster",
            description="Wait while it is paused or resized.",
        ),
        "max_rows": Param(
            1000,
            type="integer",
            minimum=0,
            maximum=100_000,
            title="Rows",
            description="Most rows of the last query that go to XCom; 0 for none.",
        ),
        "truncate_result": Param(
            False,
            type="boolean",
            title="Leave out more rows",
            description="Otherwise more rows are an error.",
        ),
        "result_uri": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.S3_PREFIX,
            title="Result in S3",
            description="s3://bucket/prefix that the last query is unloaded to.",
        ),
        "result_format": Param(
            "CSV",
            type="string",
            enum=["CSV", "JSON", "PARQUET"],
            title="Format of the result",
            description="CSV has a header.",
        ),
        "overwrite_result": Param(
            False,
            type="boolean",
            title="Overwrite the result",
            description="Remove what is below the prefix first.",
        ),
        "iam_role": Param(
            "default",
            type="string",
            minLength=1,
            title="Role",
            description="Role of the cluster that writes to S3: an ARN, or default.",
        ),
        "region_name": form_fields.region("Region of the cluster"),
    },
):
    RedshiftSqlOperator(
        task_id="run",
        cluster_identifier="{{ params.cluster_identifier or '' }}",
        workgroup_name="{{ params.workgroup_name or '' }}",
        database="{{ params.database }}",
        db_user="{{ params.db_user or '' }}",
        secret_arn="{{ params.secret_arn or '' }}",  # noqa: S106 - a template
        sql="{{ params.sql or '' }}",
        script_uri="{{ params.script_uri or '' }}",
        parameters="{{ params.parameters | tojson }}",
        script_arguments="{{ params.script_arguments | tojson }}",
        query_group="{{ params.query_group or '' }}",
        transaction="{{ params.transaction }}",
        wait_for_available="{{ params.wait_for_available }}",
        max_rows="{{ params.max_rows }}",
        truncate_result="{{ params.truncate_result }}",
        result_uri="{{ params.result_uri or '' }}",
        result_format="{{ params.result_format }}",
        overwrite_result="{{ params.overwrite_result }}",
        iam_role="{{ params.iam_role }}",
        region_name="{{ params.region_name or '' }}",
    )
