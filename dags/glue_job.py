"""
### Run a Glue job

Runs a job of AWS Glue and shows what it prints. The job exists, or is created and kept
as `job_definition` says. It takes the place of what AWS recommends for Data Pipeline's
activities on Glue.

**Steps**
1. `run` updates the job if it differs, starts a run and waits for its end without
   holding a worker.

**Parameters**
- `job_name`: name of the job; may be left out if the definition has it.
- `script_arguments`: arguments of this run, such as `{"--day": "2026-11-02"}`.
- `number_of_workers`, `worker_type`: size of this run; empty for that of the job.
- `timeout`: longest time in minutes; empty for that of the job.
- `bookmark`: `enable`, `disable` or `pause`; empty for what the job says.
- `job_definition`: what the API operation CreateJob takes; empty for a job that exists.
- `region_name`: region of the job; empty for that of the connection.
- `inputs`, `outputs`: what the job reads and writes, for lineage: URIs in S3, and
  tables of the Data Catalog such as `sales.orders`.

```json
{"job_name": "orders-to-parquet", "script_arguments": {"--day": "2026-11-02"}}
```

**When it fails**: the message has the reason and the end of the stack trace, and leads
to the log. A retry adopts a run that goes on or has succeeded meanwhile; clearing the
task runs the job anew. Ending the task stops the run.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.glue_job import GlueJobRunOperator

with DAG(
    dag_id="glue_job",
    description="Runs a job of AWS Glue",
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
        "job_name": Param(
            None,
            type=["null", "string"],
            minLength=1,
            maxLength=255,
            title="Job",
            description="Name of the job; empty if the definition has it.",
        ),
        "script_arguments": Param(
            {},
            type="object",
            additionalProperties={"type": "string", "minLength": 1},
            propertyNames={"pattern": "^--"},
            title="Arguments",
            description='Arguments of the script, such as {"--day": "2026-11-02"}.',
        ),
        "number_of_workers": Param(
            None,
            type=["null", "integer"],
            minimum=2,
            title="Workers",
            description="Number of workers; empty for that of the job.",
        ),
        "worker_type": Param(
            None,
            type=["null", "string"],
            enum=[None, "G.025X", "G.1X", "G.2X", "G.4X", "G.8X", "R.1X", "R.2X"],
            values_display={"null": "That of the job"},
            title="Type of the workers",
            description="Needed with a number of workers.",
        ),
        "timeout": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Timeout",
            description="Minutes; empty for that of the job.",
        ),
        "bookmark": Param(
            None,
            type=["null", "string"],
            enum=[None, "enable", "disable", "pause"],
            values_display={"null": "What the job says"},
            title="Bookmark",
            description="Empty for what the job says.",
        ),
        "job_definition": Param(
            {},
            type="object",
            title="Definition",
            description="What CreateJob takes; empty for a job that exists.",
        ),
        "region_name": form_fields.region("Region of the job"),
        "inputs": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Inputs",
            description="For lineage: s3://bucket/prefix or database.table.",
        ),
        "outputs": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Outputs",
            description="For lineage: s3://bucket/prefix or database.table.",
        ),
    },
):
    GlueJobRunOperator(
        task_id="run",
        job_name="{{ params.job_name or '' }}",
        script_arguments="{{ params.script_arguments | tojson }}",
        number_of_workers="{{ params.number_of_workers or '' }}",
        worker_type="{{ params.worker_type or '' }}",
        timeout="{{ params.timeout or '' }}",
        bookmark="{{ params.bookmark or '' }}",
        job_definition="{{ params.job_definition | tojson }}",
        region_name="{{ params.region_name or '' }}",
        inputs="{{ params.inputs | tojson }}",
        outputs="{{ params.outputs | tojson }}",
    )
