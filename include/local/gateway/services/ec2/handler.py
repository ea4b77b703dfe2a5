"""The operations of Amazon EC2 on instances; moto keeps images, networks and everything else."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import ACCOUNT_ID, Operation, OperationRequest
from include.local.gateway.services.ec2.instances import (
    RUNNING,
    Instance,
    new_id,
)
from include.local.gateway.services.ec2.running import RunningInstances
from include.local.gateway.services.ec2.views import (
    matches,
    reservation_members,
    state_members,
)

_RESOLVED = "resolve:ssm:"
_NOT_HERE = ("LaunchTemplate",)


class Ec2Handler:
    """Instances.

    :param directory: where they are kept.
    :param endpoint_url: address of the gateway.
    """

    service = "ec2"

    def __init__(self, directory: Path, endpoint_url: str) -> None:
        self.instances = RunningInstances(directory, endpoint_url)
        self._endpoint_url = endpoint_url

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CreateTags": self._create_tags,
            "DeleteTags": self._delete_tags,
            "DescribeInstanceStatus": self._describe_status,
            "DescribeInstances": self._describe,
            "RunInstances": self._run,
            "TerminateInstances": self._terminate,
        }

    def close(self) -> None:
        """End all processes."""
        self.instances.close()

    def _run(self, request: OperationRequest) -> Mapping[str, Any]:
        """Launch instances, once for each client token.

        .. seealso:: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
        """
        given = json.loads(json.dumps(dict(request.parameters), default=str))
        region, token = request.region, given.get("ClientToken")
        with self.instances.store.lock:
            earlier = self.instances.store.of_token(region, token) if token else []
            if earlier:
                return reservation_members(_unless_different(earlier, given))
            image = self._check(given, region)
            tags = [
                {tag["Key"]: tag.get("Value", "") for tag in one.get("Tags", ())}
                for one in given.get("TagSpecifications", ())
                if one.get("ResourceType") == "instance"
            ]
            reservation = new_id("r")
            launched = [
                Instance(
                    id=new_id("i"),
                    region=region,
                    request=given,
                    image_id=image,
                    reservation_id=reservation,
                    tags={key: value for one in tags for key, value in one.items()},
                    index=index,
                )
                for index in range(int(given["MaxCount"]))
            ]
            for instance in launched:
                self.instances.start(instance)
        return reservation_members(launched)

    def _check(self, given: Mapping[str, Any], region: str) -> str:
        """Check a launch against what there is, and find its image."""
        for name in _NOT_HERE:
            if given.get(name):
                raise AwsError("UnsupportedOperation", f"The local stack launches no {name}")
        image = str(given.get("ImageId") or "")
        if not image:
            raise AwsError("MissingParameter", "The request must contain the parameter ImageId")
        ec2: Any = client(self._endpoint_url, region, "ec2")
        try:
            if image.startswith(_RESOLVED):
                ssm: Any = client(self._endpoint_url, region, "ssm")
                name = image.removeprefix(_RESOLVED)
                image = ssm.get_parameter(Name=name)["Parameter"]["Value"]
            else:
                ec2.describe_images(ImageIds=[image])
            for one in (given, *given.get("NetworkInterfaces", ())):
                if one.get("SubnetId"):
                    ec2.describe_subnets(SubnetIds=[one["SubnetId"]])
                groups = one.get("SecurityGroupIds") or one.get("Groups")
                if groups:
                    ec2.describe_security_groups(GroupIds=groups)
            if given.get("SecurityGroups"):
                ec2.describe_security_groups(GroupNames=given["SecurityGroups"])
        except ClientError as error:
            raise AwsError(error.response["Error"]["Code"], str(error)) from error
        return image

    def _describe(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        found = self._chosen(request)
        size = int(given.get("MaxResults") or len(found) or 1)
        start = int(given.get("NextToken") or 0)
        by_reservation: dict[str, list[Instance]] = {}
        for instance in found[start : start + size]:
            by_reservation.setdefault(instance.reservation_id, []).append(instance)
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return {
            "Reservations": [reservation_members(one) for one in by_reservation.values()],
            **more,
        }

    def _describe_status(self, request: OperationRequest) -> Mapping[str, Any]:
        every = request.parameters.get("IncludeAllInstances", False)
        checked = {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}
        return {
            "InstanceStatuses": [
                {
                    "AvailabilityZone": f"{one.region}a",
                    "InstanceId": one.id,
                    "InstanceState": state_members(one.state),
                    "InstanceStatus": checked,
                    "SystemStatus": checked,
                }
                for one in self._chosen(request)
                if every or one.state == RUNNING
            ]
        }

    def _terminate(self, request: OperationRequest) -> Mapping[str, Any]:
        found = self._named(request.region, request.parameters["InstanceIds"])
        for instance in found:
            if instance.request.get("DisableApiTermination"):
                raise AwsError(
                    "OperationNotPermitted",
                    f"The instance '{instance.id}' may not be terminated. Modify its "
                    "'disableApiTermination' instance attribute and try again.",
                )
        changes = []
        for instance in found:
            before = instance.state
            reason = "Client.UserInitiatedShutdown", "User initiated shutdown"
            self.instances.terminate(instance, *reason)
            changes.append(
                {
                    "CurrentState": state_members(instance.state),
                    "InstanceId": instance.id,
                    "PreviousState": state_members(before),
                }
            )
        return {"TerminatingInstances": changes}

    def _create_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        own, others = _sorted_ids(given["Resources"])
        tags = {tag["Key"]: tag.get("Value", "") for tag in given["Tags"]}
        for instance in self._named(request.region, own):
            instance.tags.update(tags)
            self.instances.store.save(instance)
        if others:
            _moto(request.region).create_tags(others, tags)
        return {}

    def _delete_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        own, others = _sorted_ids(given["Resources"])
        tags = {tag["Key"]: tag.get("Value") for tag in given.get("Tags") or ()}
        for instance in self._named(request.region, own):
            for key, value in tags.items() or dict.fromkeys(instance.tags).items():
                if value is None or instance.tags.get(key) == value:
                    instance.tags.pop(key, None)
            self.instances.store.save(instance)
        if others:
            _moto(request.region).delete_tags(others, tags)
        return {}

    def _chosen(self, request: OperationRequest) -> list[Instance]:
        given = request.parameters
        ids = given.get("InstanceIds")
        if ids:
            found: Sequence[Instance] = self._named(request.region, ids)
        else:
            found = list(self.instances.store.of_region(request.region))
        return [one for one in found if matches(one, given.get("Filters") or ())]

    def _named(self, region: str, instance_ids: Sequence[str]) -> list[Instance]:
        found = [(one, self.instances.store.find(region, one)) for one in instance_ids]
        missing = [name for name, instance in found if instance is None]
        if missing:
            noun = f"ID '{missing[0]}' does" if len(missing) == 1 else f"IDs '{missing}' do"
            raise AwsError("InvalidInstanceID.NotFound", f"The instance {noun} not exist")
        return [instance for _, instance in found if instance is not None]


def _unless_different(earlier: list[Instance], given: Mapping[str, Any]) -> list[Instance]:
    if earlier[0].request != given:
        raise AwsError(
            "IdempotentParameterMismatch",
            "The client token has been used with other parameters than those of this request",
        )
    if any(not one.is_visible for one in earlier):
        raise AwsError(
            "IdempotentInstanceTerminated",
            "The instance of the client token has been terminated, and is no longer there",
        )
    return earlier


def _sorted_ids(ids: Sequence[str]) -> tuple[list[str], list[str]]:
    own = [one for one in ids if one.startswith("i-")]
    return own, [one for one in ids if not one.startswith("i-")]


def _moto(region: str) -> Any:
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 - after its environment is set

    return ec2_backends[ACCOUNT_ID][region]
