# Updraft sha256:c0ef453ae774ee5a2ed4b86292f23961d09e675cde2cacec2d1589a2287a464e
"""Weekly billing statement: runs a script of SQL over a connection of Airflow.

1. `statement` runs a script of SQL over a connection of Airflow.

**Origin.** Converted from the AWS Data Pipeline definition
`weekly_billing_statement.json`: `statement` was `Statement` (SqlActivity).

**Schedule.** It runs every week on Monday at 06:00 UTC, when its period begins; the
first one begins on 2024-01-01. Of the periods that pass while it is paused, the last
one runs. A run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, CronTriggerTimetable

with DAG(
    dag_id="weekly_billing_statement",
    schedule=CronTriggerTimetable("0 6 * * 1", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 6, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    SQLExecuteQueryOperator(
        task_id="statement",
        conn_id="billing",
        sql=(
            "DELETE FROM statements WHERE week = %(argument_1)s;\n"
            "INSERT INTO statements SELECT %(argument_1)s, customer, sum(amount) FROM "
            "charges WHERE charged_at >= %(argument_2)s AND charged_at < "
            "%(argument_3)s GROUP BY customer;"
        ),
        parameters={
            "argument_1": (
                "{{ data_interval_start.subtract(weeks=1).strftime('%G-%V') }}"
            ),
            "argument_2": (
                "{{ data_interval_start.subtract(weeks=1).format('YYYY-MM-DD') }}"
            ),
            "argument_3": (
                "{{ data_interval_start.subtract(weeks=1).add(days=7)"
                ".format('YYYY-MM-DD') }}"
            ),
        },
        split_statements=True,
        autocommit=True,
        do_xcom_push=False,
        execution_timeout=timedelta(hours=1),
    )
