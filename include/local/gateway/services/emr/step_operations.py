"""The operations on steps."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.emr.clusters import (
    CANCEL_PENDING,
    PENDING,
    RUNNING,
    STEP_OVER,
    Cluster,
    Step,
    new_id,
)
from include.local.gateway.services.emr.pages import page
from include.local.gateway.services.emr.running import (
    RunningClusters,
    invalid_request,
    validation_error,
)
from include.local.gateway.services.emr.views import step_members, step_summary

_PAGE = 50
_MOST_ACTIVE = 256
_MOST_IDS = 10
_MOST_CHARACTERS = 10_240
_RELEASE = re.compile(r"emr-(\d+)\.(\d+)")
_CANCELS_RUNNING = (5, 28)


class StepOperations:
    """The operations.

    :param clusters: the clusters.
    """

    def __init__(self, clusters: RunningClusters) -> None:
        self._clusters = clusters

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "AddJobFlowSteps": self._add,
            "CancelSteps": self._cancel,
            "DescribeStep": self._describe,
            "ListSteps": self._list,
        }

    def _add(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        cluster = self._clusters.store.find(request.region, given["JobFlowId"])
        if cluster is None:
            raise validation_error("Specified job flow ID does not exist.")
        refusal = validation_error(
            "A job flow that is shutting down, terminated, or finished may not be modified."
        )
        with self._clusters.modifiable(cluster, refusal) as lifecycle:
            active = sum(step.state not in STEP_OVER for step in cluster.steps)
            check_steps(given["Steps"], concurrency=cluster.concurrency, others=active)
            steps = new_steps(given["Steps"], given.get("ExecutionRoleArn"))
            lifecycle.add_steps(steps)
        return {"StepIds": [step.id for step in steps]}

    def _cancel(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        cluster = self._clusters.find(request.region, given["ClusterId"])
        kill = given.get("StepCancellationOption", "SEND_INTERRUPT") == "TERMINATE_PROCESS"
        refusal = invalid_request("Cancel steps is not allowed on a cluster that is terminated.")
        infos = []
        with self._clusters.modifiable(cluster, refusal) as lifecycle:
            by_id = {step.id: step for step in cluster.steps}
            for step_id in given["StepIds"]:
                if step_id not in by_id:
                    raise invalid_request(f"Step id '{step_id}' is not valid.")
            for step_id in given["StepIds"]:
                reason = _why_not_cancelled(by_id[step_id], cluster)
                if reason is None:
                    lifecycle.cancel(by_id[step_id], kill=kill)
                    infos.append({"StepId": step_id, "Status": "SUBMITTED"})
                else:
                    infos.append({"StepId": step_id, "Status": "FAILED", "Reason": reason})
        return {"CancelStepsInfoList": infos}

    def _describe(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        cluster = self._clusters.find(request.region, given["ClusterId"])
        with self._clusters.locked(cluster):
            for step in cluster.steps:
                if step.id == given["StepId"]:
                    return {"Step": step_members(step)}
        raise invalid_request(f"Step id '{given['StepId']}' is not valid.")

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        states, ids = given.get("StepStates"), given.get("StepIds")
        if states and ids:
            raise invalid_request("Specify either StepStates or StepIds, not both.")
        if ids and len(ids) > _MOST_IDS:
            raise invalid_request(f"At most {_MOST_IDS} step ids may be specified.")
        cluster = self._clusters.find(request.region, given["ClusterId"])
        with self._clusters.locked(cluster):
            found = [
                step
                for step in reversed(cluster.steps)
                if (not states or step.state in states) and (not ids or step.id in ids)
            ]
            listed, marker = page(found, given.get("Marker"), _PAGE, lambda step: step.id)
            return {"Steps": [step_summary(step) for step in listed], **marker}


def check_steps(configs: Sequence[Mapping[str, Any]], *, concurrency: int, others: int) -> None:
    """Check steps before they are taken.

    :param configs: ``StepConfig`` of each.
    :param concurrency: most steps that run at a time on the cluster.
    :param others: how many steps are pending or running there already.
    :raises AwsError: when EMR would refuse them.

    .. seealso:: https://docs.aws.amazon.com/emr/latest/APIReference/API_AddJobFlowSteps.html
    """
    if len(configs) + others > _MOST_ACTIVE:
        raise validation_error(
            f"Maximum number of active steps({_MOST_ACTIVE}) for cluster exceeded."
        )
    for config in configs:
        jar_step = config["HadoopJarStep"]
        if not jar_step["Jar"].strip():
            raise validation_error(f"Step {config['Name']!r} has no jar.")
        _check_size(jar_step)
        action = config.get("ActionOnFailure", "CONTINUE")
        if concurrency > 1 and action != "CONTINUE":
            raise validation_error(
                f"ActionOnFailure {action} is not valid for a cluster whose StepConcurrencyLevel "
                "is greater than 1; use CONTINUE."
            )


def new_steps(configs: Sequence[Mapping[str, Any]], execution_role: str | None) -> list[Step]:
    """Make steps that are pending.

    :param configs: ``StepConfig`` of each.
    :param execution_role: ARN of the role that they were submitted with.
    :returns: the steps.
    """
    return [
        Step(new_id("s"), {"ActionOnFailure": "CONTINUE", **config}, execution_role)
        for config in configs
    ]


def _check_size(jar_step: Mapping[str, Any]) -> None:
    values = [jar_step["Jar"], jar_step.get("MainClass", ""), *jar_step.get("Args", ())]
    values += [f"{each['Key']}{each['Value']}" for each in jar_step.get("Properties", ())]
    size = sum(map(len, values))
    if size > _MOST_CHARACTERS:
        raise validation_error(
            f"The strings of a step may have {_MOST_CHARACTERS} characters in all, not {size}."
        )


def _why_not_cancelled(step: Step, cluster: Cluster) -> str | None:
    """Say why a step can't be cancelled; running ones can since release 5.28."""
    if step.state == PENDING:
        return None
    match = _RELEASE.match(cluster.request.get("ReleaseLabel", ""))
    release = (int(match[1]), int(match[2])) if match else (0, 0)
    if step.state in {RUNNING, CANCEL_PENDING} and release >= _CANCELS_RUNNING:
        return None
    return f"Step {step.id} is {step.state} and cannot be cancelled."
