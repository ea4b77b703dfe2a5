"""The few calls of Airflow's REST API that a person makes by clicking in the UI.

API reference: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from updraft.errors import UpdraftError

FINISHED = frozenset({"success", "failed"})


class AirflowApi:
    """A logged-in client of one Airflow API server.

    :param url: address of the server, ``http://127.0.0.1:<port>``.
    :param username: user of the simple auth manager.
    :param password: its password.
    :param timeout: seconds for which an answer is waited for.
    """

    def __init__(self, url: str, username: str, password: str, timeout: float = 30) -> None:
        self.url = url
        transport = httpx.HTTPTransport(retries=3)
        self._client = httpx.Client(base_url=url, timeout=timeout, transport=transport)
        answer = self._client.post(
            "/auth/token", json={"username": username, "password": password}
        ).raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        answer = self._client.request(method, f"/api/v2{path}", **arguments)
        if answer.is_error:
            raise UpdraftError(
                f"Airflow answered {method} {path} with {answer.status_code}: {answer.text}"
            )
        return answer.json()

    def wait_for_dag(self, dag_id: str, seconds: float = 120) -> None:
        """Wait until the DAG processor has parsed a DAG file.

        :param dag_id: the DAG to wait for.
        :param seconds: how long to wait.
        :raises UpdraftError: when the time is up, with the import errors Airflow has noted.
        """
        deadline = time.monotonic() + seconds
        while self._client.get(f"/api/v2/dags/{dag_id}").is_error:
            if time.monotonic() > deadline:
                errors = self._call("GET", "/importErrors")["import_errors"]
                raise UpdraftError(
                    f"Airflow did not list the DAG {dag_id} within {seconds:.0f} s. "
                    f"Import errors: {[error['stack_trace'] for error in errors] or 'none'}"
                )
            time.sleep(0.5)

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run.

        :param dag_id: the DAG.
        """
        self._call("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(
        self,
        dag_id: str,
        conf: Mapping[str, Any] | None = None,
        logical_date: datetime | None = None,
    ) -> str:
        """Start a run, as the button "Trigger" in the UI does.

        :param dag_id: the DAG.
        :param conf: values of the form, by name of the parameter.
        :param logical_date: what the form has as "Logical Date"; ``None`` if it is emptied.
        :returns: id of the new run.
        :raises UpdraftError: when Airflow refuses, for example because a value is not valid.
        """
        run = self._call(
            "POST",
            f"/dags/{dag_id}/dagRuns",
            json={
                "logical_date": logical_date and logical_date.isoformat(),
                "conf": dict(conf or {}),
            },
        )
        return str(run["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Look at a run.

        :param dag_id: the DAG.
        :param run_id: the run.
        :returns: the run as the API describes it.
        """
        answer: dict[str, Any] = self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
        return answer

    def wait_for_run(
        self,
        dag_id: str,
        run_id: str,
        seconds: float = 300,
    ) -> dict[str, Any]:
        """Wait until a run has ended.

        :param dag_id: the DAG.
        :param run_id: the run.
        :param seconds: how long to wait.
        :returns: the ended run; its ``state`` is ``success`` or ``failed``.
        :raises UpdraftError: when the time is up.
        """
        deadline = time.monotonic() + seconds
        while (run := self.run(dag_id, run_id))["state"] not in FINISHED:
            if time.monotonic() > deadline:
                raise UpdraftError(
                    f"The run {run_id} of {dag_id} was still {run['state']} after {seconds:.0f} s"
                )
            time.sleep(0.5)
        return run

    def mark_failed(self, dag_id: str, run_id: str) -> None:
        """End a run as failed, as "Mark state as failed" in the UI does; its retries are dropped.

        :param dag_id: the DAG.
        :param run_id: the run.
        """
        self._call("PATCH", f"/dags/{dag_id}/dagRuns/{run_id}", json={"state": "failed"})

    def clear(self, dag_id: str, run_id: str) -> None:
        """Let all tasks of a run start again now, as "Clear Run" in the UI does.

        :param dag_id: the DAG.
        :param run_id: the run.
        """
        body = {"dry_run": False, "dag_run_id": run_id, "only_failed": False}
        self._call("POST", f"/dags/{dag_id}/clearTaskInstances", json=body)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """List the task instances of a run.

        :param dag_id: the DAG.
        :param run_id: the run.
        :returns: task instances as the API describes them.
        """
        answer = self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")
        return list(answer["task_instances"])

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Fetch what a task returned.

        :param dag_id: the DAG.
        :param run_id: the run.
        :param task_id: the task.
        :returns: the value, deserialized.
        """
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._call("GET", path, params={"deserialize": "true"})["value"]

    def links(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str]:
        """Fetch the buttons that lead from a task to elsewhere.

        :param dag_id: the DAG.
        :param run_id: the run.
        :param task_id: the task.
        :returns: URL by name of the link.
        """
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/links"
        found: dict[str, str] = self._call("GET", path)["extra_links"]
        return found

    def log(
        self, dag_id: str, run_id: str, task_id: str, attempt: int = 1, map_index: int = -1
    ) -> str:
        """Fetch the log of one attempt of a task.

        :param dag_id: the DAG.
        :param run_id: the run.
        :param task_id: the task.
        :param attempt: number of the attempt, from 1.
        :param map_index: index of a mapped task, -1 for any other.
        :returns: the log, one line per message.
        """
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        headers, which = {"Accept": "application/json"}, {"map_index": map_index}
        entries = self._call("GET", path, headers=headers, params=which)["content"]
        return "\n".join(
            f"{entry.get('level', '')} {entry.get('event', '')} {entry.get('error_detail') or ''}"
            for entry in entries
        )
