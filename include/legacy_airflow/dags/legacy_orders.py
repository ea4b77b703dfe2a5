"""
### Orders, on Airflow 2.7

A run of every kind that lineage has to survive: tasks that succeed, that succeed at the second
attempt, that fail for good, that are mapped, and one that is skipped after it began.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Never

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft.compat import DAG, AirflowException, AirflowSkipException, task

with DAG(
    dag_id="legacy_orders",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"owner": "updraft", "retry_delay": timedelta(seconds=1)},
):

    @task
    def collect() -> list[int]:
        """Name three orders."""
        return [1, 2, 3]

    @task(retries=1)
    def check(ti: Any = None) -> None:
        """Fail at the first attempt."""
        if ti.try_number == 1:
            raise AirflowException("not yet")

    @task
    def load(number: int) -> int:
        """Take one order."""
        return number

    @task
    def archive() -> Never:
        """End as skipped, after the task has said that it starts."""
        raise AirflowSkipException("nothing to archive")

    @task(retries=0)
    def bill() -> Never:
        """Fail for good."""
        raise AirflowException("no address")

    orders = collect()
    orders >> check() >> [load.expand(number=orders), archive(), bill()]
