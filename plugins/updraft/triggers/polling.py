"""What the triggers have in common that look at one thing in AWS again and again."""

import asyncio
import logging
import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.triggers.base import BaseTrigger, TriggerEvent

from updraft.compat import AirflowException
from updraft.triggers.pauses import growing_pauses

log = logging.getLogger(__name__)

MOST_ERRORS = 3
"""After so many triggers one after the other that could not look, a task waits in its slot."""

_LONGEST_PAUSE = 10  # intervals


class PollingTrigger(BaseTrigger):
    """Look at something in AWS again and again until it is over.

    The event has ``status`` (``success``, ``timeout`` or ``error``), ``message`` unless it is a
    success, ``give_up_at``, ``errors`` and the arguments of the subclass. It only says that the
    waiting ended, so the task has to look for itself how.

    :param give_up_at: when the waiting ends, in seconds since 1970. The task hands it on if it has
        to wait again.
    :param waiter_delay: seconds between two looks; the first pauses are shorter.
    :param aws_conn_id: the Airflow connection used for AWS credentials.
    :param region_name: region.
    :param verify: whether to verify TLS certificates, or the path of a CA bundle.
    :param botocore_config: arguments of botocore's ``Config``.
    :param errors: how many triggers of this task one after the other could not look. The more they
        were, the longer is the pause before the first look. The event counts on.
    """

    argument_names: ClassVar[tuple[str, ...]] = ()
    """Names of the arguments that a subclass adds, which are attributes as well."""

    aws_hook_class: ClassVar[type[AwsBaseHook]]
    """Makes the client. The provider asks triggers for it from version 9.37 on."""

    def __init__(
        self,
        *,
        give_up_at: float,
        waiter_delay: int,
        aws_conn_id: str | None,
        region_name: str | None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
        errors: int = 0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.give_up_at = give_up_at
        self.waiter_delay = waiter_delay
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config
        self.errors = errors

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Say how to make the same trigger in another process.

        :returns: path of the class, and its arguments.
        """
        names = (
            *self.argument_names,
            "give_up_at",
            "waiter_delay",
            "aws_conn_id",
            "region_name",
            "verify",
            "botocore_config",
            "errors",
        )
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in names}

    def hook(self) -> AwsBaseHook:
        """Make the hook with everything that the task was given for its own.

        :returns: the hook.
        """
        return self.aws_hook_class(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    def first_pause(self) -> float:
        """Say how long to wait before the first look.

        :returns: seconds.
        """
        return 0.0

    @abstractmethod
    async def is_over(self, client: Any) -> bool:
        """Look at what is waited for.

        :param client: asynchronous client of the service.
        :returns: whether the task has to go on.
        """

    async def stop(self, client: Any) -> None:
        """End what is waited for; does nothing where it isn't the task's own.

        :param client: asynchronous client of the service.
        """

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait.

        What botocore raises becomes an event as well, as does a connection of Airflow or a
        configuration that is wrong in the triggerer only. Left to the triggerer, it would fail
        the task without letting it look for itself.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        outcome = {"status": "success"}
        try:
            await asyncio.sleep(self.first_pause() + self._pause_after_errors())
            async with await self._connect() as client:
                pauses = growing_pauses(self.waiter_delay)
                while not await self.is_over(client):
                    self.errors = 0
                    if time.time() >= self.give_up_at:
                        outcome = {"status": "timeout", "message": "it has taken too long"}
                        break
                    await asyncio.sleep(next(pauses))
            self.errors = 0
        except (AirflowException, BotoCoreError, ClientError, OSError, ValueError) as error:
            self.errors += 1
            outcome = {"status": "error", "message": str(error)}
        yield TriggerEvent(  # type: ignore[no-untyped-call]
            {
                **{name: getattr(self, name) for name in self.argument_names},
                **outcome,
                "give_up_at": self.give_up_at,
                "errors": self.errors,
            }
        )

    async def on_kill(self) -> None:
        """End what was started, because a user has ended the task; Airflow calls it from 3.3 on."""
        async with await self._connect() as client:
            await self.stop(client)

    def _pause_after_errors(self) -> float:
        if not self.errors:
            return 0.0
        pause = float(self.waiter_delay * min(2 ** (self.errors - 1), _LONGEST_PAUSE))
        return max(0.0, min(pause, self.give_up_at - time.time()))

    async def _connect(self) -> Any:
        hook: Any = self.hook()
        return await hook.get_async_conn()
