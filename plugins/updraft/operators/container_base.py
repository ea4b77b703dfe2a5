"""What commands in containers of Amazon ECS and of AWS Batch have in common.

The provider's operators start and wait. What they leave open is what happens when an attempt dies,
or when somebody ends it: a retry of theirs starts a second job in AWS Batch, and of a task that
waits in the triggerer, the container runs on. Here a retry finds what an earlier attempt has
started, by a token of the task instance that stands on it, and tags say whose it is.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from airflow.triggers.base import BaseTrigger

from updraft.compat import Context
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.trigger_failure import TRIGGER_FAILED, StopsAfterTrigger
from updraft.operators.try_series import series_digest
from updraft.resource_owner import ResourceOwner

ENDING_SECONDS = 600
"""How long a task waits for a container that is being ended, before it starts the next.

Amazon ECS gives a program at most 2 minutes, on instances of yours as long as these are told to.
"""

_TIMED_OUT = "timeout"


class ContainerCommand(StopsAfterTrigger):
    """A task with one container for all of its attempts, which ends with it.

    :param kwargs: as of the provider's operator.
    """

    _trigger_class: type[BaseTrigger]
    """Waits as the provider's trigger does, and ends the container with the task."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kill_switch = KillSwitch()

    @property
    @abstractmethod
    def _container(self) -> str | None:
        """What this attempt has started or adopted."""

    @abstractmethod
    def _live(self, token: str) -> Sequence[str]:
        """List what goes on, and is not being ended, in an order that is the same for all.

        :param token: the token of the task instance.
        """

    @abstractmethod
    def _succeeded(self, token: str, series: str) -> str | None:
        """Wait for what is being ended, and find what has succeeded.

        :param token: the token of the task instance.
        :param series: digest of the attempts that belong together.
        """

    @abstractmethod
    def _end(self, container: str) -> None:
        """Tell AWS to end something that goes on."""

    def _adopt(self, token: str, context: Context) -> str | None:
        """Find what an earlier attempt has started.

        What goes on is adopted whoever has started it, also before the task was cleared; what has
        succeeded, only when it is a result of these attempts.
        """
        live = self._live(token)
        for surplus in live[1:]:
            self.log.warning("%s is there a second time; it is ended", surplus)
            self._end(surplus)
        found = live[0] if live else self._succeeded(token, series_digest(context))
        if found is not None:
            self.log.info("An earlier attempt has started %s", found)
        return found

    def stop_after_trigger(self, context: Context) -> None:
        """End the container, because the trigger that watched it has failed.

        :param context: context of the task instance.
        """
        self._quietly(lambda: self._live(container_token(context)))

    def defer(
        self,
        *,
        trigger: BaseTrigger,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> NoReturn:
        """Wait in the triggerer, by a trigger that ends the container with the task.

        :param trigger: the provider's trigger.
        :param method_name: the method to go on with.
        :param kwargs: its arguments.
        :param timeout: longest time to wait.
        """
        _, arguments = trigger.serialize()
        own = self._trigger_class(**arguments)
        limit = self._limit(timeout)
        super().defer(trigger=own, method_name=method_name, kwargs=kwargs, timeout=limit)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Go on after a trigger; a container that has taken too long is ended in any attempt.

        :param next_method: method to go on with.
        :param next_kwargs: its arguments.
        :param context: context of the task instance.
        :returns: what the method returns.
        """
        error = str((next_kwargs or {}).get("error", ""))
        if next_method == TRIGGER_FAILED and _TIMED_OUT in error.casefold():
            self.stop_after_trigger(context)
        return super().resume_execution(next_method, next_kwargs, context)

    def on_kill(self) -> None:
        """End the container; called from a signal handler."""
        self._kill_switch.throw()
        self._end_own()

    def _end_own(self) -> None:
        own = self._container
        self._quietly(lambda: [own] if own is not None else [])

    def _limit(self, timeout: timedelta | float | None) -> timedelta | None:
        """Let the limit of an attempt hold also while the task waits in the triggerer."""
        given = timedelta(seconds=timeout) if isinstance(timeout, int | float) else timeout
        return min((one for one in (given, self.execution_timeout) if one), default=None)

    def _quietly(self, find: Callable[[], Sequence[str]]) -> None:
        """End containers; what AWS refuses goes to the log."""
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
        )

        try:
            for container in find():
                self._end(container)
        except (BotoCoreError, ClientError):
            self.log.exception("The container could not be ended, see to it in the console of AWS")


def container_token(context: Context) -> str:
    """Name the containers of a task instance.

    :param context: context of the task instance.
    :returns: a UUID, the same in all of its attempts.
    """
    return ResourceOwner.of(context).token("container")
