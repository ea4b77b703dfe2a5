"""What the operators for AWS Glue have in common."""

import time
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from updraft.compat import AirflowFailException, Context
from updraft.errors import UpdraftError
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.glue_datasets import GlueDatasetOperator, names_argument
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.waiting import GRACE, Deferral, check_poll_interval, may_defer
from updraft.triggers.glue_polling import MOST_ERRORS, GluePollingTrigger

LONGEST_WAIT = timedelta(hours=48)
"""How long a task waits; a retry waits again."""


class GlueOperator(StopsAfterTrigger, GlueDatasetOperator):
    """Base of the operators for AWS Glue.

    A subclass begins or finds its work in :meth:`begin` and looks at it in :meth:`go_on`. Both give
    the result, or a :class:`Deferral` as long as there is none. It asks ``kill_switch`` right
    before and right after each call that starts something, and when it has found what goes on.

    :param inputs: what is read, for lineage: URIs in S3 and tables of the Data Catalog as
        ``database.table``; or their JSON. (templated)
    :param outputs: what is written, likewise. (templated)
    :param deferrable: whether the task gives its slot back while Glue works.
    :param poll_interval: seconds between two looks at what Glue is doing; a trigger begins with
        shorter ones.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own
        (standard retries, ten attempts).
    """

    ui_color = "#e3dff5"

    def __init__(
        self,
        *,
        deferrable: bool = True,
        poll_interval: int = 30,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.kill_switch = KillSwitch()
        self._trigger_errors = 0

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong, which no retry can mend.
        """
        check_poll_interval(self.poll_interval)
        names_argument("inputs", self.inputs)
        names_argument("outputs", self.outputs)

    @abstractmethod
    def begin(self, context: Context) -> Any:
        """Find what an earlier attempt has begun, or begin.

        :param context: context of the task instance.
        :returns: the result, or a :class:`Deferral`.
        :raises UpdraftError: when it was not possible.
        """

    @abstractmethod
    def go_on(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Go on when a trigger has ended, whatever it says.

        :param context: context of the task instance.
        :param event: its event.
        :returns: the result, or a :class:`Deferral`.
        :raises UpdraftError: when it was not possible.
        """

    def on_kill(self) -> None:
        """Note that the task was told to stop, and end its work; called from a signal handler."""
        self.kill_switch.throw()
        self.stop()

    @abstractmethod
    def stop(self) -> None:
        """End the work, if it has begun; say so where that is not possible."""

    def find_own(self, context: Context) -> None:
        """Find the work that goes on, so that :meth:`stop` ends it.

        :param context: context of the task instance.
        :raises UpdraftError: when AWS refuses.
        """

    def stop_after_trigger(self, context: Context) -> None:
        """End the work.

        :param context: context of the task instance.
        """
        try:
            self.find_own(context)
            self.stop()
        except UpdraftError as error:
            self.log.warning("What the task has begun may go on. %s", error)

    def execute(self, context: Context) -> Any:
        """Do the work, or find it done.

        :param context: context of the task instance.
        :returns: what the operator's own description says.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when the work failed.
        """
        try:
            self.check()
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        return self.carry_out(lambda: self.begin(context))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after a deferral.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: when the work failed.
        """
        if event["status"] != "success":
            self.log.warning("The trigger ended with: %s", event.get("message"))
        self._trigger_errors = event.get("errors", 0)
        return self.carry_out(lambda: self.go_on(context, event))

    def waiting(self, give_up_at: float) -> dict[str, Any]:
        """Say how a trigger waits and reaches AWS.

        :param give_up_at: when the waiting ends, in seconds since 1970.
        :returns: arguments of a :class:`GluePollingTrigger`.
        """
        return {
            "give_up_at": give_up_at,
            "waiter_delay": self.poll_interval,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.hook.conn_region_name,
            "verify": self.verify,
            "botocore_config": client_configuration(self.botocore_config),
            "errors": self._trigger_errors,
        }

    def wait(self, trigger: GluePollingTrigger, what: str) -> Deferral | None:
        """Wait for the next look.

        :param trigger: looks while the task is deferred.
        :param what: what is waited for, for the error message: ``Crawl 1 of crawler 'sales'``.
        :returns: what to wait for, None after a pause in the task's own slot.
        :raises UpdraftError: when it has taken too long.
        """
        seconds = trigger.give_up_at - time.time()
        if seconds <= 0:
            raise UpdraftError(
                f"{what} has not ended after {LONGEST_WAIT}. It goes on; a retry of this task "
                "finds it and waits again."
            )
        if self._trigger_errors >= MOST_ERRORS:
            self.log.warning("The triggerer can't look; the task waits in its slot")
        elif may_defer(deferrable=self.deferrable):
            return Deferral(trigger, timedelta(seconds=seconds) + GRACE)
        time.sleep(self.poll_interval)
        return None

    def persist_console_link(self, context: Context, link: Any, **values: str) -> None:
        """Give the task its link to the AWS console.

        :param context: context of the task instance.
        :param link: class of the link.
        :param values: what its address is made of.
        """
        try:
            link.persist(
                context=context,
                operator=self,
                region_name=self.hook.conn_region_name,
                aws_partition=self.hook.conn_partition,
                **values,
            )
        except Exception as error:  # noqa: BLE001 - a convenience must not fail the task
            self.log.warning("The task has no link to the AWS console: %s", error)
