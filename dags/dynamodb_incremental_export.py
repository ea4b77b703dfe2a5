"""
### Export what has changed in DynamoDB tables, hour by hour

Keeps a chain of incremental exports: each run exports the changes of its data interval,
so that the intervals of all runs together cover every change once. A full export of the
time when the chain begins (`dynamodb_export` with `engine` native and `export_time`)
and the chain after it, imported in order with `dynamodb_import`, restore any hour
since.

**Steps**
1. `tables` reads the list of tables.
2. `recovery_window` waits until a few minutes after the end of the interval: DynamoDB
   exports no later state than its `LatestRestorableDateTime`, which is usually five
   minutes ago.
3. `export` asks DynamoDB for the changes of each table, one mapped task per table.

**Tables** are listed in the Airflow Variable `dynamodb_incremental_exports`:

```json
[{"table_name": "orders", "s3_uri": "s3://backups/orders/changes",
  "since": "2026-11-23T04:00:00+00:00"}]
```

`since` is the `export_time` of the full export; runs before it skip the table. Each run
writes below `<s3_uri>/<begin of the interval>`. Hours between the `start_date` of this
file and `since` cost a run each that skips everything; move `start_date` up to `since`
if there are many. An entry may have a `region_name`. Each
table needs point-in-time recovery.

**When it fails**: a retry adopts the export that DynamoDB is making. Runs that were
missed, while the DAG was paused or Airflow down, are made up for: the DAG catches up.
DynamoDB keeps changes for 35 days.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import (
    DAG,
    AirflowFailException,
    AirflowSkipException,
    CronDataIntervalTimetable,
    TimeDeltaSensor,
    task,
)
from updraft.json_variables import entries_of_variable
from updraft.operators.dynamodb import DynamoDBExportOperator

VARIABLE = "dynamodb_incremental_exports"


def begin_of_chain(entry: dict[str, Any]) -> datetime:
    """Read the time from which on an entry counts; UTC without a zone."""
    try:
        since = datetime.fromisoformat(entry["since"])
    except (TypeError, ValueError):
        message = f"Variable {VARIABLE}: {entry['since']!r} is no time in ISO 8601"
        raise AirflowFailException(message) from None
    return since if since.tzinfo else since.replace(tzinfo=UTC)


with DAG(
    dag_id="dynamodb_incremental_export",
    description="Exports the changes of DynamoDB tables, one data interval per run",
    doc_md=__doc__,
    # DynamoDB takes periods of 15 minutes to 24 hours.
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=True,
    max_active_runs=8,  # the intervals do not depend on each other
    is_paused_upon_creation=True,
    tags=["updraft", "dynamodb"],
    default_args={
        "owner": "updraft",
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
):

    @task(task_id="tables")
    def list_tables(
        data_interval_start: datetime | None = None,
        data_interval_end: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """List what the mapped task needs for each table."""
        if data_interval_start is None or data_interval_end is None:
            message = "A run of this DAG needs a data interval: give it a logical date"
            raise AirflowSkipException(message)
        entries = entries_of_variable(
            VARIABLE, ("table_name", "s3_uri", "since"), ("region_name",)
        )
        begin = data_interval_start.strftime("%Y%m%dT%H%M%SZ")
        found = [
            {
                "table_name": entry["table_name"],
                "s3_uri": f"{entry['s3_uri'].rstrip('/')}/{begin}",
                "region_name": entry.get("region_name"),
            }
            for entry in entries
            if begin_of_chain(entry) < data_interval_end
        ]
        if not found:
            message = f"The Variable {VARIABLE} lists no table for this interval"
            raise AirflowSkipException(message)
        return found

    tables = list_tables()
    recovery_window = TimeDeltaSensor(
        task_id="recovery_window",
        delta=timedelta(minutes=6),
        mode="reschedule",  # holds no worker slot, and needs no triggerer
        poke_interval=60,
        timeout=timedelta(hours=1).total_seconds(),
    )
    export = DynamoDBExportOperator.partial(
        task_id="export",
        engine="native",
        export_type="INCREMENTAL_EXPORT",
        export_from_time="{{ data_interval_start }}",
        export_to_time="{{ data_interval_end }}",
    ).expand_kwargs(tables)
    tables >> recovery_window >> export
