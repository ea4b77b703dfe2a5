"""
### Take lineage out of the query history of Amazon Redshift

Amazon DataZone collects lineage from Amazon Redshift itself, without `COPY`, `UNLOAD`,
`MERGE`, `UPDATE` and `DELETE`. Every hour this DAG reads which of them have ended on a
cluster or workgroup, whoever has run them, and puts a start and an end of each into the
outbox, once. The DAG `forward_lineage` posts them to the catalog from there.

**Steps**
1. `harvest` reads the history from where the last run stopped, with an overlap.

**Parameters**
- `cluster_identifier` or `workgroup_name`: where; one of them is required.
- `database`: the database whose queries are harvested.
- `db_user`, `secret_arn`: who reads the history; it needs the role `sys:monitor` to see
  the queries of others.
- `every_statement`: `INSERT`, `CREATE TABLE AS` and other DDL too.
- `exclude_users`: database users whose queries have lineage already, such as the one
  that Airflow connects as.
- `outbox_uri`: where the events go; else the `uri` in `[openlineage] transport`.
- `look_back_hours`: where to begin for the first time, at most 168.
- `region_name`: Region of the cluster; empty for that of the connection.

```json
{"cluster_identifier": "warehouse", "db_user": "lineage", "exclude_users": ["airflow"]}
```

**When it fails**: the message names the cause; the next run continues. Amazon Redshift
keeps its history for seven days, so a longer pause loses queries.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields, redshift_form_fields
from updraft.compat import DAG, Param
from updraft.operators.redshift_query_harvest import HarvestRedshiftQueriesOperator

_DATABASE = redshift_form_fields.database()
_WHERE = (
    "cluster_identifier",
    "workgroup_name",
    "database",
    "db_user",
    "secret_arn",
)

with DAG(
    dag_id="harvest_redshift_queries",
    description="Takes lineage out of the query history of Amazon Redshift",
    doc_md=__doc__,
    schedule="@hourly",
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    is_paused_upon_creation=True,
    tags=["updraft", "lineage", "redshift"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        **{name: _DATABASE[name] for name in _WHERE},
        "every_statement": Param(
            False,
            type="boolean",
            title="Every statement",
            description="Also those that DataZone finds itself.",
        ),
        "exclude_users": form_fields.names(
            "Users to leave out", "Whose queries have lineage already."
        ),
        "outbox_uri": form_fields.outbox(),
        "look_back_hours": form_fields.look_back(168),
        "region_name": form_fields.region("Region of the cluster"),
    },
):
    HarvestRedshiftQueriesOperator(
        task_id="harvest",
        cluster_identifier="{{ params.cluster_identifier or '' }}",
        workgroup_name="{{ params.workgroup_name or '' }}",
        database="{{ params.database }}",
        db_user="{{ params.db_user or '' }}",
        secret_arn="{{ params.secret_arn or '' }}",  # noqa: S106 - a template
        every_statement="{{ params.every_statement }}",
        exclude_users="{{ params.exclude_users | join(',') }}",
        outbox_uri="{{ params.outbox_uri or '' }}",
        look_back_hours="{{ params.look_back_hours }}",
        region_name="{{ params.region_name or '' }}",
    )
