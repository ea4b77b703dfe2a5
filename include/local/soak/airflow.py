"""The Airflow of a soak: five DAGs and the forwarder, and a catalog behind a proxy of faults."""

import json
import shutil
from pathlib import Path

from include.local import processes
from include.local.airflow import ALL_SERVICES, LocalAirflow
from include.local.layout import StateDirectory
from include.local.stack import LocalStack
from updraft.errors import UpdraftError

_DAGS = Path(__file__).parent / "dags" / "lineage_soak.py"


class SoakAirflow(LocalAirflow):
    """An Airflow that has no DAGs but those of a soak.

    :param state: where it keeps what it writes.
    :param aws: the stand-in for AWS, which runs.
    :param catalog_url: where the forwarder's task finds DataZone.
    :param seed: what the tasks' dice are thrown with.
    :param parallelism: how many tasks run at a time.
    """

    def __init__(
        self, state: StateDirectory, aws: LocalStack, catalog_url: str, seed: int, parallelism: int
    ) -> None:
        super().__init__(state, aws)
        self._catalog_url = catalog_url
        self._seed = seed
        self._parallelism = parallelism

    @property
    def kills(self) -> Path:
        """Where tasks note down that they kill themselves."""
        return self.state.root / "kills"

    def up(self, port: int | None = None) -> None:
        """Put the DAGs into their folder and start.

        :param port: as of :class:`LocalAirflow`.
        """
        self.kills.mkdir(parents=True, exist_ok=True)
        self.state.dags.mkdir(parents=True, exist_ok=True)
        shutil.copy(_DAGS, self.state.dags)
        super().up(port)

    def check(self) -> None:
        """Check that all its processes run.

        :raises UpdraftError: when one has ended, with what it has said last.
        """
        running = {found.service for found in processes.find(self.state.root)}
        for service in ALL_SERVICES:
            if service not in running:
                end = processes.describe_end(self.state.root, service)
                raise UpdraftError(self._trouble(service, end))

    def _wait_until_healthy(self, seconds: float = 900) -> None:
        super()._wait_until_healthy(seconds)

    def _settings(self) -> dict[str, str]:
        bundle = {
            "name": "dags-folder",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(self.state.dags), "refresh_interval": 300},
        }
        return {
            **super()._settings(),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.state.dags),
            "AIRFLOW__CORE__PARALLELISM": str(self._parallelism),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
            "AWS_ENDPOINT_URL_DATAZONE": self._catalog_url,
            "UPDRAFT_SOAK_KILLS": str(self.kills),
            "UPDRAFT_SOAK_SEED": str(self._seed),
        }
