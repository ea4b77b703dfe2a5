"""
### Look whether lineage reaches the catalog

Events are lost in silence: by a version that forks badly, a transport that is not
configured, a role that may not post, a name that is nearly that of an asset. Each
morning this DAG looks at the whole way, and fails if it finds a place where events are
lost.

**Steps**
1. `look` checks the versions of Airflow and the OpenLineage provider, the transport,
   the outbox, sizes of events, tasks without an end, dead letters, the right to post,
   and which datasets are assets of the catalog.

**Parameters** (all optional)
- `domain_id`: DataZone domain; else `[updraft] datazone_domain_id`.
- `outbox_uri`: where the events are; else the `uri` in `[openlineage] transport`.
- `look_back_hours`: how far back events are looked at.
- `longest_run_hours`: how long a task may run before it has no end.

```json
{"look_back_hours": 48}
```

**When it fails**: the log lists all findings, each with what to do. Nothing but a probe
object in the outbox is written.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.lineage_doctor import LineageDoctorOperator

with DAG(
    dag_id="lineage_doctor",
    description="Says where lineage is lost between the tasks and the catalog",
    doc_md=__doc__,
    schedule="0 6 * * *",
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    is_paused_upon_creation=True,
    tags=["updraft", "lineage"],
    default_args={
        "owner": "updraft",
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "domain_id": form_fields.domain(),
        "outbox_uri": form_fields.outbox(),
        "look_back_hours": Param(
            24,
            type="integer",
            minimum=1,
            maximum=720,
            title="Hours to look back",
            description="How far back events are looked at.",
        ),
        "longest_run_hours": Param(
            12,
            type="integer",
            minimum=1,
            maximum=720,
            title="Longest run",
            description="Hours that a task may run before it has no end.",
        ),
    },
):
    LineageDoctorOperator(
        task_id="look",
        domain_id="{{ params.domain_id or '' }}",
        outbox_uri="{{ params.outbox_uri or '' }}",
        look_back_hours="{{ params.look_back_hours }}",
        longest_run_hours="{{ params.longest_run_hours }}",
    )
