"""The operators that are compared, with the same work and the same pauses between two looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.providers.amazon.aws.operators.glue import GlueJobOperator

from benchmarks.waiting.work import JOB, Work
from updraft.compat import DAG, BaseOperator
from updraft.operators.glue_job import GlueJobRunOperator

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Contender:
    """One operator.

    :param title: what it is called in the table.
    :param deferrable: whether it leaves its slot while it waits.
    :param make: makes the operator in a DAG.
    """

    title: str
    deferrable: bool
    make: Callable[[Work], BaseOperator]


def _updraft(work: Work) -> BaseOperator:
    return GlueJobRunOperator(
        task_id="run",
        job_name=JOB,
        script_arguments={"--seconds": str(work.seconds)},
        aws_conn_id=None,
        poll_interval=work.poll_interval,
        deferrable=True,
    )


def _provider(work: Work, *, deferrable: bool) -> BaseOperator:
    return GlueJobOperator(
        task_id="run",
        job_name=JOB,
        script_location=work.script,
        script_args={"--seconds": str(work.seconds)},
        iam_role_arn="arn:aws:iam::123456789012:role/glue",
        aws_conn_id=None,
        region_name="us-east-1",
        job_poll_interval=work.poll_interval,
        waiter_delay=work.poll_interval,
        waiter_max_attempts=1000,
        deferrable=deferrable,
    )


CONTENDERS: Mapping[str, Contender] = {
    "updraft": Contender("GlueJobRunOperator of Updraft", True, _updraft),
    "provider-deferrable": Contender(
        "GlueJobOperator, deferrable", True, lambda work: _provider(work, deferrable=True)
    ),
    "provider": Contender("GlueJobOperator", False, lambda work: _provider(work, deferrable=False)),
}
"""The contenders by name."""


def task(name: str, work: Work) -> BaseOperator:
    """Make the task of a contender.

    :param name: name of the contender.
    :param work: what it does.
    :returns: the task, in a DAG of its own.
    """
    with DAG("waiting", schedule=None):
        return CONTENDERS[name].make(work)


def context(operator: BaseOperator, index: int) -> Any:
    """Make the context of a task instance as far as the contenders look at it.

    :param operator: the task.
    :param index: which of the runs it is.
    :returns: the context.
    """
    instance = SimpleNamespace(
        dag_id="waiting",
        task_id=operator.task_id,
        run_id=f"run-{index}",
        map_index=-1,
        try_number=1,
        max_tries=0,
        task=operator,
        xcom_push=lambda *_, **__: None,
        xcom_pull=lambda *_, **__: None,
    )
    run = SimpleNamespace(run_id=instance.run_id, start_date=_BEGIN, logical_date=_BEGIN)
    return {"ti": instance, "task_instance": instance, "task": operator, "dag_run": run}
