"""One Airflow 2.7.2: its folders, its settings, its scheduler, and what its database says."""

import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from include.local import processes
from include.local.layout import PROJECT
from updraft.errors import UpdraftError

NAMESPACE = "legacy-airflow"
"""OpenLineage namespace of the jobs."""

EMPTY: Mapping[str, Any] = MappingProxyType({})
"""A form that nobody has filled in."""

_SCHEDULER = "legacy-scheduler"
_ENDED = ("success", "failed")
_PAUSE = 1.0  # seconds between looks at a run


@dataclass(frozen=True)
class TaskEnd:
    """A task instance that has ended.

    :param dag_id: id of its DAG.
    :param task_id: its id.
    :param map_index: its index if it is mapped, else -1.
    :param state: such as ``success``.
    :param attempts: how often it ran.
    """

    dag_id: str
    task_id: str
    map_index: int
    state: str
    attempts: int


class LegacyAirflow:
    """An Airflow with one scheduler, the SequentialExecutor and SQLite.

    :param python: the interpreter of its environment.
    :param state: folder of what it keeps.
    :param aws: variables that lead an AWS SDK to the local stack.
    :param domain_id: DataZone domain that events are forwarded to.
    :param outbox_uri: where events wait.
    """

    def __init__(
        self, python: Path, state: Path, aws: Mapping[str, str], domain_id: str, outbox_uri: str
    ) -> None:
        self._command = [str(python.with_name("airflow"))]
        self._state = state
        self._home = state / "airflow"
        self._environment = _environment(python, self._home, aws, domain_id, outbox_uri)

    def up(self) -> None:
        """Make the database and start the scheduler.

        :raises UpdraftError: when Airflow cannot read a DAG file.
        """
        dags = self._home / "dags"
        dags.mkdir(parents=True)
        shutil.copy(PROJECT / "dags" / "forward_lineage.py", dags)
        for file in Path(__file__).with_name("dags").glob("legacy_*.py"):
            shutil.copy(file, dags)
        self._run("db", "migrate")
        self._run("dags", "reserialize")
        if errors := self._rows("select filename, stacktrace from import_error"):
            raise UpdraftError(f"Airflow 2.7.2 cannot import {errors[0][0]}:\n{errors[0][1]}")
        processes.start(
            self._state, _SCHEDULER, [*self._command, "scheduler"], self._environment, self._state
        )

    def run(
        self, dag_id: str, run_id: str, form: Mapping[str, Any] = EMPTY, seconds: float = 300
    ) -> str:
        """Run a DAG to its end.

        :param dag_id: its id.
        :param run_id: id of the run.
        :param form: what a person fills in.
        :param seconds: how long to wait.
        :returns: the state in which it ended.
        :raises UpdraftError: when it does not end in time.
        """
        self._run("dags", "unpause", dag_id)
        self._run("dags", "trigger", dag_id, "--run-id", run_id, "--conf", json.dumps(dict(form)))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            query = "select state from dag_run where dag_id = ? and run_id = ?"
            state = str(self._rows(query, dag_id, run_id)[0][0])
            if state in _ENDED:
                return state
            if _SCHEDULER not in {found.service for found in processes.find(self._state)}:
                break
            time.sleep(_PAUSE)
        log = processes.log_file(self._state, _SCHEDULER).read_text()
        raise UpdraftError(f"{dag_id} has not ended; the scheduler says:\n{log[-2000:]}")

    def task_ends(self, dag_id: str, run_id: str) -> list[TaskEnd]:
        """List the task instances of a run.

        :param dag_id: id of its DAG.
        :param run_id: its id.
        :returns: those that ran, in the order of their ids.
        """
        query = (
            "select dag_id, task_id, map_index, state, try_number from task_instance"
            " where dag_id = ? and run_id = ? and start_date is not null"
            " order by task_id, map_index"
        )
        return [TaskEnd(*row) for row in self._rows(query, dag_id, run_id)]

    def _rows(self, query: str, *arguments: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self._home / "airflow.db", timeout=30) as connection:
            return connection.execute(query, arguments).fetchall()

    def _run(self, *arguments: str) -> None:
        result = subprocess.run(  # noqa: S603  the arguments are ours
            [*self._command, *arguments],
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if result.returncode:
            raise UpdraftError(f"airflow {' '.join(arguments)} failed:\n{result.stderr[-2000:]}")


def _environment(
    python: Path, home: Path, aws: Mapping[str, str], domain_id: str, outbox_uri: str
) -> dict[str, str]:
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "OPENLINEAGE", "AWS_", "PYTHON", "VIRTUAL_ENV"))
    }
    # The old package knows none of Airflow's options: its client reads variables of its own, which
    # users of MWAA set in startup.sh.
    transport = {"type": "updraft.lineage.transport.OutboxTransport", "uri": outbox_uri}
    return (
        own
        | dict(aws)
        | {
            # The executor starts ``airflow`` by its name.
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
            "AIRFLOW__CORE__EXECUTOR": "SequentialExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW__UPDRAFT__DATAZONE_DOMAIN_ID": domain_id,
            "AIRFLOW__UPDRAFT__LINEAGE_OUTBOX_URI": outbox_uri,
            "OPENLINEAGE_NAMESPACE": NAMESPACE,
            "OPENLINEAGE__TRANSPORT": json.dumps(transport),
        }
    )
