"""
### Export a DynamoDB table to S3

Copies one table to an empty prefix: all ten types as they are stored, numbers with all
their digits. It does what AWS Data Pipeline's template "Export DynamoDB table to S3"
did.

**Steps**
1. `export` reads the table and writes files; the object `manifest` (engine `native`:
   `manifest-summary.json`) comes last and says that the export is complete.

**Parameters**
- `table_name`: name or ARN of the table.
- `s3_uri`: prefix without anything in it, such as `s3://backups/orders/2026-11-23`.
- `engine`: `worker` scans the table with a share of its read capacity. `native` lets
  DynamoDB export a point in time; it takes no read capacity, but the table needs
  point-in-time recovery, and a small table takes minutes too.
- `export_format`: `DATA_PIPELINE` is what the legacy tool wrote. `native` knows
  `DYNAMODB_JSON` and `ION`.
- `read_throughput_ratio`: share of the read capacity for `worker`, such as 0.25.
- `region_name`: region of the table; empty for that of the connection.
- `export_time`: state of the table that `native` exports; empty for the current one.

```json
{"table_name": "orders", "s3_uri": "s3://backups/orders/2026-11-23"}
```

**When it fails**: the message names the cause. A retry goes on with the segments that
are not finished, or adopts the export that DynamoDB is making. Clearing the task of a
successful run changes nothing: its files are found. To export again, trigger a new run
with a new prefix.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.dynamodb import DynamoDBExportOperator

with DAG(
    dag_id="dynamodb_export",
    description="Copies a DynamoDB table to S3",
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
    },
    params={
        "table_name": Param(
            type="string",
            pattern=form_fields.TABLE,
            title="Table",
            description="Name or ARN of the table.",
        ),
        "s3_uri": Param(
            type="string",
            pattern=form_fields.S3_PREFIX,
            title="Destination",
            description="s3://bucket/prefix without anything in it.",
        ),
        "engine": Param(
            "worker",
            type="string",
            enum=["worker", "native"],
            title="Engine",
            description="worker: a scan; native: from point-in-time recovery.",
        ),
        "export_format": Param(
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
            values_display={"null": "DATA_PIPELINE; with native DYNAMODB_JSON"},
            title="Format",
            description="ION and DYNAMODB_JSON are what native can write.",
        ),
        "read_throughput_ratio": form_fields.share_of_capacity(
            "Share of the read capacity", "For worker; above 0, at most 1."
        ),
        "region_name": form_fields.region("Region of the table"),
        "export_time": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Point in time",
            description="For native; empty for now.",
        ),
    },
):
    DynamoDBExportOperator(
        task_id="export",
        table_name="{{ params.table_name }}",
        s3_uri="{{ params.s3_uri }}",
        engine="{{ params.engine }}",
        export_format="{{ params.export_format or '' }}",
        read_throughput_ratio="{{ params.read_throughput_ratio }}",
        region_name="{{ params.region_name or '' }}",
        export_time="{{ params.export_time or '' }}",
    )
