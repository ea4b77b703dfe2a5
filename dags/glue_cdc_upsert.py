"""
### Merge changes of a database into a Delta table with Glue

Reads what Debezium has written to S3 since the last run, merges the newest change of
each key into a Delta table, keeps the table's entry in the Data Catalog, and checks it
with Athena.

**Steps**
1. `upsert` creates or updates the Glue job and runs it with its bookmark.
2. `check` counts the rows on Athena and looks for those that are expected.

**Parameters**
- `source_uri`: prefix with Debezium's JSON, one object per line; one table per prefix.
- `table_uri`: prefix of the Delta table; deleted keys go to `<table_uri>_deleted`.
- `key_columns`: key of the table, such as `id` or `order_id,line`.
- `columns`: types of columns where JSON does not tell, such as
  `{"price": "DECIMAL(10,2)"}`.
- `database`, `table`: entry in the Data Catalog; the database exists.
- `bad_records_uri`: prefix for lines that are no change, which go below it to the id of
  the job run; empty: such a line fails the run before anything is written.
- `job_name`, `role`, `glue_version`, `worker_type`, `number_of_workers`: the Glue job.
- `script_prefix`: prefix that the script is uploaded to.
- `athena_output_uri`: prefix for results of Athena; empty for the workgroup's.
- `workgroup`: workgroup of Athena.
- `expected_row_count`: number of rows after the run; empty for any.
- `expected_rows`: rows to be found, such as `[{"id": 8888, "name": "Ann"}]`.

```json
{"source_uri": "s3://raw/sales.CUSTOMER/", "table_uri": "s3://lake/customer",
 "key_columns": "CUST_ID", "database": "sales", "table": "customer",
 "role": "arn:aws:iam::123456789012:role/glue", "script_prefix": "s3://code/glue",
 "athena_output_uri": "s3://lake/athena"}
```

**When it fails**: the message names the cause. A retry adopts the run that goes on; a
run that is repeated changes nothing that is done. To read everything anew, reset the
bookmark of the job: changes that the table has are passed over. After the log of the
source has begun anew, as after a failover of MySQL, the table has to be loaded anew.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.athena_table_check import AthenaTableCheckOperator
from updraft.operators.glue_job import GlueJobRunOperator
from updraft.paths import include_directory

# An empty argument breaks getResolvedOptions on Glue: what is not given is left out.
ARGUMENTS = """
{%- set arguments = {
    "--source_uri": params.source_uri,
    "--table_uri": params.table_uri,
    "--key_columns": params.key_columns,
    "--columns": params.columns | tojson,
    "--database": params.database,
    "--table": params.table,
} -%}
{%- set bad_records = {"--bad_records_uri": params.bad_records_uri} -%}
{{ dict(arguments, **(bad_records if params.bad_records_uri else {})) | tojson }}
"""

with DAG(
    dag_id="glue_cdc_upsert",
    description="Merges changes that Debezium has captured into a Delta table",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "glue"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
    },
    params={
        "source_uri": Param(
            type="string",
            pattern=form_fields.S3_PREFIX,
            title="Changes",
            description="s3://bucket/prefix with the changes of one table.",
        ),
        "table_uri": Param(
            type="string",
            pattern=form_fields.S3_PREFIX,
            title="Delta table",
            description="s3://bucket/prefix of the table.",
        ),
        "key_columns": Param(
            type="string",
            minLength=1,
            title="Key",
            description="Names of the key columns, separated by commas.",
        ),
        "columns": Param(
            {},
            type="object",
            title="Types of columns",
            description='Such as {"price": "DECIMAL(10,2)"}.',
        ),
        "database": Param(
            type="string",
            minLength=1,
            title="Database",
            description="Database in the Data Catalog.",
        ),
        "table": Param(
            type="string",
            pattern="^[a-z0-9_]+$",
            title="Table",
            description="Name in the Data Catalog.",
        ),
        "bad_records_uri": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.S3_PREFIX,
            title="Bad records",
            description="Prefix for lines that are no change; empty: they fail.",
        ),
        "job_name": Param(
            "updraft-cdc-upsert",
            type="string",
            minLength=1,
            title="Glue job",
            description="Its bookmark knows which files were read.",
        ),
        "role": Param(
            type="string",
            minLength=1,
            title="Role",
            description="IAM role of the job.",
        ),
        "glue_version": Param("5.0", type="string", title="Glue version"),
        "worker_type": Param("G.1X", type="string", title="Worker type"),
        "number_of_workers": Param(
            3, type="integer", minimum=2, title="Number of workers"
        ),
        "script_prefix": Param(
            type="string",
            pattern=form_fields.S3_PREFIX,
            title="Script",
            description="s3://bucket/prefix for the script of the job.",
        ),
        "athena_output_uri": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.S3_PREFIX,
            title="Results of Athena",
            description="s3://bucket/prefix; empty for that of the workgroup.",
        ),
        "workgroup": Param("primary", type="string", title="Workgroup"),
        "expected_row_count": Param(
            None,
            type=["null", "integer"],
            minimum=0,
            title="Expected number of rows",
        ),
        "expected_rows": Param(
            [],
            type="array",
            items={"type": "object"},
            title="Expected rows",
            description="Values by column.",
        ),
    },
):
    upsert = GlueJobRunOperator(
        task_id="upsert",
        job_definition={
            "Name": "{{ params.job_name }}",
            "Role": "{{ params.role }}",
            "Command": {"Name": "glueetl", "PythonVersion": "3"},
            "DefaultArguments": {
                "--datalake-formats": "delta",
                "--conf": (
                    "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension "
                    "--conf spark.sql.catalog.spark_catalog="
                    "org.apache.spark.sql.delta.catalog.DeltaCatalog"
                ),
                "--job-language": "python",
            },
            "ExecutionProperty": {"MaxConcurrentRuns": 1},
            "GlueVersion": "{{ params.glue_version }}",
            "MaxRetries": 0,
            "WorkerType": "G.1X",
            "NumberOfWorkers": 2,
        },
        worker_type="{{ params.worker_type }}",
        number_of_workers="{{ params.number_of_workers }}",
        script_path=str(include_directory() / "glue" / "cdc_upsert.py"),
        script_s3_prefix="{{ params.script_prefix }}",
        script_arguments=ARGUMENTS,
        bookmark="enable",
        inputs=["{{ params.source_uri }}"],
        outputs=["{{ params.database }}.{{ params.table }}"],
    )
    check = AthenaTableCheckOperator(
        task_id="check",
        database="{{ params.database }}",
        table="{{ params.table }}",
        expected_row_count="{{ params.expected_row_count }}",
        expected_rows="{{ params.expected_rows | tojson }}",
        output_location="{{ params.athena_output_uri or '' }}",
        workgroup="{{ params.workgroup }}",
        sleep_time=5,
    )
    upsert >> check
