"""
### Compute the column statistics of Iceberg tables

Lets AWS Glue compute the column statistics of all tables of some databases, so that
query planners know how many distinct values a column has. For Iceberg tables Glue keeps
them with the table, where Redshift Spectrum and others find them.

**Steps**
1. `databases` reads what there is to do.
2. `statistics` computes the statistics of a database, one mapped task for each; it
   holds no worker while Glue works.

**Parameters**
- `databases`: names of the databases; empty for what the Airflow Variable
  `iceberg_column_statistics` says, a list of objects such as
  `{"database_name": "sales", "role": "glue-statistics", "table_pattern": "fact_*"}`.
- `role`: name or ARN of the role that reads the data, for the databases of the form.
- `table_pattern`: only tables whose name it matches, such as `sales_*`.
- `sample_size`: share of the rows in percent; empty for all rows.
- `concurrency`: tables of a database that are computed at the same time.
- `region_name`: region of the Data Catalog; empty for that of the connection.

```json
{"databases": ["tpcdsdbwithstats"], "role": "AWSGluestats"}
```

It runs every day at 20:27 UTC. Without the Variable a scheduled run does nothing.

**When it fails**: the message names each table and the reason that Glue gives. All
others are done. A retry computes only what is missing, clearing the task everything.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, CronDataIntervalTimetable, Param, json_variable, task
from updraft.operators.glue_column_statistics import GlueColumnStatisticsOperator

with DAG(
    dag_id="iceberg_column_statistics",
    description="Computes the column statistics of the tables of databases",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("27 20 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "glue", "iceberg"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
    },
    params={
        "databases": Param(
            [],
            type="array",
            items={"type": "string", "minLength": 1},
            title="Databases",
            description="Names, one a line; empty for those of the Variable.",
        ),
        "role": Param(
            None,
            type=["null", "string"],
            minLength=1,
            title="Role",
            description="Name or ARN of the role that reads the data.",
        ),
        "table_pattern": Param(
            "*",
            type="string",
            minLength=1,
            title="Tables",
            description="Pattern of their names, such as sales_*.",
        ),
        "sample_size": Param(
            None,
            type=["null", "number"],
            exclusiveMinimum=0,
            maximum=100,
            title="Sample",
            description="Share of the rows in percent; empty for all.",
        ),
        "concurrency": Param(
            5,
            type="integer",
            minimum=1,
            maximum=50,
            title="Tables at the same time",
            description="For each database.",
        ),
        "region_name": form_fields.region("Region of the Data Catalog"),
    },
):

    @task
    def databases(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Give the arguments of the operator, one set for each database."""
        form = params or {}
        names = (
            "role",
            "table_pattern",
            "sample_size",
            "concurrency",
            "region_name",
        )
        common = {name: form.get(name) for name in names}
        listed = form.get("databases") or []
        if listed and not common["role"]:
            message = "The form names databases, but no role that reads their data"
            raise ValueError(message)
        entries = [{"database_name": name} for name in dict.fromkeys(listed)]
        if not listed:
            entries = json_variable("iceberg_column_statistics", [])
        return [{**common, **entry} for entry in entries]

    GlueColumnStatisticsOperator.partial(task_id="statistics").expand_kwargs(
        databases()
    )
