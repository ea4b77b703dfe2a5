"""Triggers that wait for job runs of EMR Serverless and EMR on EKS."""

import logging
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from updraft.hooks.emr import CONTAINERS, SERVERLESS
from updraft.triggers.emr import EmrTrigger

log = logging.getLogger(__name__)


class EmrJobRunTrigger(EmrTrigger):
    """Wait for the end of a job run.

    :param parent_id: id of the application or of the virtual cluster.
    :param run_id: id of the job run.
    :param states: the states to wait in.
    :param kwargs: as :class:`EmrTrigger`.
    """

    def __init__(
        self, *, parent_id: str, run_id: str, states: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.parent_id = parent_id
        self.run_id = run_id
        self.states = list(states)

    def fields(self) -> dict[str, Any]:
        """Name the arguments that only this kind of trigger has."""
        return {"parent_id": self.parent_id, "run_id": self.run_id, "states": self.states}

    @abstractmethod
    def identifiers(self) -> dict[str, str]:
        """Name the run as the calls of the service do."""

    async def on_kill(self) -> None:
        """Cancel the run, because a user has ended the task; called from Airflow 3.3 on."""
        async with await self.hook().get_async_conn() as client:
            await client.cancel_job_run(**self.identifiers())
        log.info("Told EMR to cancel job run %s", self.run_id)


class EmrServerlessJobRunTrigger(EmrJobRunTrigger):
    """Wait for the end of a job run of EMR Serverless; see :class:`EmrJobRunTrigger`."""

    service: ClassVar[str] = SERVERLESS

    def identifiers(self) -> dict[str, str]:
        """Name the run as the calls of the service do."""
        return {"applicationId": self.parent_id, "jobRunId": self.run_id}

    async def has_ended(self, client: Any) -> bool:
        """Look at the run."""
        answer = await client.get_job_run(**self.identifiers())
        return answer["jobRun"]["state"] not in self.states


class EmrContainersJobRunTrigger(EmrJobRunTrigger):
    """Wait for the end of a job run of EMR on EKS; see :class:`EmrJobRunTrigger`."""

    service: ClassVar[str] = CONTAINERS

    def identifiers(self) -> dict[str, str]:
        """Name the run as the calls of the service do."""
        return {"virtualClusterId": self.parent_id, "id": self.run_id}

    async def has_ended(self, client: Any) -> bool:
        """Look at the run."""
        answer = await client.describe_job_run(**self.identifiers())
        return answer["jobRun"]["state"] not in self.states
