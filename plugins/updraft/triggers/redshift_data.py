"""Trigger that waits for a statement of the Amazon Redshift Data API, or for room to submit one."""

import random
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.redshift_data import RUNNING_STATES

from updraft.hooks.redshift_data import RedshiftStatementsHook
from updraft.triggers.polling import PollingTrigger


class RedshiftStatementTrigger(PollingTrigger):
    """Wait for the end of a statement; without one, let some time pass.

    :param statement_id: id of the statement; ``None`` when none could be submitted yet.
    :param step: number of its call, and
    :param adopted: whether an earlier attempt of the task submitted it; the event says both again.
    :param kwargs: as of :class:`PollingTrigger`.
    """

    argument_names = ("statement_id", "step", "adopted")
    aws_hook_class: ClassVar[type[AwsBaseHook]] = RedshiftStatementsHook

    def __init__(
        self, *, statement_id: str | None, step: int, adopted: bool, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.step = step
        self.statement_id = statement_id
        self.adopted = adopted

    def first_pause(self) -> float:
        """Say how long to wait before the first look.

        Many tasks that wait for room should not all try at the same moment.

        :returns: seconds.
        """
        if self.statement_id is not None:
            return 0.0
        return self.waiter_delay * (1 + random.random())  # noqa: S311 - no secret

    async def is_over(self, client: Any) -> bool:
        """Look at the statement.

        :param client: asynchronous client of the Data API.
        :returns: whether it has ended.
        """
        if self.statement_id is None:
            return True
        status = (await client.describe_statement(Id=self.statement_id))["Status"]
        self.log.info("Statement %s is %s", self.statement_id, status)
        return status not in RUNNING_STATES

    async def stop(self, client: Any) -> None:
        """Cancel the statement.

        :param client: asynchronous client of the Data API.
        """
        if self.statement_id is not None:
            await client.cancel_statement(Id=self.statement_id)
            self.log.info("Told Redshift to cancel statement %s", self.statement_id)
