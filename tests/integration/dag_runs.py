"""Runs DAG files in an Airflow of their own, with the values of a form, against the local stack."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]

# Triggers run in line, so that no other process is needed.
_RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
import pendulum

bag = DagBag(dag_folder=sys.argv[1])
(dag,) = bag.dags.values()
arguments = json.loads(sys.argv[2])
if arguments.get("logical_date"):
    arguments["logical_date"] = pendulum.parse(arguments["logical_date"])
run = dag.test(**arguments)
print("states:", json.dumps({i.task_id: i.state for i in run.get_task_instances()}))
print("run id:", run.run_id)
print("run ended:", run.state)
"""


class DagRuns:
    """An Airflow with a metadata database of its own.

    :param home: directory of its database and logs.
    :param variables: environment variables that lead to the local stack.
    """

    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self.environment = {
            **os.environ,
            **variables,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
            "PYTHONPATH": str(PROJECT / "plugins"),
        }
        self.airflow("db", "migrate")
        self.airflow("dags", "reserialize")

    def airflow(self, *arguments: str) -> str:
        """Run a command of Airflow.

        :param arguments: the command and what it takes.
        :returns: what it printed.
        """
        return self._python(["-m", "airflow", *arguments])

    def run(
        self, dag_id: str, *, environment: Mapping[str, str] | None = None, **arguments: Any
    ) -> "FinishedRun":
        """Run a DAG to its end.

        :param dag_id: its id, which is the name of its file.
        :param environment: further environment variables.
        :param arguments: arguments of ``dag.test``, such as ``run_conf``.
        :returns: how it ended.
        """
        path = PROJECT / "dags" / f"{dag_id}.py"
        command = ["-c", _RUN, str(path), json.dumps(arguments)]
        output = self._python(command, environment or {})
        return FinishedRun(output)

    def _python(self, arguments: Sequence[str], more: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**self.environment, **(more or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout


class FinishedRun:
    """How a DAG run ended.

    :param output: all that it printed, with the logs of its tasks.
    """

    def __init__(self, output: str) -> None:
        self.output = output

    @property
    def state(self) -> str:
        """Its state, such as ``success``."""
        return self._line("run ended: ")

    @property
    def run_id(self) -> str:
        """Its id."""
        return self._line("run id: ")

    @property
    def states(self) -> dict[str, str]:
        """State by task."""
        states: dict[str, str] = json.loads(self._line("states: "))
        return states

    def _line(self, beginning: str) -> str:
        found = [line for line in self.output.splitlines() if line.startswith(beginning)]
        assert found, self.output[-5000:]
        return found[-1].removeprefix(beginning)
