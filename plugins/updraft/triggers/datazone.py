"""Trigger that waits for a run of a data source of Amazon DataZone."""

from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.hooks.datazone_domain import DataZoneClientHook
from updraft.triggers.polling import PollingTrigger

GOES_ON = frozenset({"REQUESTED", "RUNNING"})
"""States of a run that has not ended."""


class DataSourceRunTrigger(PollingTrigger):
    """Wait for the end of a run.

    There is no call that stops one, so nothing is stopped when a user ends the task.

    :param domain_id: id of the domain.
    :param run_id: id of the run.
    :param own: whether the run is the task's own, which the task needs to know when it goes on.
    :param kwargs: as of :class:`PollingTrigger`.
    """

    argument_names = ("domain_id", "run_id", "own")
    aws_hook_class: ClassVar[type[AwsBaseHook]] = DataZoneClientHook

    def __init__(self, *, domain_id: str, run_id: str, own: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.domain_id = domain_id
        self.run_id = run_id
        self.own = own

    async def is_over(self, client: Any) -> bool:
        """Look at the run.

        :param client: asynchronous client of DataZone.
        :returns: whether it has ended.
        """
        run = await client.get_data_source_run(
            domainIdentifier=self.domain_id, identifier=self.run_id
        )
        self.log.info("Run %s is %s", self.run_id, run["status"])
        return run["status"] not in GOES_ON
