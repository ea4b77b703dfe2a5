"""The five DAGs of the soak; each has ten tasks that can run, mapped ones counted one by one.

What a task does follows from a seed, its name, its index and the number of the try, so that two
soaks with one seed do the same. `UPDRAFT_SOAK_SEED` is that seed.
"""

import hashlib
import os
import random
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from airflow.providers.common.compat.openlineage.facet import Dataset
from airflow.providers.openlineage.extractors import OperatorLineage
from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

from updraft.compat import DAG, AirflowException, AirflowSkipException, BaseOperator, Context
from updraft.operators.lineage import ForwardLineageOperator

RETRIES = 2

Lineage: TypeAlias = "OperatorLineage[Dataset, Any]"


def _dice(context: Context, purpose: str) -> random.Random:
    instance = context["ti"]
    # Ids of runs have the time in them, so the form of the run says which one it is.
    number = (context["dag_run"].conf or {})["number"]
    name = f"{instance.dag_id}/{number}/{instance.task_id}/{instance.map_index}"
    text = f"{os.environ['UPDRAFT_SOAK_SEED']}/{name}/{instance.try_number}/{purpose}"
    return random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311 - chance, no secret


def _die(context: Context, where: str) -> None:
    instance = context["ti"]
    record = f"{instance.dag_id} {instance.task_id} {instance.map_index} {instance.try_number}"
    path = Path(os.environ["UPDRAFT_SOAK_KILLS"]) / f"{os.getpid()}-{time.time_ns()}"
    path.write_text(f"{where} {context['dag_run'].run_id} {record}\n")
    os.kill(os.getpid(), signal.SIGKILL)


class SoakOperator(BaseOperator):
    """Does nothing, in many ways: waits, fails, skips, defers, is killed.

    :param killed: share of tries that end by SIGKILL at a random point, from 0 to 1.
    :param failing: share of tries that raise.
    :param skipping: share of tries that skip.
    :param deferring: share of tries that are deferred.
    :param index: of a mapped task; it has no effect.
    """

    def __init__(
        self,
        *,
        killed: float = 0.08,
        failing: float = 0.03,
        skipping: float = 0.0,
        deferring: float = 0.0,
        index: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.killed = killed
        self.failing = failing
        self.skipping = skipping
        self.deferring = deferring
        self.index = index

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render, and be killed now and then before the task has said that it starts."""
        super().render_template_fields(context, jinja_env)
        if _dice(context, "before").random() < self.killed / 6:
            _die(context, "before")

    def execute(self, context: Context) -> str:
        """Do what the dice say."""
        dice = _dice(context, "what")
        if dice.random() < self.deferring:
            self._perhaps_die(context, "deferred")
            moment = timedelta(seconds=dice.uniform(0.1, 2))
            self.defer(trigger=TimeDeltaTrigger(moment), method_name="resume")
        return self._work(context)

    def resume(self, context: Context, event: Any = None) -> str:  # noqa: ARG002 - Airflow's form
        """Go on after a deferral."""
        return self._work(context)

    def _work(self, context: Context) -> str:
        dice = _dice(context, "work")
        self._perhaps_die(context, "work")
        time.sleep(dice.uniform(0, 0.2))
        fate = dice.random()
        if fate < self.failing:
            raise AirflowException("a failure of the soak")
        if fate < self.failing + self.skipping:
            raise AirflowSkipException("skipped by the soak")
        return "done"

    def _perhaps_die(self, context: Context, where: str) -> None:
        dice = _dice(context, f"die {where}")
        if dice.random() >= self.killed:
            return
        if dice.random() < 0.4:  # noqa: PLR2004 - the rest dies a little later, wherever that is
            _die(context, where)
        # It may be the work, the report of the result to Airflow, or the end's event.
        timer = threading.Timer(dice.uniform(0, 1.2), _die, (context, f"after {where}"))
        timer.daemon = True
        timer.start()

    def get_openlineage_facets_on_start(self) -> Lineage:
        """Name what it reads."""
        return OperatorLineage(inputs=[Dataset("s3://soak", f"in/{self.task_id}/{self.index}")])

    def get_openlineage_facets_on_complete(self, _: Any) -> Lineage:
        """Name what it reads and writes."""
        return OperatorLineage(
            inputs=[Dataset("s3://soak", f"in/{self.task_id}/{self.index}")],
            outputs=[Dataset("s3://soak", f"out/{self.task_id}/{self.index}")],
        )


def _is_open(**context: Any) -> bool:
    return bool(context["dag_run"].conf["number"] % 2 == 0)


def _dag(name: str) -> DAG:
    return DAG(
        dag_id=f"soak_{name}",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        max_active_runs=4,
        is_paused_upon_creation=False,
        default_args={"retries": RETRIES, "retry_delay": timedelta(seconds=1)},
    )


with _dag("killed") as killed:
    for position in range(10):
        SoakOperator(task_id=f"task_{position}", killed=0.3)

with _dag("deferred") as deferred:
    for position in range(10):
        SoakOperator(task_id=f"task_{position}", deferring=0.7)

with _dag("retried") as retried:
    for position in range(10):
        SoakOperator(task_id=f"task_{position}", failing=0.4)

with _dag("mapped") as mapped:
    first = SoakOperator(task_id="first", killed=0.0, failing=0.0)
    indexes = SoakOperator.partial(task_id="each", deferring=0.2).expand(index=list(range(8)))
    first >> indexes >> SoakOperator(task_id="last", trigger_rule="all_done")

with _dag("skipped") as skipped:
    gate = ShortCircuitOperator(task_id="gate", python_callable=_is_open)
    gate >> [SoakOperator(task_id=f"behind_{position}") for position in range(4)]
    for position in range(7):
        SoakOperator(task_id=f"task_{position}", skipping=0.3)

with DAG(
    dag_id="forward_lineage",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"retries": 5, "retry_delay": timedelta(seconds=1)},
) as forward_lineage:
    ForwardLineageOperator(
        task_id="post_to_catalog", max_events_per_second=20, close_orphans_after_minutes=0.25
    )
