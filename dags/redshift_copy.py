"""
### Load a table of Amazon Redshift

Loads files, a table of DynamoDB or another table into a table, once however often
the task is tried, in one transaction. It takes the place of Data Pipeline's
RedshiftCopyActivity.

**Steps**
1. `load` fills a temporary table `staging` with COPY, lets `transform_sql` change the
   rows, and puts them into the table as `insert_mode` says. It holds no worker.

**Parameters**
- `cluster_identifier` or `workgroup_name`, and `database`: where it runs.
- `db_user` or `secret_arn`: who connects; the connection's identity of IAM if neither
  is given.
- `query_group`: query group, by which workload management chooses the queue.
- `table`: what is loaded, such as `sales.orders`.
- `s3_uri`, `dynamodb_table` or `source_table`: where the rows come from.
- `iam_role`: role by which Redshift reads S3 or DynamoDB: an ARN, or `default`.
- `insert_mode`: `APPEND` adds all rows; `TRUNCATE` deletes the old ones first;
  `KEEP_EXISTING` adds rows whose keys are new; `OVERWRITE_EXISTING` replaces rows that
  have the same keys.
- `primary_keys`: columns to compare by; empty for the primary key of the table, else
  its distribution and sort keys.
- `columns`: columns to load, in the order of the input; empty for all.
- `transform_sql`: query over `staging` that gives the rows for the table.
- `create_table_sql`: CREATE TABLE, if there is none yet.
- `file_format`, `compression`, `delimiter`, `ignore_header`, `json_paths`, `manifest`:
  what the files look like.
- `max_error`: number of lines that may fail.
- `source_region`: region of the bucket or DynamoDB table, if it is another one.
- `read_ratio`: per cent of the DynamoDB table's capacity to use; 25 if empty.
- `copy_options`: further options of COPY, such as `EMPTYASNULL`.
- `region_name`: region of the cluster; empty for that of the connection.

```json
{"cluster_identifier": "etl", "db_user": "etl", "table": "sales.orders",
 "s3_uri": "s3://bucket/orders/2026-11-02/", "iam_role": "default",
 "file_format": "csv", "insert_mode": "OVERWRITE_EXISTING"}
```

**When it fails**: the message has the file, line and column that could not be loaded,
and the table is as it was. A retry finds a load that has committed and does not repeat
it; clearing the task loads again. Ending the task cancels the load.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields, redshift_form_fields
from updraft.compat import DAG, Param
from updraft.operators.redshift_copy import RedshiftCopyOperator

with DAG(
    dag_id="redshift_copy",
    description="Loads a table of Amazon Redshift",
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
        "table": Param(
            type="string",
            minLength=1,
            title="Table",
            description="Such as sales.orders.",
        ),
        "s3_uri": form_fields.text(
            "Files",
            "s3://bucket/prefix of the files, or of the manifest.",
            pattern=form_fields.S3_PREFIX,
        ),
        "dynamodb_table": form_fields.text(
            "Table of DynamoDB",
            "Name of a table to load instead of files.",
            pattern="^[A-Za-z0-9_.-]{3,255}$",
        ),
        "source_table": form_fields.text(
            "Other table",
            "Table of the same database to load instead of files.",
        ),
        "iam_role": Param(
            "default",
            type="string",
            minLength=1,
            title="Role",
            description="By which Redshift reads: an ARN, or default.",
        ),
        "insert_mode": form_fields.choice(
            "Insert mode",
            ["APPEND", "TRUNCATE", "KEEP_EXISTING", "OVERWRITE_EXISTING"],
            "What becomes of the rows that the table has.",
            "APPEND",
        ),
        "primary_keys": form_fields.names(
            "Keys", "Columns to compare by; empty for those of the table."
        ),
        "columns": form_fields.names(
            "Columns", "In the order of the input; empty for all."
        ),
        "transform_sql": form_fields.text(
            "Transformation", "SELECT … FROM staging.", lines=True
        ),
        "create_table_sql": form_fields.text(
            "Definition", "CREATE TABLE, if there is none yet.", lines=True
        ),
        "file_format": form_fields.choice(
            "Format",
            ["csv", "tsv", "text", "json", "avro", "parquet", "orc"],
            "Empty for delimited text.",
        ),
        "compression": form_fields.choice(
            "Compression", ["gzip", "bzip2", "zstd", "lzop"], "Of the files."
        ),
        "delimiter": form_fields.text("Delimiter", "Character between two fields."),
        "ignore_header": Param(
            0,
            type="integer",
            minimum=0,
            title="Header lines",
            description="Lines to leave out at the beginning of each file.",
        ),
        "json_paths": form_fields.text(
            "Paths", "For JSON and Avro: URI of the paths; empty for auto."
        ),
        "manifest": Param(
            False,
            type="boolean",
            title="Manifest",
            description="Whether the URI is that of a manifest.",
        ),
        "max_error": Param(
            0,
            type="integer",
            minimum=0,
            maximum=100_000,
            title="Errors",
            description="Number of lines that may fail.",
        ),
        "source_region": form_fields.region("Region of the bucket or DynamoDB table"),
        "read_ratio": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=200,
            title="Read ratio",
            description="Per cent of the DynamoDB table's capacity; 25 if empty.",
        ),
        "copy_options": form_fields.names(
            "Options", "Further options of COPY, such as EMPTYASNULL."
        ),
        "region_name": form_fields.region("Region of the cluster"),
    },
):
    RedshiftCopyOperator(
        task_id="load",
        cluster_identifier="{{ params.cluster_identifier or '' }}",
        workgroup_name="{{ params.workgroup_name or '' }}",
        database="{{ params.database }}",
        db_user="{{ params.db_user or '' }}",
        secret_arn="{{ params.secret_arn or '' }}",  # noqa: S106 - a template
        query_group="{{ params.query_group or '' }}",
        table="{{ params.table }}",
        s3_uri="{{ params.s3_uri or '' }}",
        dynamodb_table="{{ params.dynamodb_table or '' }}",
        source_table="{{ params.source_table or '' }}",
        iam_role="{{ params.iam_role }}",
        insert_mode="{{ params.insert_mode }}",
        primary_keys="{{ params.primary_keys | tojson }}",
        columns="{{ params.columns | tojson }}",
        transform_sql="{{ params.transform_sql or '' }}",
        create_table_sql="{{ params.create_table_sql or '' }}",
        file_format="{{ params.file_format or '' }}",
        compression="{{ params.compression or '' }}",
        delimiter="{{ params.delimiter or '' }}",
        ignore_header="{{ params.ignore_header }}",
        json_paths="{{ params.json_paths or '' }}",
        manifest="{{ params.manifest }}",
        max_error="{{ params.max_error }}",
        source_region="{{ params.source_region or '' }}",
        read_ratio="{{ params.read_ratio or '' }}",
        copy_options="{{ params.copy_options | tojson }}",
        region_name="{{ params.region_name or '' }}",
    )
