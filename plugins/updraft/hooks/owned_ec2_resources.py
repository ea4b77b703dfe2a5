"""Instances of EC2 that tasks have started."""

from collections.abc import Iterator
from typing import ClassVar

from updraft.hooks.owned_resources import OwnedResource, OwnedResources, is_of
from updraft.resource_owner import ENVIRONMENT_TAG, KEEP_TAG, ResourceOwner

_LIVE = ("pending", "running", "stopping", "stopped")


class OwnedEc2Instances(OwnedResources):
    """The instances of EC2. A stopped one counts, since its volumes cost money."""

    kind: ClassVar[str] = "EC2 instance"
    client_type: ClassVar[str] = "ec2"

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find instances.

        :param environment: name of the Airflow environment.
        :returns: the instances that have not been terminated.
        :raises ServiceError: when AWS refuses a call.
        """
        filters = [
            {"Name": "instance-state-name", "Values": list(_LIVE)},
            {"Name": "tag-key", "Values": [ENVIRONMENT_TAG]},
        ]
        for reservation in self._pages("describe_instances", "Reservations", Filters=filters):
            for found in reservation["Instances"]:
                tags = {tag["Key"]: tag.get("Value", "") for tag in found.get("Tags", [])}
                if is_of(environment, tags):
                    yield OwnedResource(
                        self.kind,
                        found["InstanceId"],
                        tags.get("Name", ""),
                        found["State"]["Name"],
                        found["LaunchTime"],
                        ResourceOwner.from_tags(tags),
                        kept=tags.get(KEEP_TAG) == "true",
                    )

    def end(self, resource: OwnedResource) -> None:
        """Terminate an instance.

        :param resource: the instance.
        :raises ServiceError: when AWS refuses.
        """
        with self._explained("ec2:TerminateInstances", f"instance {resource.identifier}"):
            self.client.terminate_instances(InstanceIds=[resource.identifier])
