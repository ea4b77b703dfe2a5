"""Triggers that wait for clusters and steps of Amazon EMR."""

import asyncio
import logging
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from updraft.compat import AirflowException
from updraft.dynamodb.service_errors import THROTTLED
from updraft.emr.cluster_states import ENDED as ENDED_STATES
from updraft.emr.cluster_states import ENDING
from updraft.emr.steps import ACTIVE_STATES
from updraft.hooks.emr import CLUSTERS, emr_hook
from updraft.triggers.pauses import growing_pauses

log = logging.getLogger(__name__)

ENDED = "ended"
"""Status of an event that says that there is something new to look at."""

STEPS_PER_CALL = 10
"""Ids of steps that ListSteps takes, https://docs.aws.amazon.com/emr/latest/APIReference/API_ListSteps.html."""

_LOOKS_PER_CLUSTER = 5
_MOST_FAILURES = 20
_MOST_DELAYS = 10


class EmrTrigger(BaseTrigger):
    """Look at something until it has ended.

    The event has ``status`` (``ended``, ``timeout`` or ``error``), ``message`` with an error, and
    ``carried``. Whatever it says, the task has to look again. A call that is throttled or does not
    get through is repeated later.

    :param carried: what the task wants to be given back, to be written as JSON.
    :param give_up_at: when the waiting ends, in seconds since 1970.
    :param poll_interval: seconds between two looks; the first pauses are shorter.
    :param aws_conn_id: the Airflow connection used for AWS credentials.
    :param region_name: region.
    :param verify: whether to verify TLS certificates, or the path of a CA bundle.
    :param botocore_config: arguments of botocore's ``Config``.
    """

    service: ClassVar[str] = CLUSTERS

    def __init__(
        self,
        *,
        carried: Mapping[str, Any],
        give_up_at: float,
        poll_interval: float,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.carried = dict(carried)
        self.give_up_at = give_up_at
        self.poll_interval = poll_interval
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """Name the arguments that only this kind of trigger has."""

    @abstractmethod
    async def has_ended(self, client: Any) -> bool:
        """Look once.

        :param client: client of aiobotocore.
        :returns: whether there is something new for the task.
        """

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Write the trigger down.

        :returns: its class and arguments.
        """
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                **self.fields(),
                "carried": self.carried,
                "give_up_at": self.give_up_at,
                "poll_interval": self.poll_interval,
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "verify": self.verify,
                "botocore_config": self.botocore_config,
            },
        )

    def hook(self) -> Any:
        """Make the hook with everything that the task was given for its own.

        :returns: the hook.
        """
        return emr_hook(
            self.service,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait.

        What botocore raises becomes an event. Left to the triggerer, it would fail the task
        without letting it look.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            async with await self.hook().get_async_conn() as client:
                yield self._event(ENDED if await self._wait(client) else "timeout")
        except (AirflowException, BotoCoreError, ClientError, OSError, ValueError) as error:
            yield self._event("error", str(error))

    async def _wait(self, client: Any) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        failures, pauses = 0, growing_pauses(self.poll_interval)
        while True:
            try:
                if await self.has_ended(client):
                    return True
                failures = 0
            except (BotoCoreError, ClientError, OSError) as error:
                failures += 1
                if not _may_pass(error) or failures > _MOST_FAILURES:
                    raise
                log.info("A look failed, and is repeated: %s", error)
            delay = (
                self.poll_interval * min(2**failures, _MOST_DELAYS) if failures else next(pauses)
            )
            left = self.give_up_at - time.time()
            if left <= 0:
                return False
            await asyncio.sleep(min(delay, left))

    def _event(self, status: str, message: str | None = None) -> TriggerEvent:
        payload = {"status": status, "message": message, "carried": self.carried}
        return TriggerEvent(payload)  # type: ignore[no-untyped-call]


class EmrClusterTrigger(EmrTrigger):
    """Wait until a cluster has left certain states.

    :param cluster_id: id of the cluster.
    :param states: the states to wait in.
    :param terminates: whether the cluster ends when a user ends the task.
    :param kwargs: as :class:`EmrTrigger`.
    """

    def __init__(
        self, *, cluster_id: str, states: Sequence[str], terminates: bool, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_id = cluster_id
        self.states = list(states)
        self.terminates = terminates

    def fields(self) -> dict[str, Any]:
        """Name the arguments that only this kind of trigger has."""
        return {
            "cluster_id": self.cluster_id,
            "states": self.states,
            "terminates": self.terminates,
        }

    async def has_ended(self, client: Any) -> bool:
        """Look at the cluster."""
        answer = await client.describe_cluster(ClusterId=self.cluster_id)
        return answer["Cluster"]["Status"]["State"] not in self.states

    async def on_kill(self) -> None:
        """Terminate the cluster, because a user has ended the task; called from Airflow 3.3 on."""
        if not self.terminates:
            return
        async with await self.hook().get_async_conn() as client:
            await client.terminate_job_flows(JobFlowIds=[self.cluster_id])
        log.info("Told EMR to terminate cluster %s", self.cluster_id)


class EmrStepsTrigger(EmrTrigger):
    """Wait until steps have ended, or their cluster.

    :param cluster_id: id of the cluster.
    :param step_ids: ids of the steps.
    :param first: whether the end of one of them is enough.
    :param kwargs: as :class:`EmrTrigger`.
    """

    def __init__(
        self, *, cluster_id: str, step_ids: Sequence[str], first: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_id = cluster_id
        self.step_ids = list(step_ids)
        self.first = first
        self._looks = 0

    def fields(self) -> dict[str, Any]:
        """Name the arguments that only this kind of trigger has."""
        return {"cluster_id": self.cluster_id, "step_ids": self.step_ids, "first": self.first}

    async def has_ended(self, client: Any) -> bool:
        """Look at the steps, and now and then at the cluster."""
        active = await self._active(client)
        if not active or (self.first and len(active) < len(self.step_ids)):
            return True
        self._looks += 1
        if self._looks % _LOOKS_PER_CLUSTER:
            return False
        answer = await client.describe_cluster(ClusterId=self.cluster_id)
        return answer["Cluster"]["Status"]["State"] in (ENDING, *ENDED_STATES)

    async def on_kill(self) -> None:
        """Cancel the steps, because a user has ended the task; called from Airflow 3.3 on."""
        async with await self.hook().get_async_conn() as client:
            active = await self._active(client)
            if active:
                await client.cancel_steps(
                    ClusterId=self.cluster_id,
                    StepIds=active,
                    StepCancellationOption="TERMINATE_PROCESS",
                )
        log.info("Told EMR to cancel steps of cluster %s: %s", self.cluster_id, active)

    async def _active(self, client: Any) -> list[str]:
        request: dict[str, Any] = {"ClusterId": self.cluster_id}
        if len(self.step_ids) <= STEPS_PER_CALL:
            request["StepIds"] = self.step_ids
        else:
            request["StepStates"] = list(ACTIVE_STATES)
        own = set(self.step_ids)
        active: list[str] = []
        while True:
            page = await client.list_steps(**request)
            active += [
                step["Id"]
                for step in page["Steps"]
                if step["Id"] in own and step["Status"]["State"] in ACTIVE_STATES
            ]
            if not page.get("Marker"):
                return active
            request["Marker"] = page["Marker"]


class EmrPauseTrigger(EmrTrigger):
    """Wait until ``give_up_at`` without looking at anything."""

    def fields(self) -> dict[str, Any]:
        """Name the arguments that only this kind of trigger has."""
        return {}

    async def has_ended(self, client: Any) -> bool:  # noqa: ARG002 - there is nothing to look at
        """Tell that only time passes."""
        return False

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, without a client."""
        await asyncio.sleep(max(0.0, self.give_up_at - time.time()))
        yield self._event(ENDED)


def _may_pass(error: Exception) -> bool:
    """Tell whether the same look may succeed later."""
    response = getattr(error, "response", None)
    if response is None:
        return True  # it did not get through
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return response["Error"].get("Code") in THROTTLED or status >= 500  # noqa: PLR2004 - HTTP
