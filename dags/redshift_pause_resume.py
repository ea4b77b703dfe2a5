"""
### Pause, resume and resize Redshift clusters at times of the day

Brings clusters of Amazon Redshift to what a timetable says for now: paused at night,
available in the morning, larger for the afternoon. The times are those of a time zone,
also when its clocks change. Every quarter of an hour it looks whether a time has come.

**Steps**
1. `clusters` lists the clusters and their timetables.
2. `bring_about` brings each to the state and the size of its timetable, and notes on
   the cluster, as a tag, up to which time that was done. So each time counts once: what
   people change afterwards stays until the next one, and a missed one is made up for.

Scheduled runs take the clusters from the Airflow Variable `redshift_pause_resume`, a
list of objects with the names of the fields below; what one leaves out is as in the
form. Without the Variable nothing is done.

**Parameters**
- `cluster_identifier`: name of a cluster; empty for all of the Variable.
- `time_zone`: such as `Europe/Berlin`.
- `timetable`: lines with `at`, `action` (`pause`, `resume`, `resize`), `days` such as
  `mon-fri` (empty for all), and for a resize `number_of_nodes`, `node_type`, `classic`.
- `enforce`: undo also what people have changed since the last time.
- `plan`: only say what would be done.
- `region_name`: Region of the cluster; empty for that of the connection.

```json
{"cluster_identifier": "sales", "time_zone": "Europe/Berlin", "timetable": [
  {"at": "07:15", "action": "resume", "days": "mon-fri"},
  {"at": "14:15", "action": "resize", "number_of_nodes": 4},
  {"at": "22:00", "action": "pause"}]}
```

**When it fails**: the message has AWS's reason; the next quarter of an hour tries
again. While a workload has resized or resumed the cluster, it is left alone, and comes
back afterwards to what the timetable says.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param, json_variable, task
from updraft.operators.redshift_timetable import RedshiftTimetableOperator

with DAG(
    dag_id="redshift_pause_resume",
    description="Pauses, resumes and resizes Redshift clusters by a timetable",
    doc_md=__doc__,
    schedule="*/15 * * * *",
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
    tags=["updraft", "redshift"],
    default_args={
        "owner": "updraft",
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
    },
    params={
        "cluster_identifier": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.REDSHIFT_CLUSTER,
            title="Cluster",
            description="Its name; empty for all of the Variable.",
        ),
        "time_zone": form_fields.time_zone(),
        "timetable": form_fields.redshift_timetable(),
        "enforce": Param(
            False,
            type="boolean",
            title="Enforce",
            description="Undo what people have changed since the last time.",
        ),
        "plan": form_fields.plan(),
        "region_name": form_fields.region("Region of the cluster"),
    },
):

    @task
    def clusters(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Give the arguments of the operator, one set for each cluster."""
        form = dict(params or {})
        if form.get("cluster_identifier"):
            return [form]
        listed = json_variable("redshift_pause_resume", [])
        wrong = [
            one for one in listed if not isinstance(one, dict) or set(one) - set(form)
        ]
        if wrong or not isinstance(listed, list):
            known = ", ".join(form)
            message = f"Variable redshift_pause_resume: not objects of {known}: {wrong}"
            raise ValueError(message)
        return [{**form, **cluster} for cluster in listed]

    RedshiftTimetableOperator.partial(task_id="bring_about").expand_kwargs(clusters())
