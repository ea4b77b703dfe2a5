"""
### Forward lineage to Amazon DataZone

Tasks leave their OpenLineage events in the outbox. Every five minutes this DAG posts
the new ones to the catalog, each exactly once, and notes how far it came.

**Steps**
1. `post_to_catalog` reads the outbox from the last checkpoint, checks each event
   against the OpenLineage schemas, gives datasets the names under which DataZone knows
   them, and posts.

**Parameters** (all optional; scheduled runs use the configuration)
- `domain_id`: DataZone domain; else `[updraft] datazone_domain_id`.
- `outbox_uri`: where the events are; else the `uri` in `[openlineage] transport`.
- `max_events_per_second`: at most 20, the account's quota in a Region.
- `redshift_workgroups`: which Redshift identifiers are Serverless, where the names of
  the Amazon provider do not say it.
- `http_conn_id`: Airflow connection of an OpenLineage endpoint, in place of a domain.
- `close_orphans_after_minutes`: when a run that has emitted no end is looked up in
  Airflow, and ended if it is over there; 0 for never.

```json
{"domain_id": "dzd_a1b2c3d4e5f6g7", "max_events_per_second": 5}
```

**When it fails**: the message names the cause. Nothing is lost; the next run continues.
An event that the catalog refuses does not fail the task: it goes to `dead-letters/` in
the outbox, with the reason, and the log has a warning.

**Own lineage**: this DAG would report on its own reporting for ever. `docs/lineage.md`
has the configuration lines that exclude it.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.lineage import ForwardLineageOperator

with DAG(
    dag_id="forward_lineage",
    description="Posts OpenLineage events from the outbox to Amazon DataZone",
    doc_md=__doc__,
    schedule="*/5 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    tags=["updraft", "lineage"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "domain_id": form_fields.domain(),
        "outbox_uri": form_fields.outbox(),
        "max_events_per_second": Param(
            10,
            type="integer",
            minimum=1,
            maximum=20,
            title="Events per second",
            description="The account may post 20 in a Region; leave some to others.",
        ),
        "redshift_workgroups": form_fields.names(
            "Redshift workgroups",
            "Identifiers that are Serverless; others are clusters.",
        ),
        "http_conn_id": Param(
            None,
            type=["null", "string"],
            title="OpenLineage endpoint",
            description="Connection of type HTTP; empty to post to the domain.",
        ),
        "close_orphans_after_minutes": Param(
            60,
            type="integer",
            minimum=0,
            title="Minutes until a run without end is closed",
            description="If Airflow says that it is over; 0 for never.",
        ),
    },
):
    ForwardLineageOperator(
        task_id="post_to_catalog",
        domain_id="{{ params.domain_id or '' }}",
        outbox_uri="{{ params.outbox_uri or '' }}",
        max_events_per_second="{{ params.max_events_per_second }}",
        redshift_workgroups="{{ params.redshift_workgroups | join(',') }}",
        http_conn_id="{{ params.http_conn_id or '' }}",
        close_orphans_after_minutes="{{ params.close_orphans_after_minutes }}",
    )
