"""
### Import files from S3 into a DynamoDB table

Restores a backup: the files of legacy AWS Data Pipeline exports, of DynamoDB's own
exports (full and incremental), of `dynamodb_export`, and plain CSV or Parquet. It does
what AWS Data Pipeline's template "Import DynamoDB backup data from S3" did.

**Steps**
1. `import` writes the items into the table. What the table has under other keys stays.

**Parameters**
- `table_name`: name or ARN of the table, which has to exist.
- `s3_uri`: prefix with the files, or URI of a manifest.
- `import_format`: empty for what the manifest says; without one for what the suffixes
  of the files tell, else `DATA_PIPELINE`.
- `write_throughput_ratio`: share of the table's write capacity, such as 0.25; with
  `verify` of its read capacity.
- `on_conflict`: `put` replaces an item that the table has already, `skip` leaves it
  alone.
- `dead_letter_s3_uri`: prefix for records that are no items; empty to stop at the
  first. With `verify` the list of differences goes there, if there are any.
- `region_name`: region of the table; empty for that of the connection.
- `mode`: `import` writes; `verify` only compares files and table, and fails if they
  differ.

```json
{"table_name": "orders", "s3_uri": "s3://backups/orders/2026-11-23"}
```

**When it fails**: the message names the cause, for a wrong record with file and line. A
retry goes on where the last attempt stopped. Clearing the task of a successful run
changes nothing; to import again, trigger a new run.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.dynamodb import DynamoDBImportOperator

with DAG(
    dag_id="dynamodb_import",
    description="Writes files from S3 into a DynamoDB table",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "dynamodb"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "table_name": Param(
            type="string",
            pattern=form_fields.TABLE,
            title="Table",
            description="Name or ARN of the table, which has to exist.",
        ),
        "s3_uri": Param(
            type="string",
            pattern=form_fields.S3_URI,
            title="Source",
            description="s3://bucket/prefix with the files, or a manifest.",
        ),
        "import_format": Param(
            None,
            type=["null", "string"],
            enum=[
                None,
                "DATA_PIPELINE",
                "DYNAMODB_JSON",
                "DYNAMODB_JSON_LINES",
                "ION",
                "CSV",
                "PARQUET",
            ],
            values_display={"null": "As the manifest says"},
            title="Format",
            description="Files without a manifest need it, unless their suffix tells.",
        ),
        "write_throughput_ratio": form_fields.share_of_capacity(
            "Share of the write capacity",
            "Above 0, at most 1. With verify: of the read capacity.",
        ),
        "on_conflict": Param(
            "put",
            type="string",
            enum=["put", "skip"],
            title="Items that exist",
            description="put replaces them, skip leaves them alone.",
        ),
        "dead_letter_s3_uri": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.S3_PREFIX,
            title="Rejected records",
            description="Where they go, or the differences of verify; "
            "empty to stop at the first.",
        ),
        "region_name": form_fields.region("Region of the table"),
        "mode": Param(
            "import",
            type="string",
            enum=["import", "verify"],
            title="Mode",
            description="verify compares files and table, and writes nothing.",
        ),
    },
):
    DynamoDBImportOperator(
        task_id="import",
        table_name="{{ params.table_name }}",
        s3_uri="{{ params.s3_uri }}",
        import_format="{{ params.import_format or '' }}",
        write_throughput_ratio="{{ params.write_throughput_ratio }}",
        on_conflict="{{ params.on_conflict }}",
        on_error="{{ 'dead_letter' if params.dead_letter_s3_uri else 'fail' }}",
        dead_letter_s3_uri="{{ params.dead_letter_s3_uri or '' }}",
        region_name="{{ params.region_name or '' }}",
        mode="{{ params.mode }}",
    )
