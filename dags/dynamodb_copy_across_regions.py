"""
### Copy a DynamoDB table to another Region

Exports a table to S3 in its Region, imports the files into a table of another Region,
and compares the two. It does what AWS Data Pipeline's template "DynamoDB cross region
copy" did.

**Steps**
1. `export` copies the source table to a prefix of its own below `staging_s3_uri`.
2. `import` writes those files into the target table, which has to exist.
3. `wants_verification` skips the next step if `verify` is off.
4. `verify` compares files and target item by item, and names the keys that differ.
   What the target had before under other keys stays, and is a difference, as is what
   others write into it meanwhile: begin with an empty target, or switch `verify` off.

**Parameters**
- `source_table_name`, `source_region_name`: where from.
- `target_table_name`, `target_region_name`: where to.
- `staging_s3_uri`: prefix for the files, such as `s3://backups/copies`. They stay:
  expire them with a lifecycle rule of the bucket.
- `read_throughput_ratio`, `write_throughput_ratio`: shares of the tables' capacity.
- `verify`: whether to compare at the end.

```json
{"source_table_name": "orders", "source_region_name": "eu-west-1",
 "target_table_name": "orders", "target_region_name": "us-east-1",
 "staging_s3_uri": "s3://backups/copies"}
```

**When it fails**: each task goes on where its last attempt stopped. A copy that has to
stay in step is better served by DynamoDB global tables.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param, task
from updraft.operators.dynamodb import (
    DynamoDBExportOperator,
    DynamoDBImportOperator,
    DynamoDBVerifyOperator,
)

# Colons and plus signs of a run id would not do in a path of Hadoop.
STAGING = (
    "{{ params.staging_s3_uri.rstrip('/') }}/"
    "{{ run_id | replace(':', '') | replace('+', '-') }}"
)

with DAG(
    dag_id="dynamodb_copy_across_regions",
    description="Copies a DynamoDB table to another Region and compares the two",
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
        "source_table_name": Param(
            type="string",
            pattern=form_fields.TABLE,
            title="Source table",
            description="Name or ARN.",
        ),
        "source_region_name": Param(
            type="string",
            pattern=form_fields.REGION,
            title="Source Region",
            description="Such as eu-west-1.",
        ),
        "target_table_name": Param(
            type="string",
            pattern=form_fields.TABLE,
            title="Target table",
            description="Name or ARN of a table that exists.",
        ),
        "target_region_name": Param(
            type="string",
            pattern=form_fields.REGION,
            title="Target Region",
            description="Such as us-east-1.",
        ),
        "staging_s3_uri": Param(
            type="string",
            pattern=form_fields.S3_PREFIX,
            title="Prefix for the files",
            description="s3://bucket/prefix; each run gets a prefix below it.",
        ),
        "read_throughput_ratio": form_fields.share_of_capacity(
            "Share of the source's read capacity"
        ),
        "write_throughput_ratio": form_fields.share_of_capacity(
            "Share of the target's write capacity"
        ),
        "verify": Param(
            True,
            type="boolean",
            title="Compare at the end",
            description="Reads the target once.",
        ),
    },
):
    export_source = DynamoDBExportOperator(
        task_id="export",
        table_name="{{ params.source_table_name }}",
        region_name="{{ params.source_region_name }}",
        s3_uri=STAGING,
        export_format="DYNAMODB_JSON_LINES",
        read_throughput_ratio="{{ params.read_throughput_ratio }}",
    )
    import_target = DynamoDBImportOperator(
        task_id="import",
        table_name="{{ params.target_table_name }}",
        region_name="{{ params.target_region_name }}",
        s3_uri=STAGING,
        write_throughput_ratio="{{ params.write_throughput_ratio }}",
    )
    verify_target = DynamoDBVerifyOperator(
        task_id="verify",
        table_name="{{ params.target_table_name }}",
        region_name="{{ params.target_region_name }}",
        s3_uri=STAGING,
        read_throughput_ratio="{{ params.read_throughput_ratio }}",
    )

    @task.short_circuit(task_id="wants_verification")
    def is_verification_wanted(params: dict[str, Any] | None = None) -> bool:
        """Skip the comparison if the form says so."""
        return bool((params or {})["verify"])

    export_source >> import_target >> is_verification_wanted() >> verify_target
