"""Ends the instances of a setup task that has failed for good."""

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.operators.ec2_instances import Ec2Instances
from updraft.operators.machine_base import MachineOperator
from updraft.resource_owner import ResourceOwner
from updraft.triggers.ec2 import LIVE

Callback: TypeAlias = Callable[[Context], Any]
"""What Airflow calls when the state of a task has changed."""


def end_instances(context: Context) -> None:
    """End the instances of a task; the callback for its failure.

    A teardown does not run when its setup has failed. A process that was killed ends nothing
    either: then the DAG processor calls this, as soon as Airflow misses the task's heartbeat.

    :param context: context of the task instance.
    """
    operator = context["task"]
    if not isinstance(operator, MachineOperator):
        return
    try:
        instances = Ec2Instances(operator.ec2_outside(context), ResourceOwner.of(context))
        for instance in instances.own(*LIVE):
            instances.terminate(instance["InstanceId"])
    except UpdraftError as error:
        operator.log.warning("An instance may go on until it shuts itself down. %s", error)


def with_end_of_instances(callbacks: Callback | Collection[Callback] | None) -> list[Callback]:
    """Add :func:`end_instances` to the callbacks of a task.

    :param callbacks: those of the user: none, one, or several.
    :returns: all of them, the user's after the end of the instances.
    """
    if callbacks is None:
        own: list[Callback] = []
    else:
        own = [callbacks] if callable(callbacks) else list(callbacks)
    return [end_instances, *(one for one in own if one is not end_instances)]
