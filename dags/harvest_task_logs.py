"""
### Take lineage out of the logs of Airflow

For environments on Amazon MWAA whose OpenLineage events go to the log (console
transport). Every five minutes this DAG reads what is new in the log groups of tasks,
scheduler and web server, and puts the events into the outbox, each once. The DAG
`forward_lineage` posts them to the catalog from there.

Where the outbox transport can be used, this DAG is not needed: it sees what the log
sees, without events that were too long for it or never got there.

**Steps**
1. `harvest` reads the log groups from the last checkpoint, with an overlap.

**Parameters** (all optional)
- `environment_name`: the MWAA environment; empty for this one.
- `log_groups`: names of log groups in place of those of an environment.
- `outbox_uri`: where the events go; else the `uri` in `[openlineage] transport`.
- `look_back_hours`: where to begin for the first time.
- `region_name`: Region of the logs; empty for that of the connection.

```json
{"environment_name": "production", "outbox_uri": "s3://bucket/lineage"}
```

**When it fails**: the message names the cause; the next run continues. Events that the
log has cut are named in the log of the task and cannot be brought back.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.lineage_harvest import HarvestTaskLogsOperator

with DAG(
    dag_id="harvest_task_logs",
    description="Takes OpenLineage events out of the logs of Amazon MWAA",
    doc_md=__doc__,
    schedule="*/5 * * * *",
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    is_paused_upon_creation=True,
    tags=["updraft", "lineage"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "environment_name": Param(
            None,
            type=["null", "string"],
            pattern=r"^[a-zA-Z][0-9a-zA-Z_-]{0,79}$",
            title="MWAA environment",
            description="Whose logs to read; empty for this one.",
        ),
        "log_groups": form_fields.names(
            "Log groups", "In place of those of an environment."
        ),
        "outbox_uri": form_fields.outbox(),
        "look_back_hours": form_fields.look_back(
            720, "Where to begin in a group that was never harvested."
        ),
        "region_name": form_fields.region("Region of the logs"),
    },
):
    HarvestTaskLogsOperator(
        task_id="harvest",
        environment_name="{{ params.environment_name or '' }}",
        log_groups="{{ params.log_groups | join(',') }}",
        outbox_uri="{{ params.outbox_uri or '' }}",
        look_back_hours="{{ params.look_back_hours }}",
        region_name="{{ params.region_name or '' }}",
    )
