"""Resources in AWS that tasks have started and that are still there."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.dynamodb.service_errors import explained
from updraft.hooks.clients import connected_client
from updraft.resource_owner import ENVIRONMENT_TAG, ResourceOwner


@dataclass(frozen=True)
class OwnedResource:
    """A resource that goes on and costs money.

    :param kind: what it is, such as ``EMR cluster``.
    :param identifier: its id, unique among its kind.
    :param name: its name, as a person gave it.
    :param state: its state, as its service says.
    :param started: when it was started.
    :param owner: the task instance that started it; None when its tags no longer say.
    :param parents: ids of what it is part of, by parameter of the call that ends it.
    :param kept: whether somebody wants it to stay after its run.
    """

    kind: str
    identifier: str
    name: str
    state: str
    started: datetime
    owner: ResourceOwner | None
    parents: Mapping[str, str] = field(default_factory=dict)
    kept: bool = False


class OwnedResources:
    """Finds and ends resources of one kind; a subclass knows their service.

    :param hook_parameters: connection, region, verification and botocore configuration, as
        ``AwsBaseHook`` takes them.
    """

    kind: ClassVar[str]
    client_type: ClassVar[str]

    def __init__(self, hook_parameters: Mapping[str, Any]) -> None:
        self._hook: AwsBaseHook = AwsBaseHook(
            **{**hook_parameters, "client_type": self.client_type}
        )

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find what has not ended.

        :param environment: name of the Airflow environment whose resources count.
        :returns: the resources.
        :raises ServiceError: when AWS refuses a call.
        """
        raise NotImplementedError

    def end(self, resource: OwnedResource) -> None:
        """End a resource; the call returns before it has ended.

        :param resource: one that :meth:`find` gave.
        :raises ServiceError: when AWS refuses.
        """
        raise NotImplementedError

    @property
    def client(self) -> Any:
        """The low-level client."""
        return connected_client(self._hook)

    def _explained(self, operation: str, resource: str) -> AbstractContextManager[None]:
        return explained(operation, f"{resource} in {self.client.meta.region_name}")

    def _pages(self, operation: str, answers: str, **request: Any) -> Iterator[Any]:
        """Give what all pages of an operation list, one after the other.

        :param operation: name of the client's method.
        :param answers: name of the list in each page.
        :param request: parameters of the call.
        """
        paginator = self.client.get_paginator(operation)
        action = f"{self.client_type}:{operation}"
        with self._explained(action, self.kind):
            for page in paginator.paginate(**request):
                yield from page[answers]


def is_of(environment: str, tags: Mapping[str, str]) -> bool:
    """Tell whether a resource was started by a task of an environment.

    :param environment: name of the environment.
    :param tags: all tags of the resource.
    :returns: whether it was.
    """
    written = ResourceOwner(environment, "", "", "").tags()[ENVIRONMENT_TAG]
    return tags.get(ENVIRONMENT_TAG) == written
