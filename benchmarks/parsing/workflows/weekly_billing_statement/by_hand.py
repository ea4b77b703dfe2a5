"""Writes the statements of last week each Monday."""

from datetime import datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

SCRIPT = """
DELETE FROM statements WHERE week = %(week)s;
INSERT INTO statements
SELECT %(week)s, customer, sum(amount) FROM charges
WHERE charged_at >= %(begin)s AND charged_at < %(end)s GROUP BY customer;
"""

with DAG(
    dag_id="weekly_billing_statement",
    schedule="0 6 * * 1",
    start_date=datetime(2024, 1, 1, 6),  # noqa: DTZ001 as people write it
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-platform", "retries": 2, "retry_delay": timedelta(minutes=10)},
    tags=["billing"],
    doc_md=__doc__,
):
    SQLExecuteQueryOperator(
        task_id="statement",
        conn_id="billing",
        sql=SCRIPT,
        parameters={
            "week": "{{ data_interval_start.subtract(weeks=1).strftime('%G-%V') }}",
            "begin": "{{ data_interval_start.subtract(weeks=1).format('YYYY-MM-DD') }}",
            "end": "{{ data_interval_start.format('YYYY-MM-DD') }}",
        },
        split_statements=True,
        autocommit=True,
        do_xcom_push=False,
        execution_timeout=timedelta(hours=1),
    )
