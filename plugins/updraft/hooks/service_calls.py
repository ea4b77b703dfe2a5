"""Calls of a service that wait when AWS throttles them."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.ec2 import EC2Hook
from airflow.providers.amazon.aws.hooks.ssm import SsmHook

from updraft.dynamodb.service_errors import THROTTLED, ServiceError, explained
from updraft.hooks.clients import connected_client, without_retries

log = logging.getLogger(__name__)

PATIENCE = 900.0
"""Seconds for which a throttled call is repeated."""

_LONGEST_PAUSE = 60.0


def ec2_hook(**hook_parameters: Any) -> AwsBaseHook:
    """Make the provider's hook for EC2.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :returns: the hook; its client is the low-level one.
    """
    return EC2Hook(api_type="client_type", **hook_parameters)


def ssm_hook(**hook_parameters: Any) -> AwsBaseHook:
    """Make the provider's hook for Systems Manager.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :returns: the hook.
    """
    return SsmHook(**hook_parameters)


class ServiceCalls:
    """Calls of one service.

    :param make_hook: makes its hook.
    :param hook_parameters: connection, region, verification and botocore configuration.
    :param patience: seconds for which a throttled call is repeated beyond botocore's own retries.
    :param prefix: what IAM calls the service, by default what botocore calls it.
    :param page_member: member of request and answer that leads to the next page.
    """

    def __init__(
        self,
        make_hook: Callable[..., AwsBaseHook],
        hook_parameters: Mapping[str, Any],
        patience: float = PATIENCE,
        *,
        prefix: str | None = None,
        page_member: str = "NextToken",
    ) -> None:
        self.hook_parameters = dict(hook_parameters)
        self.hook = make_hook(**self.hook_parameters)
        self.patience = patience
        self._make_hook = make_hook
        self._prefix = prefix or self.hook.client_type
        self._page_member = page_member
        self._single: AwsBaseHook | None = None

    @property
    def region(self) -> str:
        """Region that the calls go to."""
        return str(connected_client(self.hook).meta.region_name)

    def call(self, operation: str, resource: str, **request: Any) -> dict[str, Any]:
        """Make a call that changes nothing, or the same however often it is made.

        :param operation: name of the client's method.
        :param resource: what it is about, for the message of an error.
        :param request: the parameters of the call.
        :returns: the answer.
        :raises ServiceError: when AWS refuses.
        """
        return self._patient(self.hook, operation, resource, request)

    def call_once(
        self, operation: str, resource: str, check: Callable[[], None], **request: Any
    ) -> dict[str, Any]:
        """Make a call that would begin something a second time if botocore repeated it.

        A call that was throttled did nothing, and is made again.

        :param operation: name of the client's method.
        :param resource: what it is about, for the message of an error.
        :param check: called right before each try, to let through an error of its own instead.
        :param request: the parameters of the call.
        :returns: the answer.
        :raises ServiceError: when AWS refuses.
        """
        if self._single is None:
            self._single = self._make_hook(**without_retries(self.hook_parameters))
        return self._patient(self._single, operation, resource, request, check)

    def items(
        self, operation: str, resource: str, member: str, **request: Any
    ) -> Iterator[dict[str, Any]]:
        """List all pages.

        :param operation: name of the client's method.
        :param resource: what it is about, for the message of an error.
        :param member: member of the answer that holds the items.
        :param request: the parameters of the call.
        :returns: the items in the order of the service.
        :raises ServiceError: when AWS refuses.
        """
        more: dict[str, Any] = {}
        while True:
            page = self.call(operation, resource, **request, **more)
            yield from page.get(member) or ()
            if not page.get(self._page_member):
                return
            more = {self._page_member: page[self._page_member]}

    def _patient(
        self,
        hook: AwsBaseHook,
        operation: str,
        resource: str,
        request: Mapping[str, Any],
        check: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        action = f"{self._prefix}:{operation.title().replace('_', '')}"
        client = connected_client(hook)
        give_up_at = time.monotonic() + self.patience
        pause = 1.0
        while True:
            check()
            try:
                with explained(action, resource):
                    answer: dict[str, Any] = getattr(client, operation)(**request)
                    return answer
            except ServiceError as error:
                if error.code not in THROTTLED or time.monotonic() + pause > give_up_at:
                    raise
                log.info("AWS throttles %s; the next attempt is in %.0f s", action, pause)
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
