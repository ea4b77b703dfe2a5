"""The operations of Run Command; moto keeps parameters and everything else."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import ACCOUNT_ID, Operation, OperationRequest
from include.local.gateway.services.ec2.running import RunningInstances
from include.local.gateway.services.ssm.commands import (
    OVER,
    Command,
    CommandStore,
    Invocation,
)
from include.local.gateway.services.ssm.execution import Execution
from include.local.gateway.services.ssm.views import (
    command_members,
    invocation_members,
    result_members,
)

_DOCUMENT = "AWS-RunShellScript"
_PAGE = 50
_MOST_INSTANCES = 50


class SsmHandler:
    """Commands on the instances of the local stack.

    :param directory: where commands are kept.
    :param instances: the instances.
    :param endpoint_url: address of the gateway.
    """

    service = "ssm"

    def __init__(self, directory: Path, instances: RunningInstances, endpoint_url: str) -> None:
        self._store = CommandStore(directory)
        self._instances = instances
        self._endpoint_url = endpoint_url
        self._executions: dict[tuple[str, str], Execution] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CancelCommand": self._cancel,
            "DescribeInstanceInformation": self._describe_instances,
            "GetCommandInvocation": self._get,
            "ListCommandInvocations": self._list_invocations,
            "ListCommands": self._list,
            "SendCommand": self._send,
        }

    def close(self) -> None:
        """Leave the processes to the instances, which end them."""

    def _send(self, request: OperationRequest) -> Mapping[str, Any]:
        given = json.loads(json.dumps(dict(request.parameters), default=str))
        if given["DocumentName"] not in {_DOCUMENT, f"arn:aws:ssm:::document/{_DOCUMENT}"}:
            message = f"The local stack has no document {given['DocumentName']}"
            raise AwsError("InvalidDocument", message)
        if not (given.get("Parameters") or {}).get("commands"):
            raise AwsError("InvalidParameters", "Parameter commands is required")
        targets = self._targets(given, request.region)
        command = Command(
            id=str(uuid.uuid4()),
            region=request.region,
            request=given,
            invocations=[Invocation(one) for one in targets],
        )
        self._store.save(command)
        for invocation in command.invocations:
            machine = self._instances.machine(invocation.instance_id)
            execution = Execution(self._store, command, invocation, machine, self._endpoint_url)
            self._executions[command.id, invocation.instance_id] = execution
            execution.start()
        return {"Command": command_members(command)}

    def _targets(self, given: Mapping[str, Any], region: str) -> list[str]:
        managed = self._instances.managed(region)
        named = list(given.get("InstanceIds") or ())
        if len(named) > _MOST_INSTANCES:
            raise AwsError("ValidationException", "At most 50 instance ids can be given")
        unknown = [one for one in named if one not in managed]
        if unknown:
            raise AwsError(
                "InvalidInstanceId",
                f"Instances [[{', '.join(unknown)}]] not in a valid state for account {ACCOUNT_ID}",
            )
        if named:
            return named
        if not given.get("Targets"):
            raise AwsError("InvalidTarget", "Give InstanceIds or Targets")
        return [one for one in managed if self._is_target(one, region, given["Targets"])]

    def _is_target(self, instance_id: str, region: str, targets: Sequence[Any]) -> bool:
        """Tell whether an instance fits all of ``Targets``, or of ``Filters``."""
        instance = self._instances.store.find(region, instance_id)
        if instance is None:
            return False
        for target in targets:
            key, values = target["Key"], target.get("Values") or ()
            if key == "InstanceIds":
                fits = instance_id in values
            elif key.startswith("tag:"):
                fits = instance.tags.get(key.removeprefix("tag:")) in values
            elif key == "tag-key":
                fits = any(value in instance.tags for value in values)
            elif key == "PingStatus":
                fits = "Online" in values
            elif key == "ResourceType":
                fits = "EC2Instance" in values
            else:
                raise AwsError("InvalidFilterKey", f"The local stack knows no filter {key}")
            if not fits:
                return False
        return True

    def _describe_instances(self, request: OperationRequest) -> Mapping[str, Any]:
        filters = [
            *(request.parameters.get("Filters") or ()),
            *(
                {"Key": one["key"], "Values": one["valueSet"]}
                for one in request.parameters.get("InstanceInformationFilterList") or ()
            ),
        ]
        found = [
            (instance_id, registered)
            for instance_id, registered in self._instances.managed(request.region).items()
            if self._is_target(instance_id, request.region, filters)
        ]
        return {
            "InstanceInformationList": [
                {
                    "AgentVersion": "3.3.0.0",
                    "ComputerName": "ip-127-0-0-1.ec2.internal",
                    "IPAddress": "127.0.0.1",
                    "InstanceId": instance_id,
                    "IsLatestVersion": True,
                    "LastPingDateTime": datetime.now(UTC),
                    "PingStatus": "Online",
                    "PlatformName": "Amazon Linux",
                    "PlatformType": "Linux",
                    "PlatformVersion": "2023",
                    "RegistrationDate": datetime.fromtimestamp(registered, UTC),
                    "ResourceType": "EC2Instance",
                }
                for instance_id, registered in found
            ]
        }

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        found = [command_members(one) for one in self._chosen(request)]
        return _page(found, "Commands", request)

    def _list_invocations(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        found = [
            invocation_members(command, one)
            for command in self._chosen(request)
            for one in command.invocations
            if given.get("InstanceId") in {None, one.instance_id}
        ]
        return _page(found, "CommandInvocations", request)

    def _chosen(self, request: OperationRequest) -> list[Command]:
        given = request.parameters
        if given.get("CommandId"):
            return [self._find(request.region, given["CommandId"])]
        instance = given.get("InstanceId")
        return [
            command
            for command in self._store.of_region(request.region)
            if instance in {None, *(one.instance_id for one in command.invocations)}
            and all(_fits(command, one) for one in given.get("Filters") or ())
        ]

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        command = self._store.find(request.region, given["CommandId"])
        for one in command.invocations if command is not None else ():
            if command is not None and one.instance_id == given["InstanceId"]:
                logs = self._store.folder(command, one.instance_id)
                return result_members(command, one, logs)
        raise AwsError("InvocationDoesNotExist", "")

    def _cancel(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        command = self._find(request.region, given["CommandId"])
        chosen = given.get("InstanceIds") or [one.instance_id for one in command.invocations]
        for one in command.invocations:
            if one.instance_id in chosen and one.status not in OVER:
                execution = self._executions.get((command.id, one.instance_id))
                if execution is not None:
                    execution.cancel()
        return {}

    def _find(self, region: str, command_id: str) -> Command:
        command = self._store.find(region, command_id)
        if command is None:
            raise AwsError("InvalidCommandId", "")
        return command


def _fits(command: Command, one: Mapping[str, str]) -> bool:
    key, value = one["key"], one["value"]
    if key in {"InvokedAfter", "InvokedBefore"}:
        moment = datetime.fromisoformat(value).timestamp()
        is_after: bool = command.requested >= moment
        return is_after == (key == "InvokedAfter")
    if key == "Status":
        return command.status == str(value)
    if key == "DocumentName":
        return bool(command.request["DocumentName"] == value)
    raise AwsError("InvalidFilterKey", f"The local stack knows no filter {key}")


def _page(found: list[Any], member: str, request: OperationRequest) -> Mapping[str, Any]:
    size = int(request.parameters.get("MaxResults") or _PAGE)
    start = int(request.parameters.get("NextToken") or 0)
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {member: found[start : start + size], **more}
