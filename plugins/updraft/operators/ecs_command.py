"""Commands in containers of Amazon ECS, of which none outlives its task."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.operators.container_base import ENDING_SECONDS, ContainerCommand, container_token
from updraft.operators.try_series import series_digest
from updraft.resource_owner import SERIES_TAG, ResourceOwner
from updraft.triggers.containers import REASON, EcsTaskTrigger

_MOST_DESCRIBED = 100
_STOPPED = "STOPPED"
_BY_ITSELF = "EssentialContainerExited"
_POLLING = 5  # seconds between looks at a container that is being ended


class EcsCommandOperator(ContainerCommand, EcsRunTaskOperator):
    """Run a task of Amazon ECS once for all attempts.

    A retry goes on with the container of an earlier attempt while it runs, and takes it for its own
    when it has succeeded; ECS remembers containers that have ended for an hour. When the task is
    ended, takes longer than its ``execution_timeout``, or its last attempt loses its trigger, the
    container is stopped. ``startedBy`` and tags say whose it is, by which the reaper finds it too.

    :param kwargs: as of the provider's ``EcsRunTaskOperator``, but for ``reattach``, which has no
        say here.
    """

    _trigger_class = EcsTaskTrigger

    def execute(self, context: Context) -> Any:
        """Start a container, or find the one that an earlier attempt has started, and wait.

        :param context: context of the task instance.
        :returns: as the provider's operator.
        """
        self.reattach = False
        self._started_by = container_token(context)
        own = {**ResourceOwner.of(context).tags(), SERIES_TAG: series_digest(context)}
        self.tags = {**(self.tags or {}), **own}
        self.arn = self._adopt(self._started_by, context)
        return super().execute(context)  # type: ignore[no-untyped-call]

    def _start_task(self) -> None:
        self._kill_switch.check()
        # botocore gives the call a client token, so that it starts one task when it is repeated.
        super()._start_task()  # type: ignore[no-untyped-call]
        self._kill_switch.check(self._end_own)

    def _check_success_task(self) -> None:
        """Fail also when the container was stopped, by a person or for want of a spot instance.

        A program that is told to stop may end with zero before its work is done, which the provider
        takes for success.
        """
        super()._check_success_task()
        for task in self._described([self.arn] if self.arn else []):
            code = task.get("stopCode", _BY_ITSELF)
            if code != _BY_ITSELF:
                raise UpdraftError(
                    f"Task {self.arn} was stopped before it had ended by itself ({code}): "
                    f"{task.get('stoppedReason', 'ECS gives no reason')}"
                )

    @property
    def _container(self) -> str | None:
        return self.arn

    def _end(self, container: str) -> None:
        client: Any = self.client
        client.stop_task(cluster=self.cluster, task=container, reason=REASON)

    def _live(self, token: str) -> Sequence[str]:
        return sorted(self._listed(token, "RUNNING"))

    def _succeeded(self, token: str, series: str) -> str | None:
        found = self._listed(token, _STOPPED)[:_MOST_DESCRIBED]
        tasks = self._described(found)
        if any(task["lastStatus"] != _STOPPED for task in tasks):
            client: Any = self.client
            looks = {"Delay": _POLLING, "MaxAttempts": ENDING_SECONDS // _POLLING}
            waiter = client.get_waiter("tasks_stopped")
            waiter.wait(cluster=self.cluster, tasks=found, WaiterConfig=looks)
            tasks = self._described(found)
        return next((str(one["taskArn"]) for one in tasks if _has_succeeded(one, series)), None)

    def _listed(self, token: str, desired_status: str) -> list[str]:
        client: Any = self.client
        pages = client.get_paginator("list_tasks").paginate(
            cluster=self.cluster, startedBy=token, desiredStatus=desired_status
        )
        return [arn for page in pages for arn in page["taskArns"]]

    def _described(self, arns: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        if not arns:
            return []
        client: Any = self.client
        answer = client.describe_tasks(cluster=self.cluster, tasks=arns, include=["TAGS"])
        tasks: Sequence[Mapping[str, Any]] = answer["tasks"]
        return tasks


def _has_succeeded(task: Mapping[str, Any], series: str) -> bool:
    by_itself = task.get("stopCode") == _BY_ITSELF
    is_result = {"key": SERIES_TAG, "value": series} in (task.get("tags") or ())
    containers = task.get("containers") or [{}]
    return by_itself and is_result and all(one.get("exitCode") == 0 for one in containers)
