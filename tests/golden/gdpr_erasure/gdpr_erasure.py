# Updraft sha256:d057eb3579af969c0e23ebfe439b81405b801e33474c578cc95c75c4a6b146c4
"""Gdpr erasure: runs a script of SQL on Redshift.

1. `erase_what_people_asked_for` runs a script of SQL on Redshift.

**Origin.** Converted from the AWS Data Pipeline definition `gdpr_erasure.json`:
`erase_what_people_asked_for` was `Erase` (SqlActivity).

**Schedule.** It runs every month on day 31, or the last one of a shorter month, at
21:00 UTC, when its period begins; the first one begins on 2023-01-31. Of the periods
that pass while it is paused, the last one runs. A run that you trigger needs a logical
date, which tells its period.

**Parameters.** They keep the names they had in the pipeline.

- `myBatch` (integer): Rows per transaction

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place. `tell_privacy` tells a topic of Amazon SNS, after the
last try.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import DAG, Param
from updraft.operators.redshift_sql import RedshiftSqlOperator
from updraft.timetables import PeriodTimetable

tell_privacy = SnsNotifier(
    target_arn="arn:aws:sns:eu-west-1:111122223333:privacy",
    region_name="eu-west-1",
    subject=(
        "{% filter replace('\\n', ' ') | truncate(99, leeway=0) %}Erasure: "
        "{{ 'FINISHED' if ti.state == 'success' else 'FAILED' }}{% endfilter %}"
    ),
    message=(
        "Erasure for {{ data_interval_start.strftime('%B %Y') }} ended with "
        "{{ 'FINISHED' if ti.state == 'success' else 'FAILED' }}."
    ),
)

with DAG(
    dag_id="gdpr_erasure",
    schedule=PeriodTimetable(
        datetime(2023, 1, 31, 21, tzinfo=UTC), "1 month", run_at="start"
    ),
    start_date=datetime(2023, 1, 31, 21, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "myBatch": Param(5000, type="integer", title="Rows per transaction"),
    },
):
    RedshiftSqlOperator(
        task_id="erase_what_people_asked_for",
        cluster_identifier="warehouse",
        database="analytics",
        db_user="privacy",
        script_uri="s3://acme-privacy/erase.sql",
        script_arguments=[
            "{{ data_interval_start.replace(day=1).format('YYYY-MM-DD') }}",
            "{{ params.myBatch }}",
        ],
        transaction=False,
        max_rows=0,
        query_group="maintenance",
        on_failure_callback=[tell_privacy],
        on_success_callback=[tell_privacy],
    )
