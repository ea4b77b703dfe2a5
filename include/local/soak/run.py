"""The course of a soak: start everything, let it run under fire, compare."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.local.airflow import DOMAIN_ID
from include.local.clients import client
from include.local.demo.airflow_api import AirflowApi
from include.local.fault_proxy import fault_proxy
from include.local.layout import StateDirectory
from include.local.soak import catalog_faults
from include.local.soak.airflow import SoakAirflow
from include.local.soak.comparison import CatalogEvent, Comparison, compare
from include.local.soak.forwarders import KilledForwarders
from include.local.soak.metadata import TaskRun, task_runs, unfinished
from include.local.stack import LocalStack
from updraft.errors import UpdraftError
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import DeadLetter, EventKey
from updraft.lineage.validation import problems

DAGS = tuple(f"soak_{name}" for name in ("killed", "deferred", "retried", "mapped", "skipped"))
TASKS_OF_A_RUN = 10
"""Task instances that a run of each DAG has, retries not counted."""

_FORWARD = "forward_lineage"
_LAST_LOOKS = 8
_LOOK_SECONDS = 20.0
_POLL_SECONDS = 2.0
_PATIENCE = 600.0  # seconds that a busy Airflow may take to answer


@dataclass(frozen=True)
class Plan:
    """What a soak does.

    :param runs: task runs of each DAG.
    :param kills: how often the forwarder is killed.
    :param seed: what all dice are thrown with.
    :param parallelism: how many tasks run at a time.
    :param seconds: how long the DAGs may take before the soak gives up.
    """

    runs: int = 200
    kills: int = 50
    seed: int = 1
    parallelism: int = 4
    seconds: float = 3_600.0

    @property
    def dag_runs(self) -> int:
        """Runs of each DAG."""
        return -(-self.runs // TASKS_OF_A_RUN)


@dataclass
class Outcome:
    """What came of a soak.

    :param comparison: what the checker has found.
    :param dead_letters: reasons of the dead letters, with their numbers.
    :param faults: what the catalog did, by kind.
    :param forwarders_killed: how many forwarders were killed.
    :param tasks_killed: how many tries killed themselves.
    :param closed: how many runs without an end the forwarder has ended.
    :param seconds: how long it took.
    """

    comparison: Comparison
    dead_letters: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    forwarders_killed: int = 0
    tasks_killed: int = 0
    closed: int = 0
    seconds: float = 0.0


class Soak:
    """One soak.

    :param directory: where everything is kept; a new one.
    :param plan: what it does.
    :param progress: is told how far it is, in a line.
    """

    def __init__(self, directory: Path, plan: Plan, progress: Callable[[str], None]) -> None:
        self._state = StateDirectory(directory.resolve())
        self._plan = plan
        self._progress = progress
        self._outbox = LocalOutbox(self._state.outbox)

    def run(self) -> Outcome:
        """Carry it out, and end everything.

        :returns: what came of it.
        :raises UpdraftError: when something does not start, or the DAGs do not end.
        """
        begun = time.monotonic()
        stack = LocalStack(self._state.root)
        with ExitStack() as cleanup:
            cleanup.callback(stack.down)
            self._progress("starting the local stack")
            stack.up()
            proxy = cleanup.enter_context(fault_proxy(stack.endpoint_url, self._state.root))
            proxy.set_rules(catalog_faults.FAULTS)
            airflow = SoakAirflow(
                self._state, stack, proxy.endpoint_url, self._plan.seed, self._plan.parallelism
            )
            cleanup.callback(airflow.down)
            self._progress("starting Airflow")
            airflow.up()
            api = AirflowApi(airflow.url, *airflow.login, timeout=_PATIENCE)
            forwarders = KilledForwarders(
                self._state.outbox.as_uri(),
                DOMAIN_ID,
                kills=self._plan.kills,
                seed=self._plan.seed,
                environment={
                    **stack.environment(),
                    "AIRFLOW_HOME": str(self._state.root / "forwarders"),
                    "AWS_ENDPOINT_URL_DATAZONE": proxy.endpoint_url,
                },
                log=self._state.logs / "forwarders.log",
            )
            cleanup.callback(forwarders.stop)
            runs = self._trigger(api)
            forwarders.start()
            noise = self._wait(airflow, api, len(runs), forwarders)
            closed = self._finish(api, forwarders)
            self._progress("comparing")
            outcome = Outcome(
                self._compare(airflow, stack),
                self._dead_letters(noise),
                catalog_faults.count(proxy),
                forwarders.killed,
                len(list(airflow.kills.iterdir())),
                closed,
            )
        outcome.seconds = time.monotonic() - begun
        return outcome

    def _trigger(self, api: AirflowApi) -> list[tuple[str, str]]:
        for dag_id in (*DAGS, _FORWARD):
            api.wait_for_dag(dag_id)
        return [
            (dag_id, api.trigger(dag_id, {"number": number}, datetime.now(UTC)))
            for number in range(self._plan.dag_runs)
            for dag_id in DAGS
        ]

    def _wait(
        self, airflow: SoakAirflow, api: AirflowApi, runs: int, forwarders: KilledForwarders
    ) -> int:
        """Wait until the DAGs have ended; meanwhile put events that are none into the outbox.

        :returns: how many of the latter.
        """
        deadline = time.monotonic() + self._plan.seconds
        left, noise, halfway = runs, 0, False
        while left:
            airflow.check()
            if time.monotonic() > deadline:
                raise UpdraftError(
                    f"{left} runs of DAGs have not ended in {self._plan.seconds:,.0f} s"
                )
            with airflow.database.connect() as connection:
                left = unfinished(connection)
            forwarders.allow(1 - left / (runs + 1))
            self._progress(
                f"{runs - left} of {runs} DAG runs, {forwarders.killed} forwarders killed"
            )
            while noise <= self._plan.dag_runs * (runs - left) / runs:
                self._put_noise(noise)
                noise += 1
            if not halfway and left < runs / 2:
                halfway = True  # a forwarder that is a task joins those that are killed
                api.trigger(_FORWARD)
            time.sleep(_POLL_SECONDS)
        return noise

    def _put_noise(self, number: int) -> None:
        body = b'{"eventTime": "2026-' + str(number).encode()
        key = EventKey.for_event(body, run_id=f"noise-{number}", event_type="START")
        self._outbox.put_event(body, key)

    def _finish(self, api: AirflowApi, forwarders: KilledForwarders) -> int:
        """Let the forwarder's DAG finish what is left, runs without an end included."""
        forwarders.allow(1)
        while not forwarders.is_done():
            self._progress(f"no task runs any more, {forwarders.killed} forwarders killed")
            time.sleep(_POLL_SECONDS)
        closed = 0
        for look in range(_LAST_LOOKS):
            self._progress(f"the forwarder looks for the last events, {look + 1}")
            run_id = api.trigger(_FORWARD)
            run = api.wait_for_run(_FORWARD, run_id, 1_200)
            if run["state"] != "success":
                raise UpdraftError(f"the forwarder's run {run_id} ended as {run['state']}")
            counts: dict[str, Any] = api.xcom(_FORWARD, run_id, "post_to_catalog")
            closed += counts["closed"]
            if look > 1 and not counts["read"]:
                break
            time.sleep(_LOOK_SECONDS)
        return closed

    def _compare(self, airflow: SoakAirflow, stack: LocalStack) -> Comparison:
        with airflow.database.connect() as connection:
            runs = list(task_runs(connection))
        kills = _kills(airflow.kills, runs)
        return compare(runs, _events(stack), kills)

    def _dead_letters(self, noise: int) -> Counter[str]:
        reasons = Counter[str]()
        for name in self._outbox.dead_letter_names():
            letter = DeadLetter.from_json(self._outbox.read(name))
            reasons[letter.reason if "noise-" in name else f"NOT EXPECTED: {letter.reason}"] += 1
        if reasons.total() < noise:
            reasons["NOT EXPECTED: events that are none were taken"] = noise - reasons.total()
        return reasons


