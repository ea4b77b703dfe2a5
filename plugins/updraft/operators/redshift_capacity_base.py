"""What the operators have in common that change the capacity of Amazon Redshift.

Such a change has no owner and takes no token, but it has a goal that anybody can see. So all of
them work alike: look, wait until nothing changes any more, take the next step towards the goal,
wait again. An attempt that finds its goal reached is done, whoever has reached it.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from updraft.compat import AirflowFailException, Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.redshift import RedshiftRequestHook
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.redshift_refusals import Wait, wait_after
from updraft.operators.template_arguments import truth
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.waiting import GRACE, Deferral, check_poll_interval, may_defer
from updraft.triggers.polling import MOST_ERRORS
from updraft.triggers.redshift import RedshiftSettlingTrigger

MOST_ROUNDS = 5
"""So often a step is taken again that somebody else has undone."""

_VISIBLE = 1.0  # seconds after which a change shows

_Hook = TypeVar("_Hook", bound=RedshiftRequestHook)


class RedshiftCapacityOperator(StopsAfterTrigger, AwsOperator[_Hook]):
    """Base of the operators for clusters and workgroups.

    :param plan: whether to say only what would be done, and change nothing. (templated)
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks; a trigger begins with shorter pauses.
    :param timeout: how long an attempt waits in all.
    :param capacity_timeout: how long it waits for nodes that AWS does not have.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own
        (standard retries, ten attempts).
    """

    ui_color = "#dfe3f7"

    def __init__(
        self,
        *,
        plan: bool | str = False,
        deferrable: bool = True,
        poll_interval: int = 30,
        timeout: timedelta = timedelta(hours=24),
        capacity_timeout: timedelta = timedelta(hours=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.capacity_timeout = capacity_timeout
        self.kill_switch = KillSwitch()
        self._trigger_errors = 0

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    @property
    @abstractmethod
    def what(self) -> str:
        """Name of what is changed, for messages: ``cluster 'sales'``."""

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong, which no retry can mend.
        """
        check_poll_interval(self.poll_interval)
        truth("plan", self.plan)

    @abstractmethod
    def explain(self, context: Context) -> Any:
        """Say what would be done.

        :param context: context of the task instance.
        :returns: the result of a task that only plans.
        :raises UpdraftError: when it could not be done.
        """

    @abstractmethod
    def step(self, context: Context, progress: dict[str, Any]) -> Any:
        """Look, and take the next step.

        :param context: context of the task instance.
        :param progress: what this attempt has done so far; the step notes in it what it does.
        :returns: the result, or a :class:`Wait`.
        :raises UpdraftError: when it was not possible.
        """

    @abstractmethod
    def trigger(self, progress: dict[str, Any], pause: float) -> RedshiftSettlingTrigger:
        """Make what waits for the next step.

        :param progress: what this attempt has done so far.
        :param pause: seconds before the first look.
        :returns: the trigger.
        """

    def on_kill(self) -> None:
        """Note that the task was told to stop, and take back what can be taken back."""
        self.kill_switch.throw()
        self.stop()

    def stop(self) -> None:
        """Take back what the task has begun, or say why that is not possible."""

    def find_own(self, context: Context) -> None:
        """Find what the task has begun, so that :meth:`stop` can take it back.

        :param context: context of the task instance.
        :raises UpdraftError: when AWS refuses.
        """

    def stop_after_trigger(self, context: Context) -> None:
        """Take the work back.

        :param context: context of the task instance.
        """
        try:
            self.find_own(context)
            self.stop()
        except UpdraftError as error:
            self.log.warning("What the task has begun may go on. %s", error)

    def execute(self, context: Context) -> Any:
        """Bring about the goal, or find it reached.

        :param context: context of the task instance.
        :returns: what the operator's own description says.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when it was not possible.
        """
        try:
            self.check()
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        self.persist_link(context)
        if truth("plan", self.plan):
            return self.carry_out(lambda: self.explain(context))
        progress = {"give_up_at": time.time() + self.timeout.total_seconds(), "done": []}
        return self.carry_out(lambda: self._advance(context, progress))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after a deferral.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: when it was not possible.
        """
        if event["status"] != "success":
            self.log.warning("The trigger ended with: %s", event.get("message"))
        self._trigger_errors = event.get("errors", 0)
        return self.carry_out(lambda: self._advance(context, dict(event["progress"])))

    def _advance(self, context: Context, progress: dict[str, Any]) -> Any:
        """Take steps until there is a result."""
        while True:
            outcome = self.step(context, progress)
            if not isinstance(outcome, Wait):
                return outcome
            self.log.info("Waiting: %s", outcome.reason)
            deferral = self._wait(progress, outcome)
            if deferral is not None:
                return deferral

    def _wait(self, progress: dict[str, Any], wait: Wait) -> Deferral | None:
        seconds = progress["give_up_at"] - time.time()
        if seconds <= 0:
            raise UpdraftError(
                f"After {self.timeout} the {self.what} is not as it shall be: {wait.reason}. What "
                "AWS has begun goes on; a retry of this task looks anew and waits again."
            )
        if self._trigger_errors >= MOST_ERRORS:
            self.log.warning("The triggerer can't look; the task waits in its slot")
        elif may_defer(deferrable=self.deferrable):
            return Deferral(
                self.trigger(progress, min(wait.seconds, seconds)),
                timedelta(seconds=seconds) + GRACE,
            )
        time.sleep(min(max(wait.seconds, self.poll_interval), seconds))
        return None

    def waiting(self, progress: Mapping[str, Any], pause: float) -> dict[str, Any]:
        """Say how a trigger waits and reaches AWS.

        :param progress: what this attempt has done so far.
        :param pause: seconds before the first look.
        :returns: arguments of a :class:`RedshiftSettlingTrigger`.
        """
        return {
            "progress": progress,
            "pause": pause,
            "give_up_at": progress["give_up_at"],
            "waiter_delay": self.poll_interval,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.hook.conn_region_name,
            "verify": self.verify,
            "botocore_config": client_configuration(self.botocore_config),
            "errors": self._trigger_errors,
        }

    def act(
        self,
        progress: dict[str, Any],
        action: str,
        call: Callable[[], None],
        has_changed: Callable[[], bool],
    ) -> Wait:
        """Take a step, unless AWS does not take it now.

        :param progress: what this attempt has done so far.
        :param action: name of the step.
        :param call: asks AWS for it.
        :param has_changed: looks whether somebody else was faster, so that a refusal says nothing.
        :returns: what to wait for.
        :raises UpdraftError: when AWS refuses for good, or somebody undoes the step ever again.
        """
        if progress["done"].count(action) >= MOST_ROUNDS:
            raise UpdraftError(
                f"Somebody else changes the {self.what} again and again: after {MOST_ROUNDS} times "
                f"'{action}' it is not as it shall be. Find out who that is: AWS CloudTrail knows."
            )
        self.kill_switch.check()
        try:
            call()
        except UpdraftError as error:
            if has_changed():
                return Wait(f"somebody else has just changed the {self.what}")
            if not isinstance(error, ServiceError):
                raise
            return self.wait_after(error, progress)
        progress["done"].append(action)
        progress["refusals"] = 0
        progress.pop("capacity_until", None)
        self.kill_switch.check(self.stop)
        return Wait(f"{action} of {self.what} is under way", _VISIBLE)

    def wait_after(self, error: ServiceError, progress: dict[str, Any]) -> Wait:
        """Decide how long to wait when a call was refused.

        :param error: how it was refused.
        :param progress: what this attempt has done so far.
        :returns: what to wait for.
        :raises UpdraftError: when there is nothing to wait for.
        """
        return wait_after(error, progress, self.what, self.poll_interval, self.capacity_timeout)

    @abstractmethod
    def persist_link(self, context: Context) -> None:
        """Give the task its link to the AWS console.

        :param context: context of the task instance.
        """
