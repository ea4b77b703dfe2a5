"""
### End what outlived its run

Tasks tag what they start in AWS with the name of this Airflow environment, the DAG, the
run and the task. Every hour this DAG looks for such resources whose run has ended or
vanished: instances of EC2, clusters of EMR, job runs of EMR Serverless, of EMR on EKS
and of Glue, runs of Glue workflows, tasks of ECS and jobs of AWS Batch.
Normally there are none, because teardown tasks and `on_kill` end them. They stay behind
when a worker and the retry both die, or a run is deleted while it works.

**Steps**
1. `reap` looks through the services and writes what it found into its log.

**Parameters**
- `dry_run` (default true): report only. Scheduled runs report only, unless the Airflow
  Variable `reap_orphans_dry_run` is `false`.
- `services`: which ones to look through.
- `minutes`: leave alone what was started more recently.
- `region_name`: Region to look through; empty for that of the connection.

```json
{"dry_run": false, "services": ["emr", "glue"], "minutes": 60}
```

**Before orphans are ended**, the environment needs a name that no other environment of
the account has: the configuration option `updraft.environment`. A resource whose tags
were changed is reported and never ended.

**When it fails**: a service could not be looked through, or AWS refused to end an
orphan; the message says which, and the rest was done. Terminating a protected cluster
is refused: remove the protection first.
"""

from datetime import UTC, datetime, timedelta

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param
from updraft.operators.reaper import ReapOrphansOperator

_SERVICES = ["batch", "ec2", "ecs", "emr", "emr-containers", "emr-serverless", "glue"]

with DAG(
    dag_id="reap_orphans",
    description="Ends AWS resources whose DAG run has ended or vanished",
    doc_md=__doc__,
    schedule="17 * * * *",
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    is_paused_upon_creation=True,
    tags=["updraft", "emr", "glue"],
    default_args={
        "owner": "updraft",
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "dry_run": Param(
            None,
            type=["null", "boolean"],
            title="Dry run",
            description="Report only. Empty: as the Variable `reap_orphans_dry_run` "
            "says, true without it.",
        ),
        "services": Param(
            ["batch", "ec2", "ecs", "emr", "emr-serverless", "glue"],
            type="array",
            items={"type": "string", "enum": _SERVICES},
            examples=_SERVICES,
            minItems=1,
            title="Services",
            description="What to look through.",
        ),
        "minutes": Param(
            15,
            type="integer",
            minimum=0,
            title="Minutes",
            description="Leave alone what was started more recently than this.",
        ),
        "region_name": form_fields.region("Region to look through"),
    },
):
    ReapOrphansOperator(
        task_id="reap",
        report_only="{{ params.dry_run if params.dry_run is not none "
        "else var.value.get('reap_orphans_dry_run', 'true') }}",
        services="{{ params.services | join(',') }}",
        minutes="{{ params.minutes }}",
        region_name="{{ params.region_name or '' }}",
    )
