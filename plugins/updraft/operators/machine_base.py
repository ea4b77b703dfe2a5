"""What the operators for instances and shell commands have in common."""

import time
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.ssm import SsmHook

from updraft.compat import AirflowFailException, Context
from updraft.errors import UpdraftError
from updraft.hooks.service_calls import ServiceCalls, ec2_hook, ssm_hook
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.waiting import GRACE, Deferral, check_poll_interval, may_defer
from updraft.triggers.polling import MOST_ERRORS, PollingTrigger


class MachineOperator(StopsAfterTrigger, AwsOperator[SsmHook]):
    """Base of the operators that use EC2 and Systems Manager.

    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks; a trigger begins with shorter pauses.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.
    """

    aws_hook_class = SsmHook
    ui_color = "#e3ecdc"

    def __init__(self, *, deferrable: bool = True, poll_interval: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.kill_switch = KillSwitch()
        self._trigger_errors = 0
        self._made_calls: dict[str, ServiceCalls] = {}

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    @property
    def ec2(self) -> ServiceCalls:
        """The calls of EC2."""
        if "ec2" not in self._made_calls:
            self._made_calls["ec2"] = ServiceCalls(ec2_hook, self._hook_parameters)
        return self._made_calls["ec2"]

    @property
    def ssm(self) -> ServiceCalls:
        """The calls of Systems Manager."""
        if "ssm" not in self._made_calls:
            self._made_calls["ssm"] = ServiceCalls(ssm_hook, self._hook_parameters)
        return self._made_calls["ssm"]

    def ec2_outside(self, context: Context) -> ServiceCalls:
        """Make the calls of EC2 for a callback, which may run where no template was rendered.

        :param context: context of the task instance.
        :returns: the calls.
        """
        parameters = {
            name: self.render_template(value, context) if isinstance(value, str) else value
            for name, value in self._hook_parameters.items()
        }
        return ServiceCalls(ec2_hook, parameters)

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong, which no retry can mend.
        """
        check_poll_interval(self.poll_interval)

    @abstractmethod
    def begin(self, context: Context) -> Any:
        """Find what an earlier attempt has begun, or begin.

        :param context: context of the task instance.
        :returns: the result, or a :class:`Deferral`.
        :raises UpdraftError: when it was not possible.
        """

    def go_on(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Go on when a trigger has ended, whatever it says.

        :param context: context of the task instance.
        :param event: its event.
        :returns: the result, or a :class:`Deferral`.
        :raises UpdraftError: when it was not possible.
        """
        del event
        return self.begin(context)

    def stop(self, context: Context | None = None) -> None:
        """End what the task has begun; called from a signal handler too.

        :param context: context of the task instance, where the process does not know what an
            earlier one has begun.
        """

    def on_kill(self) -> None:
        """Note that the task was told to stop, and end its work; called from a signal handler."""
        self.kill_switch.throw()
        self.stop()

    def stop_after_trigger(self, context: Context) -> None:
        """End the work.

        :param context: context of the task instance.
        """
        self.stop(context)

    def execute(self, context: Context) -> Any:
        """Do the work, or find it done.

        :param context: context of the task instance.
        :returns: what the operator's own description says.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when the work failed.
        """
        self._checked()
        return self.carry_out(lambda: self.begin(context))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after a deferral.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: as :meth:`execute`.
        """
        if event["status"] != "success":
            self.log.warning("The trigger ended with: %s", event.get("message"))
        self._trigger_errors = event.get("errors", 0)
        self._checked()
        return self.carry_out(lambda: self.go_on(context, event))

    def _checked(self) -> None:
        try:
            self.check()
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None

    def wait(
        self, trigger: type[PollingTrigger], give_up_at: float, **arguments: Any
    ) -> Deferral | None:
        """Wait for the next look.

        :param trigger: class of what looks while the task is deferred.
        :param give_up_at: when the waiting ends, in seconds since 1970.
        :param arguments: arguments that only this kind of trigger has; ``waiter_delay`` may be
            among them, seconds that take the place of ``poll_interval``.
        :returns: what to defer with, None after a pause in the task's own slot.
        """
        delay = arguments.pop("waiter_delay", self.poll_interval)
        if self._trigger_errors >= MOST_ERRORS:
            self.log.warning("The triggerer can't look; the task waits in its slot")
        elif may_defer(deferrable=self.deferrable):
            parameters = self._hook_parameters
            made = trigger(
                **arguments,
                give_up_at=give_up_at,
                waiter_delay=delay,
                aws_conn_id=parameters.get("aws_conn_id"),
                region_name=self.ssm.region,
                verify=parameters.get("verify"),
                botocore_config=parameters.get("config"),
                errors=self._trigger_errors,
            )
            left = max(0.0, give_up_at - time.time())
            return Deferral(made, timedelta(seconds=left) + GRACE)
        time.sleep(delay)
        return None

    def persist_console_link(self, context: Context, link: Any, **values: str) -> None:
        """Give the task a link to the AWS console.

        :param context: context of the task instance.
        :param link: class of the link.
        :param values: what its address is made of.
        """
        try:
            link.persist(
                context=context,
                operator=self,
                region_name=self.ssm.region,
                aws_partition=self.ssm.hook.conn_partition,
                **values,
            )
        except Exception as error:  # noqa: BLE001 - a convenience must not fail the task
            self.log.warning("The task has no link to the AWS console: %s", error)
