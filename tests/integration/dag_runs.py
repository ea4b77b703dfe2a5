"""Runs DAGs in a real Airflow against the local stack, with the values of a form."""

import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from typing import Any

from include.local.airflow import LocalAirflow
from include.local.demo.airflow_api import FINISHED, AirflowApi
from include.local.layout import StateDirectory
from include.local.stack import LocalStack
from updraft.errors import UpdraftError

_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


class DagRuns:
    """An Airflow with a metadata database of its own; what tests trigger goes through its REST API.

    :param state: where it keeps what it writes.
    :param stack: the stand-in for AWS, which runs.
    """

    def __init__(self, state: StateDirectory, stack: LocalStack) -> None:
        self.airflow = LocalAirflow(state, stack)
        self.airflow.up()
        self.api = AirflowApi(self.airflow.url, *self.airflow.login)

    def trigger(self, dag_id: str, form: Mapping[str, Any]) -> "DagRun":
        """Trigger a DAG as the button in the UI does.

        :param dag_id: its id.
        :param form: what a person fills in.
        :returns: the run, which waits as long as its DAG is paused.
        """
        self.api.wait_for_dag(dag_id)
        return DagRun(self.api, dag_id, self.api.trigger(dag_id, form))

    def run(self, dag_id: str, form: Mapping[str, Any], seconds: float = 480) -> "DagRun":
        """Run a DAG to its end.

        :param dag_id: its id.
        :param form: what a person fills in.
        :param seconds: how long to wait.
        :returns: the run, which has ended.
        """
        run = self._begin(dag_id, form)
        self.api.wait_for_run(dag_id, run.run_id, seconds)
        return run

    def run_until_failure(self, dag_id: str, form: Mapping[str, Any], task_id: str) -> "DagRun":
        """Run a DAG until a task has failed, and end the run without its retries.

        :param dag_id: its id.
        :param form: what a person fills in.
        :param task_id: the task that fails.
        :returns: the run, whose teardown tasks have ended too.
        """
        run = self._begin(dag_id, form)
        run.fail(task_id)
        return run

    def _begin(self, dag_id: str, form: Mapping[str, Any]) -> "DagRun":
        self.api.wait_for_dag(dag_id)
        self.api.unpause(dag_id)
        return self.trigger(dag_id, form)


class DagRun:
    """A run that was triggered.

    :param api: Airflow's REST API.
    :param dag_id: id of its DAG.
    :param run_id: its id.
    """

    def __init__(self, api: AirflowApi, dag_id: str, run_id: str) -> None:
        self._api = api
        self.dag_id = dag_id
        self.run_id = run_id

    @property
    def state(self) -> str:
        """Its state, such as ``success``."""
        return str(self._api.run(self.dag_id, self.run_id)["state"])

    @property
    def states(self) -> dict[str, str]:
        """State by task, by task and index for a mapped one."""
        return {_name(task): task["state"] for task in self._tasks()}

    @property
    def output(self) -> str:
        """The logs of all attempts of its tasks."""
        logs = []
        for task in self._tasks():
            last = task["try_number"] or 0
            for attempt in range(1, last + 1):
                logs.append(f"--- {_name(task)}, attempt {attempt}")
                which = (self.dag_id, self.run_id, task["task_id"], attempt, task["map_index"])
                # A slow scheduler takes a task for ended that was deferred and has resumed: it is
                # tried again, and Airflow knows nothing of the try that was.
                with suppress(UpdraftError) if attempt < last else nullcontext():
                    logs.append(self._api.log(*which))
        return "\n".join(logs)

    def fail(self, task_id: str, seconds: float = 240) -> None:
        """Wait until a task has failed, and end the run without its retries.

        Teardown tasks run nevertheless; this waits for them.

        :param task_id: the task.
        :param seconds: how long to wait.
        """
        deadline = time.monotonic() + seconds
        while self.states.get(task_id) not in {"up_for_retry", "failed"}:
            assert self.state not in FINISHED, self.output[-5000:]
            assert time.monotonic() < deadline, self.output[-5000:]
            time.sleep(0.5)
        self._api.mark_failed(self.dag_id, self.run_id)
        while not set(self.states.values()) <= _ENDED:
            assert time.monotonic() < deadline, self.states
            time.sleep(0.5)

    def _tasks(self) -> list[dict[str, Any]]:
        return self._api.task_instances(self.dag_id, self.run_id)


def _name(task: Mapping[str, Any]) -> str:
    index = task["map_index"]
    return str(task["task_id"]) if index < 0 else f"{task['task_id']}[{index}]"