def _kills(directory: Path, runs: list[TaskRun]) -> dict[str, str]:
    names = {
        (run.run_id, run.dag_id, run.task_id, run.map_index, run.try_number): run for run in runs
    }
    kills = {}
    for path in directory.iterdir():
        where, run_id, dag_id, task_id, map_index, try_number = path.read_text().rsplit(maxsplit=5)
        run = names.get((run_id, dag_id, task_id, int(map_index), int(try_number)))
        if run is not None:
            kills[run.lineage_run] = where
    return kills


def _events(stack: LocalStack) -> Iterator[CatalogEvent]:
    datazone = client("datazone", stack.environment())
    pages = datazone.get_paginator("list_lineage_events").paginate(domainIdentifier=DOMAIN_ID)
    for page in pages:
        for item in page["items"]:
            body = datazone.get_lineage_event(domainIdentifier=DOMAIN_ID, identifier=item["id"])
            event = json.loads(body["event"].read())
            yield CatalogEvent(
                event["run"]["runId"], event["eventType"], event["job"]["name"], problems(event)
            )


def new_directory(root: Path) -> Path:
    """Name a directory for one soak.

    :param root: where soaks are kept.
    :returns: a directory that is not there yet.
    """
    return root / f"soak-{datetime.now(UTC):%Y%m%dT%H%M%S}"
