"""
### Metrics of Iceberg tables in CloudWatch

Reads the metadata of Iceberg tables, never their data, and sends what it tells about
snapshots, files and partitions to CloudWatch, with a dashboard and anomaly alarms.

**Steps**
1. `tables` lists the Iceberg tables of the Data Catalog that match.
2. `metrics` sends the metrics of one table; it is mapped over the tables.
3. `dashboard` keeps the dashboard and the alarms.

It runs at ten minutes past each hour and reports the snapshots of the hour before, each
with its own moment: a snapshot has its moment before it is committed, and nobody sees
it until then. One that took longer than ten minutes to commit may not be reported. A
run that is triggered by hand reports the current snapshots.

**Parameters**
- `tables`: patterns such as `sales.*`; empty for those of the Airflow Variable
  `iceberg_table_metrics`, a JSON list of such patterns.
- `namespace`: namespace of the metrics.
- `partition_limit`: for how many partitions of a table figures of their own are sent.
- `dashboard_name`: name of the dashboard; empty for none and no alarms.
- `alarm_actions`: ARNs that the alarms notify, such as that of an SNS topic.
- `band`: width of the band of usual values, in standard deviations.

```json
{"tables": ["sales.*"], "dashboard_name": "iceberg"}
```

**When it fails**: the message names the cause. A retry sends the figures of its table
again; average, minimum and maximum stay as they are.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import (
    DAG,
    AirflowSkipException,
    CronDataIntervalTimetable,
    Param,
    task,
)
from updraft.json_variables import listed_in_variable
from updraft.operators.iceberg_table_metrics import (
    IcebergDashboardOperator,
    IcebergTableListOperator,
    IcebergTableMetricsOperator,
)

VARIABLE = "iceberg_table_metrics"
# Also runs by hand have a data interval, but one that says nothing about them. The
# window is that of the data interval before the time that a commit may take.
SCHEDULED = (
    "{%% if dag_run.run_type in ('scheduled', 'backfill') %%}"
    "{{ %s - macros.timedelta(minutes=10) }}{%% endif %%}"
)

with DAG(
    dag_id="iceberg_table_metrics",
    description="Sends metrics of Iceberg tables to CloudWatch",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("10 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
    tags=["updraft", "iceberg"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "tables": Param(
            [],
            type="array",
            items={"type": "string", "pattern": r"^[^.*?\[]+\..+$"},
            title="Tables",
            description="Such as sales.*; empty for those of the Variable.",
        ),
        "namespace": Param("Updraft/Iceberg", type="string", title="Namespace"),
        "partition_limit": Param(
            100,
            type="integer",
            minimum=0,
            title="Partitions",
            description="With figures of their own, for each table.",
        ),
        "dashboard_name": Param(
            None,
            type=["null", "string"],
            pattern="^[A-Za-z0-9_-]+$",
            title="Dashboard",
            description="Empty for no dashboard and no alarms.",
        ),
        "alarm_actions": Param(
            [],
            type="array",
            items={"type": "string", "pattern": "^arn:"},
            title="Alarm actions",
            description="ARNs that are notified.",
        ),
        "band": Param(
            2,
            type="number",
            exclusiveMinimum=0,
            title="Band",
            description="In standard deviations.",
        ),
    },
):

    @task(task_id="patterns")
    def choose_patterns(params: dict[str, Any] | None = None) -> list[str]:
        """Take the patterns of the form, else those of the Variable."""
        patterns: list[str] = (params or {}).get("tables") or listed_in_variable(
            VARIABLE
        )
        if not patterns:
            message = f"Neither the form nor the Variable {VARIABLE} names a table"
            raise AirflowSkipException(message)
        return patterns

    @task(task_id="wants_dashboard")
    def require_dashboard(params: dict[str, Any] | None = None) -> None:
        """Skip the dashboard if there is to be none."""
        if not (params or {}).get("dashboard_name"):
            message = "dashboard_name is empty"
            raise AirflowSkipException(message)

    tables = IcebergTableListOperator(
        task_id="tables",
        tables="{{ ti.xcom_pull(task_ids='patterns') | tojson }}",
    )
    choose_patterns() >> tables
    IcebergTableMetricsOperator.partial(
        task_id="metrics",
        namespace="{{ params.namespace }}",
        window_start=SCHEDULED % "data_interval_start",
        window_end=SCHEDULED % "data_interval_end",
        partition_limit="{{ params.partition_limit }}",
    ).expand_kwargs(tables.output)
    dashboard = IcebergDashboardOperator(
        task_id="dashboard",
        tables="{{ ti.xcom_pull(task_ids='tables') | tojson }}",
        dashboard_name="{{ params.dashboard_name }}",
        namespace="{{ params.namespace }}",
        alarm_actions="{{ params.alarm_actions | tojson }}",
        band="{{ params.band }}",
    )
    [tables, require_dashboard()] >> dashboard
