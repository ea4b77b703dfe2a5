"""
### Unload rows of Amazon Redshift to S3

Writes the rows of a query or table to files in S3, once however often the task is
tried.

**Steps**
1. `unload` runs UNLOAD and waits for its end without holding a worker.

**Parameters**
- `cluster_identifier` or `workgroup_name`, and `database`: where it runs.
- `db_user` or `secret_arn`: who connects; the connection's identity of IAM if neither
  is given.
- `query_group`: query group, by which workload management chooses the queue.
- `query` or `table`: what is written; `columns` of the table, empty for all.
- `s3_uri`: the folder, `s3://bucket/folder`.
- `iam_role`: role by which Redshift writes: an ARN, or `default`.
- `if_exists`: `fail` if the folder has files; `replace` deletes them first;
  `replace_partitions` deletes those of the partitions that are written.
- `file_format`, `compression`, `delimiter`, `header`: what the files look like.
- `parallel`: whether each slice writes files of its own.
- `max_file_size`: longest file in MB; 0 for what Redshift takes.
- `manifest`: whether a list of the files is written, and with which details.
- `partition_by`, `include_partition_columns`: columns whose values become folders, and
  whether they stay in the files.
- `target_region`: region of the bucket, if it is another one.
- `region_name`: region of the cluster; empty for that of the connection.

```json
{"cluster_identifier": "etl", "db_user": "etl", "table": "sales.orders",
 "s3_uri": "s3://bucket/orders/2026-11-02/", "file_format": "parquet"}
```

**When it fails**: the folder may have files of the failed attempt. With `replace`, a
retry deletes them; with `fail`, somebody has to. A retry finds an UNLOAD that has
succeeded; clearing the task writes again. Ending the task cancels the UNLOAD.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields, redshift_form_fields
from updraft.compat import DAG, Param
from updraft.operators.redshift_unload import RedshiftUnloadOperator

with DAG(
    dag_id="redshift_unload",
    description="Writes rows of Amazon Redshift to files in S3",
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
        "query": form_fields.text("Query", "SELECT …; or a table.", lines=True),
        "table": form_fields.text("Table", "Such as sales.orders; or a query."),
        "columns": form_fields.names("Columns", "Of the table; empty for all."),
        "s3_uri": Param(
            type="string",
            pattern=form_fields.S3_PREFIX,
            title="Folder",
            description="s3://bucket/folder for the files.",
        ),
        "iam_role": Param(
            "default",
            type="string",
            minLength=1,
            title="Role",
            description="By which Redshift writes: an ARN, or default.",
        ),
        "if_exists": form_fields.choice(
            "If there are files",
            ["fail", "replace", "replace_partitions"],
            "Replacing deletes them first.",
            "fail",
        ),
        "file_format": form_fields.choice(
            "Format", ["csv", "tsv", "text", "json", "parquet"], "Of the files.", "csv"
        ),
        "compression": form_fields.choice(
            "Compression", ["gzip", "bzip2", "zstd"], "Not for Parquet."
        ),
        "delimiter": form_fields.text("Delimiter", "Character between two fields."),
        "header": Param(
            False,
            type="boolean",
            title="Header",
            description="Whether files begin with the names of the columns.",
        ),
        "parallel": Param(
            True,
            type="boolean",
            title="Parallel",
            description="Whether each slice writes files of its own.",
        ),
        "max_file_size": Param(
            0,
            type="integer",
            minimum=0,
            maximum=6200,
            title="Longest file",
            description="5 to 6200 MB; 0 for what Redshift takes.",
        ),
        "manifest": form_fields.choice(
            "Manifest",
            ["none", "files", "verbose"],
            "List of the files; verbose has columns and numbers of rows.",
            "none",
        ),
        "partition_by": form_fields.names(
            "Partitions", "Columns whose values become folders."
        ),
        "include_partition_columns": Param(
            False,
            type="boolean",
            title="Keep their columns",
            description="Whether they stay in the files.",
        ),
        "target_region": form_fields.region("Region of the bucket"),
        "region_name": form_fields.region("Region of the cluster"),
    },
):
    RedshiftUnloadOperator(
        task_id="unload",
        cluster_identifier="{{ params.cluster_identifier or '' }}",
        workgroup_name="{{ params.workgroup_name or '' }}",
        database="{{ params.database }}",
        db_user="{{ params.db_user or '' }}",
        secret_arn="{{ params.secret_arn or '' }}",  # noqa: S106 - a template
        query_group="{{ params.query_group or '' }}",
        query="{{ params.query or '' }}",
        table="{{ params.table or '' }}",
        columns="{{ params.columns | tojson }}",
        s3_uri="{{ params.s3_uri }}",
        iam_role="{{ params.iam_role }}",
        if_exists="{{ params.if_exists }}",
        file_format="{{ params.file_format }}",
        compression="{{ params.compression or '' }}",
        delimiter="{{ params.delimiter or '' }}",
        header="{{ params.header }}",
        parallel="{{ params.parallel }}",
        max_file_size="{{ params.max_file_size }}",
        manifest="{{ params.manifest }}",
        partition_by="{{ params.partition_by | tojson }}",
        include_partition_columns="{{ params.include_partition_columns }}",
        target_region="{{ params.target_region or '' }}",
        region_name="{{ params.region_name or '' }}",
    )
