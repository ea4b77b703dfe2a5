"""Asks Airflow for the last tries of a DAG run that may have emitted nothing."""

from collections.abc import Iterator

from updraft.airflow_states import ended_task_instances, last_try
from updraft.lineage.run_records import EndedDagRun
from updraft.lineage.silent_tries import LastTry


def last_tries(dag_run: EndedDagRun) -> Iterator[LastTry]:
    """Look up the tasks that have failed, and those that were tried again.

    A task that succeeded at once has emitted its events: its process lived until then.

    :param dag_run: the DAG run.
    :returns: the last try of each; none of a run without logical date, as Airflow 3 does not tell
        a task what the number of such a try is.
    """
    from airflow.providers.openlineage.plugins.adapter import (  # noqa: PLC0415 - takes a second
        OpenLineageAdapter,
    )

    for one in ended_task_instances(dag_run.dag_id, dag_run.run_id):
        was_retried = (one.task_id, one.map_index) in dag_run.retried
        if one.state != "failed" and not (one.state == "success" and was_retried):
            continue
        date = dag_run.logical_date
        found = last_try(dag_run.dag_id, dag_run.run_id, one.task_id, one.map_index, date)
        if date is None or found is None or found.start_date is None:
            continue
        lineage_run = OpenLineageAdapter.build_task_instance_run_id(
            dag_id=dag_run.dag_id,
            task_id=one.task_id,
            try_number=found.try_number,
            logical_date=date,
            map_index=one.map_index,
        )
        yield LastTry(
            str(lineage_run),
            one.task_id,
            one.map_index,
            found.try_number,
            one.state,
            found.start_date,
            found.end_date or found.start_date,
        )
