"""
### Take lineage out of the history of crawlers of AWS Glue

Every hour this DAG reads which crawls have completed, whoever has started them. Each
table that they have made or changed gets a start and an end in the outbox, with what it
was made from: a prefix in S3, a table of DynamoDB, or a table of a database behind a
connection. The DAG `forward_lineage` posts them to the catalog from there.

**Steps**
1. `harvest` reads the history from where the last run stopped, with an overlap.

**Parameters** (all optional)
- `crawlers`: names of crawlers; all of the Region if empty.
- `outbox_uri`: where the events go; else the `uri` in `[openlineage] transport`.
- `look_back_hours`: where to begin for the first time.
- `wait_for_running`: wait for those of `crawlers` that are running; else the next run
  has what they change.
- `region_name`: Region of the crawlers; empty for that of the connection.

```json
{"crawlers": ["nightly"], "outbox_uri": "s3://bucket/lineage"}
```

**When it fails**: the message names the cause; the next run continues. A table whose
source has no name that lineage knows is a warning in the log of the task.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.glue_crawl_harvest import HarvestGlueCrawlsOperator

with DAG(
    dag_id="harvest_glue_crawls",
    description="Takes lineage out of the history of crawlers of AWS Glue",
    doc_md=__doc__,
    schedule="@hourly",
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    is_paused_upon_creation=True,
    tags=["updraft", "lineage", "glue"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "crawlers": form_fields.names("Crawlers", "All of the Region if empty."),
        "outbox_uri": form_fields.outbox(),
        "look_back_hours": form_fields.look_back(720),
        "wait_for_running": Param(
            False,
            type="boolean",
            title="Wait for crawls that go on",
            description="Of the crawlers that are named; else the next run has them.",
        ),
        "region_name": form_fields.region("Region of the crawlers"),
    },
):
    HarvestGlueCrawlsOperator(
        task_id="harvest",
        crawlers="{{ params.crawlers | join(',') }}",
        outbox_uri="{{ params.outbox_uri or '' }}",
        look_back_hours="{{ params.look_back_hours }}",
        wait_for_running="{{ params.wait_for_running }}",
        region_name="{{ params.region_name or '' }}",
    )
