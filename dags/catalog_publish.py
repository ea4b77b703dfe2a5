"""
### Publish tables in the data catalog

At the end of a pipeline: makes the catalog in Amazon DataZone what a YAML file says.
Data sources run, so that new tables become assets; assets and data products get their
names, descriptions and forms and are published; filters of rows and columns are set;
requests for subscriptions are approved or rejected, subscriptions revoked.

What the file does not speak of stays as it is, unless it says `prune: true`. A second
run changes nothing.

**Steps**
1. `read_file` checks the file and names every line at fault.
2. `run_data_source` runs each data source of the file, and waits.
3. `publish` shows the differences as a table in its log, and makes up for them.

**Parameters**
- `file`: `s3://bucket/key`, or a path below the DAGs folder.
- `plan`: only show the differences; no data source runs.
- `domain_id`: id of the domain; empty for the configuration option
  `updraft.datazone_domain_id`.
- `region_name`: Region of the domain; empty for that of the connection.

```json
{"file": "s3://my-bucket/catalog/sales.yaml", "plan": true}
```

**When it fails**: the message names the line of the file, or has AWS's reason. A retry
does what is left; a run of a data source that goes on or has succeeded is adopted.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.catalog_data_source import CatalogDataSourceOperator
from updraft.operators.catalog_publish import (
    CatalogFileOperator,
    CatalogPublishOperator,
)

WHERE = {
    "domain_id": "{{ params.domain_id or '' }}",
    "region_name": "{{ params.region_name or '' }}",
}
FILE = {"file": "{{ params.file }}", "plan": "{{ params.plan }}", **WHERE}

with DAG(
    dag_id="catalog_publish",
    description="Publishes what a file declares in Amazon DataZone",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "lineage"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "file": Param(
            type="string",
            minLength=1,
            pattern=r"^(s3://[A-Za-z0-9][A-Za-z0-9._-]+/.+[^/]|[^:]+\.ya?ml)$",
            title="File",
            description="s3://bucket/key, or a path below the DAGs folder.",
        ),
        "plan": form_fields.plan(),
        "domain_id": form_fields.text(
            "Domain",
            "Its id; empty for the one of the configuration.",
            pattern=r"^dzd[-_][a-zA-Z0-9_-]{1,36}$",
        ),
        "region_name": form_fields.region("Region of the domain"),
    },
):
    read_file = CatalogFileOperator(task_id="read_file", **FILE)
    run_data_source = CatalogDataSourceOperator.partial(
        task_id="run_data_source", **WHERE
    ).expand_kwargs(read_file.output)
    publish = CatalogPublishOperator(
        task_id="publish", trigger_rule="none_failed", **FILE
    )
    run_data_source >> publish
