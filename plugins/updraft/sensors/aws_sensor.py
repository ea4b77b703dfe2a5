"""Base of the sensors that look at AWS again and again until something is there."""

import time
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor

from updraft.compat import AirflowException, AirflowSensorTimeout, Context
from updraft.operators.template_arguments import given
from updraft.operators.waiting import GRACE, may_defer
from updraft.triggers.polling import PollingTrigger

_Hook = TypeVar("_Hook", bound=AwsGenericHook[Any])


class AwsExistenceSensor(AwsBaseSensor[_Hook]):
    """Wait until something is there, in Airflow's triggerer unless told otherwise.

    What AWS refuses fails the attempt, and the next one looks again; time that runs out fails the
    task at once, as with all sensors of Airflow.

    :param deferrable: whether to give the worker's slot back while waiting.
    :param poke_interval: longest time between two looks; the first pauses of a deferred sensor are
        shorter.
    :param timeout: how long an attempt may wait.
    :param kwargs: as of the provider's sensors, such as ``aws_conn_id`` and ``region_name``.
    """

    def __init__(self, *, deferrable: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        # A template over a missing parameter renders as an empty text, which is no region.
        return {**super()._hook_parameters, "region_name": given(self.region_name)}

    @abstractmethod
    def trigger(self, **kwargs: Any) -> PollingTrigger:
        """Make the trigger that looks at the same thing.

        :param kwargs: what all such triggers are given.
        :returns: the trigger.
        """

    def execute(self, context: Context) -> Any:
        """Wait.

        :param context: context of the task instance.
        :returns: nothing.
        """
        if not may_defer(deferrable=self.deferrable):
            return super().execute(context)
        if not self.poke(context):
            self._defer_until(time.time() + self.timeout)
        return None

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> None:
        """Go on once the trigger has seen it, or has given up.

        :param context: context of the task instance.
        :param event: what the trigger says.
        :raises AirflowSensorTimeout: when the time has run out; no retry follows.
        :raises AirflowException: when the trigger could not look.
        """
        told = event or {}
        if told.get("status") == "success" or self.poke(context):
            return
        if told.get("status") == "timeout":
            raise AirflowSensorTimeout(
                f"{self.task_id}: not there after {timedelta(seconds=self.timeout)}"
            )
        raise AirflowException(f"{self.task_id}: {told.get('message', 'the trigger said nothing')}")

    def _defer_until(self, give_up_at: float) -> None:
        self.defer(
            trigger=self.trigger(
                give_up_at=give_up_at,
                waiter_delay=max(1, round(self.poke_interval)),
                aws_conn_id=self.aws_conn_id,
                region_name=given(self.region_name),
                verify=self.verify,
                botocore_config=self.botocore_config,
            ),
            method_name="execute_complete",
            # The trigger ends first, unless the triggerer hangs.
            timeout=timedelta(seconds=self.timeout + self.poke_interval) + GRACE,
        )
