"""A real Airflow beside the local stack: scheduler, triggerer, DAG processor and API server.

The LocalExecutor keeps it small; every other setting that matters to a DAG author is the one of an
MWAA environment: PostgreSQL, the DAGs folder, the plugins folder, the lineage transport.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import httpx

from include.local import metadata_database, ports, processes
from include.local.layout import PROJECT, StateDirectory
from include.local.metadata_database import MetadataDatabase
from include.local.stack import LocalStack
from updraft.errors import UpdraftError

DOMAIN_ID = "dzd_updraftlocal"
"""The catalog domain of the local stack; any id of this shape would do."""

NAMESPACE = "updraft-local"
"""OpenLineage namespace of the jobs."""

SERVICES = {
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "api-server": ["api-server"],
}
"""Airflow's own processes: name, and the arguments of the ``airflow`` command."""

_PROGRAMS = dict.fromkeys(("scheduler", "dag-processor"), "include.local.forking_airflow")
"""What runs instead of ``airflow``, by name of the service."""

ALL_SERVICES = (metadata_database.SERVICE, *SERVICES)
"""Names of all processes, the database included."""

_USER = "admin"


class LocalAirflow:
    """One Airflow installation with its state.

    :param state: where it keeps what it writes.
    :param aws: the stand-in for AWS, which runs before this starts.
    """

    def __init__(self, state: StateDirectory, aws: LocalStack) -> None:
        self.state = state
        self._aws = aws
        self.database = MetadataDatabase(state)
        """The metadata database."""
        self._address = state.root / "airflow.json"

    @property
    def port(self) -> int | None:
        """Loopback port of the API server, the last one if it does not run; None before it has."""
        try:
            return int(json.loads(self._address.read_text())["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def url(self) -> str:
        """Address of the UI and the REST API, empty when it has never been started."""
        return f"http://{ports.HOST}:{self.port}" if self.port else ""

    @property
    def login(self) -> tuple[str, str]:
        """User and password of the UI; the password is made at the first start."""
        return _USER, _secrets(self.state)["password"]

    def environment(self) -> dict[str, str]:
        """Build the environment in which Airflow's processes run.

        :returns: the whole environment, this process's own included.
        """
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIRFLOW", "OPENLINEAGE", "AWS_"))
            and name != "PYTHONDONTWRITEBYTECODE"
        }
        return own | self._aws.environment() | self._settings()

    def _settings(self) -> dict[str, str]:
        home = self.state.airflow_home
        secret = _secrets(self.state)
        bundles = [
            {
                "name": name,
                "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
                "kwargs": {"path": str(path), "refresh_interval": 5},
            }
            for name, path in (("dags-folder", PROJECT / "dags"), ("converted", self.state.dags))
        ]
        outbox = {
            "type": "updraft.lineage.transport.OutboxTransport",
            "uri": self.state.outbox.as_uri(),
        }
        forwarder = {"scope": {"dag_id": "forward_lineage"}, "controls": {"emit": False}}
        return {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__SECRET_KEY": secret["session"],
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secret["jwt"],
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords(self.state)),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{_USER}:admin",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
            # A file that is new or has changed is read at once all the same.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database.url,
            "AIRFLOW__OPENLINEAGE__EMISSION_POLICY": json.dumps([forwarder]),
            "AIRFLOW__OPENLINEAGE__NAMESPACE": NAMESPACE,
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(outbox),
            "AIRFLOW__UPDRAFT__DATAZONE_DOMAIN_ID": DOMAIN_ID,
            "AIRFLOW__UPDRAFT__ENVIRONMENT": NAMESPACE,
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    def up(self, port: int | None = None) -> None:
        """Start what does not run yet and wait until it answers.

        :param port: port of the API server; None takes the one of the last time, else a free one.
        :raises UpdraftError: when the port is in use, or a process ends or does not get healthy.
        """
        running = {found.service for found in processes.find(self.state.root)} & set(SERVICES)
        self._choose_port(port, running=bool(running))
        environment = self.environment()
        for folder in (self.state.airflow_home, self.state.dags, self.state.outbox):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self.database.up()
            self._migrate(environment)
            for service, arguments in SERVICES.items():
                if service not in running:
                    command = [sys.executable, "-m", _PROGRAMS.get(service, "airflow"), *arguments]
                    processes.start(self.state.root, service, command, environment, PROJECT)
            self._wait_until_healthy()
        except BaseException:
            self.down()
            raise

    def down(self) -> list[processes.FoundProcess]:
        """End it; the metadata database stays on disk.

        :returns: what was ended.
        """
        ended = processes.stop(self.state.root, SERVICES, patience=30)
        return ended + self.database.down()

    def _choose_port(self, wanted: int | None, *, running: bool) -> None:
        last = self.port
        if running:
            if wanted not in {None, last}:
                raise UpdraftError(
                    f"Airflow already runs at {self.url}; "
                    f"run `updraft local down` before it can move to port {wanted}"
                )
            return
        if wanted is not None:
            ports.require_free(wanted)
            chosen = wanted
        else:
            chosen = last if last is not None and ports.is_free(last) else ports.free_port()
        self._address.write_text(json.dumps({"port": chosen}) + "\n")

    def _migrate(self, environment: Mapping[str, str]) -> None:
        done = self.database.directory / "migrated-to"
        wanted = version("apache-airflow")
        if done.is_file() and done.read_text() == wanted:
            return
        result = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=dict(environment),
            check=False,
            capture_output=True,
            text=True,
        )
        if result.returncode:
            raise UpdraftError(f"Airflow's database could not be created:\n{result.stderr[-2000:]}")
        done.write_text(wanted)

    def _wait_until_healthy(self, seconds: float = 150) -> None:
        deadline = time.monotonic() + seconds
        while True:
            health = self.health()
            if health and all(status == "healthy" for status in health.values()):
                return
            running = {found.service for found in processes.find(self.state.root)}
            for service in SERVICES:
                if service not in running:
                    raise UpdraftError(
                        self._trouble(service, processes.describe_end(self.state.root, service))
                    )
            if time.monotonic() > deadline:
                late = [part for part, status in health.items() if status != "healthy"]
                culprit = (late[0] if late else "api-server").replace("_", "-")
                raise UpdraftError(self._trouble(culprit, f"is not healthy after {seconds:.0f} s"))
            time.sleep(0.5)

    def _trouble(self, service: str, what: str) -> str:
        log = processes.log_file(self.state.root, service)
        tail = log.read_text(errors="replace")[-2000:] if log.is_file() else ""
        return f"Airflow's {service} {what}; its log is {log} and ends with:\n{tail}"

    def health(self) -> dict[str, str]:
        """Ask the API server how Airflow is.

        :returns: status by part (``metadatabase``, ``scheduler``, ``triggerer``,
            ``dag_processor``); empty when the API server does not answer.
        """
        try:
            answer = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5).raise_for_status()
        except httpx.HTTPError:
            return {}
        return {part: str(report["status"]) for part, report in answer.json().items() if report}


def _passwords(state: StateDirectory) -> Path:
    return state.airflow_home / "passwords.json"


def _secrets(state: StateDirectory) -> dict[str, str]:
    """Read the installation's secrets; they are made once and readable by their owner alone."""
    path = state.airflow_home / "secrets.json"
    if not path.is_file():
        made = {name: secrets.token_urlsafe(32) for name in ("jwt", "session")}
        made["password"] = secrets.token_urlsafe(9)
        path.parent.mkdir(parents=True, exist_ok=True)
        for file, content in ((_passwords(state), {_USER: made["password"]}), (path, made)):
            file.touch(mode=0o600)
            file.write_text(json.dumps(content))
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded
