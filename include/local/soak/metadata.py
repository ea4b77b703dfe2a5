"""The task runs that Airflow knows of, from its metadata database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import psycopg
from openlineage.client.uuid import generate_static_uuid

from include.local.airflow import NAMESPACE

FORGOTTEN = "forgotten"
"""State of a try of which Airflow's database has no trace but that a later one has a higher number.

The scheduler takes a task for ended that was deferred and resumed within a moment, and queues it
anew without writing the try down.
"""


_UNFINISHED = """
select count(*) from dag_run
where dag_id like 'soak!_%' escape '!' and state not in ('success', 'failed')
"""


class TaskRun(NamedTuple):
    """One try of one task instance that Airflow has begun.

    :param dag_id: id of its DAG.
    :param run_id: id of its DAG run.
    :param task_id: id of its task.
    :param map_index: its index if it is mapped, else -1.
    :param try_number: number of the try, from 1.
    :param state: what became of it, such as ``success``.
    :param lineage_run: the id that its lineage events have.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    state: str
    lineage_run: str


# A task instance has a host as soon as a process has begun it; one that was skipped from outside,
# or whose upstream has failed, has none.
_QUERY = """
select i.dag_id, i.run_id, i.task_id, i.map_index, i.try_number, i.state,
       coalesce(r.logical_date, r.run_after)
from (
    select dag_id, run_id, task_id, map_index, try_number, state, hostname from task_instance
    union
    select dag_id, run_id, task_id, map_index, try_number, state, hostname
    from task_instance_history
) as i
join dag_run as r on r.dag_id = i.dag_id and r.run_id = i.run_id
where i.hostname <> '' and i.try_number > 0 and i.dag_id like 'soak!_%' escape '!'
"""


def unfinished(connection: psycopg.Connection) -> int:
    """Count the runs of the DAGs of the soak that have not ended.

    :param connection: to Airflow's metadata database.
    :returns: their number.
    """
    row = connection.execute(_UNFINISHED).fetchone()
    return int(row[0]) if row else 0


def task_runs(connection: psycopg.Connection) -> Iterator[TaskRun]:
    """Read what has run.

    :param connection: to Airflow's metadata database.
    :returns: one entry per try, those that were forgotten last.
    """
    rows = connection.execute(_QUERY).fetchall()
    last: dict[tuple[str, str, str, int], tuple[int, datetime]] = {}
    known = set()
    for *name, try_number, state, moment in rows:
        instance = (str(name[0]), str(name[1]), str(name[2]), int(name[3]))
        when = moment.astimezone(UTC)
        yield _task_run(instance, try_number, str(state), when)
        known.add((instance, try_number))
        last[instance] = max(last.get(instance, (0, when)), (try_number, when))
    for instance, (tries, when) in last.items():
        for number in range(1, tries):
            if (instance, number) not in known:
                yield _task_run(instance, number, FORGOTTEN, when)


def _task_run(
    instance: tuple[str, str, str, int], try_number: int, state: str, when: datetime
) -> TaskRun:
    dag_id, run_id, task_id, map_index = instance
    # As the OpenLineage provider makes it, in `build_task_instance_ol_run_id`.
    name = f"{NAMESPACE}.{dag_id}.{task_id}.{try_number}.{map_index}"
    lineage_run = str(generate_static_uuid(instant=when, data=name.encode()))
    return TaskRun(dag_id, run_id, task_id, map_index, try_number, state, lineage_run)
