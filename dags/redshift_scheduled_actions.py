"""
### Keep the scheduled actions of a Redshift cluster

The alternative to `redshift_pause_resume` that needs no Airflow when the time has come:
Amazon Redshift itself pauses, resumes and resizes the cluster. This workflow makes its
scheduled actions those of a timetable, shows them, or removes them.

AWS has its times in UTC. Where the clocks of the time zone change, they will be wrong
by an hour; the log says from which day on, and that this has to be applied again then.
AWS also does not look whether the cluster is just being changed: an action that comes
at a bad moment fails, and nobody makes up for it.

**Steps**
1. `scheduled_actions` shows the difference to what is there, and makes up for it.

**Parameters**
- `cluster_identifier`: name of the cluster.
- `operation`: `list` the actions of the cluster; `apply` the timetable; or `remove`
  what was applied. Actions that others have made are left alone.
- `time_zone`, `timetable`: as in `redshift_pause_resume`.
- `iam_role`: ARN of the role by which AWS does it. It trusts
  `scheduler.redshift.amazonaws.com`, and may pause, resume and resize the cluster.
- `plan`: only show the difference.
- `region_name`: Region of the cluster; empty for that of the connection.

```json
{"cluster_identifier": "sales", "operation": "apply", "time_zone": "Europe/Berlin",
 "iam_role": "arn:aws:iam::123456789012:role/redshift-schedules", "plan": true}
```

**When it fails**: the message has AWS's reason. A retry makes up for what is left of
the difference.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields, redshift_form_fields
from updraft.compat import DAG, Param
from updraft.operators.redshift_scheduled_actions import (
    RedshiftScheduledActionsOperator,
)

with DAG(
    dag_id="redshift_scheduled_actions",
    description="Keeps the scheduled actions of a cluster of Amazon Redshift",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "redshift"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "cluster_identifier": redshift_form_fields.cluster(),
        "operation": Param(
            "list",
            type="string",
            enum=["list", "apply", "remove"],
            title="Operation",
            description="What to do with the scheduled actions.",
        ),
        "time_zone": redshift_form_fields.time_zone(),
        "timetable": redshift_form_fields.timetable(),
        "iam_role": Param(
            None,
            type=["null", "string"],
            pattern=r"^arn:[a-z0-9-]+:iam::\d{12}:role/.+$",
            title="Role",
            description="ARN of the role by which AWS does it; needed to apply.",
        ),
        "plan": form_fields.plan(),
        "region_name": form_fields.region("Region of the cluster"),
    },
):
    RedshiftScheduledActionsOperator(
        task_id="scheduled_actions",
        cluster_identifier="{{ params.cluster_identifier }}",
        operation="{{ params.operation }}",
        timetable="{{ params.timetable | tojson }}",
        time_zone="{{ params.time_zone }}",
        iam_role="{{ params.iam_role or '' }}",
        plan="{{ params.plan }}",
        region_name="{{ params.region_name or '' }}",
    )
