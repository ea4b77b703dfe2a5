"""Parses DAGs, in the process of its own that the benchmark starts.

Usage: ``contender_process.py folder DIR`` parses all files into one DagBag, ``contender_process.py
alone FILE`` parses one file in a child of its own, as the DAG processor does. It prints one line of
JSON. CPU time is that of this process or of the child, in seconds.
"""

import json
import logging
import os
import statistics
import sys
import time
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.dag_processing.processor import _pre_import_airflow_modules
from airflow.serialization.encoders import encode_timetable

# How often one file is parsed in children; the first child also pays for cold caches of the disk.
_CHILDREN = 5
# What a form says to people; nothing is checked by it.
_HINTS = {"title", "description_md", "examples"}


def _parse(path: str) -> tuple[DagBag, dict[str, float]]:
    cpu, wall = time.process_time(), time.perf_counter()
    bag = DagBag(dag_folder=path, safe_mode=False)
    figures = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))
    return bag, figures


def _folder(path: str) -> dict[str, Any]:
    """Parse a folder, and once more, when all that it imports is there."""
    bag, figures = _parse(path)
    _, again = _parse(path)
    made = sorted({json.dumps(_described(dag), sort_keys=True) for dag in bag.dags.values()})
    return {**figures, "again": again["cpu"], "dags": len(bag.dags), "made": made}


def _described(dag: Any) -> dict[str, Any]:
    """Say when a DAG runs and what it does, however its file says it."""
    return {
        "timetable": encode_timetable(dag.timetable),
        "start_date": str(min(task.start_date for task in dag.tasks)),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "params": {
            name: {key: value for key, value in param.schema.items() if key not in _HINTS}
            for name, param in dag.params.items()
        },
        "tasks": {
            task.task_id: {
                "operator": type(task).__name__,
                "retries": task.retries,
                "execution_timeout": str(task.execution_timeout),
                "failure_callbacks": len(task.on_failure_callback),
            }
            for task in dag.tasks
        },
    }


def _alone(path: str) -> dict[str, float]:
    """Parse a file as the DAG processor does: it imports what is of Airflow, then forks."""
    _pre_import_airflow_modules(path, logging.getLogger(__name__))  # type: ignore[arg-type]
    seconds = []
    for _ in range(_CHILDREN):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, json.dumps(_parse(path)[1]["cpu"]).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as stream:
            seconds.append(float(stream.read()))
        os.waitpid(child, 0)
    return {"cpu": statistics.median(seconds)}


def main() -> None:
    """Do what the arguments say."""
    logging.disable(logging.WARNING)
    what, path = sys.argv[1:]
    print(json.dumps(_folder(path) if what == "folder" else _alone(path)))


if __name__ == "__main__":
    main()
