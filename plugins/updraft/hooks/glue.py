"""AWS Glue with its low-level client."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.dynamodb.service_errors import explained
from updraft.hooks.clients import ONE_ATTEMPT, connected_client


class GlueClientHook(AwsBaseHook):
    """Makes boto3's client for Glue.

    The provider's ``GlueJobHook`` creates and updates jobs, and wants to know where their scripts
    and roles are. Here a job exists already, and is run.
    """

    clock_difference = timedelta()
    """How far the clock of Glue is ahead of this machine's, by the last answer to :meth:`request`.
    An answer names whole seconds, so this is too little by up to one second."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "glue"
        super().__init__(*args, **kwargs)
        self._sessions: dict[tuple[str | None, bool], Any] = {}

    @cached_property
    def client_without_retries(self) -> Any:
        """A client that makes each call once, of the same session as the other one."""
        from botocore.config import Config

        config = (self.config or Config()).merge(Config(**ONE_ATTEMPT))
        return connected_client(self, lambda: self.get_client_type(config=config))

    def get_session(self, region_name: str | None = None, deferrable: bool = False) -> Any:
        """Make the session that all clients of the hook share; it knows the API of Glue then.

        :param region_name: region, by default that of the connection.
        :param deferrable: whether it is asynchronous.
        :returns: the session.
        """
        key = (region_name, deferrable)
        if key not in self._sessions:
            self._sessions[key] = super().get_session(region_name, deferrable)
        return self._sessions[key]

    def request(self, operation: str, resource: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation of Glue.

        :param operation: its name, such as ``GetCrawler``.
        :param resource: what it is about, for the error message: ``crawler 'sales'``.
        :param parameters: its input; members that are ``None`` are left out.
        :returns: its output.
        :raises ServiceError: when Glue refuses, or gives no answer.
        """
        return self._ask(connected_client(self), operation, resource, parameters)

    def request_once(self, operation: str, resource: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation of Glue in a single attempt.

        A call that begins work, and that botocore repeats after a lost answer, begins it twice.

        :param operation: its name, such as ``StartWorkflowRun``.
        :param resource: what it is about, for the error message.
        :param parameters: its input; members that are ``None`` are left out.
        :returns: its output.
        :raises ServiceError: when Glue refuses, or gives no answer.
        """
        return self._ask(self.client_without_retries, operation, resource, parameters)

    def _ask(
        self, client: Any, operation: str, resource: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        from botocore import xform_name

        given = {name: value for name, value in parameters.items() if value is not None}
        with explained(f"glue:{operation}", resource):
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**given)
        self._compare_clocks(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
        return answer

    def pages(
        self, operation: str, member: str, resource: str, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Call an operation of Glue that answers in pages.

        :param operation: its name, such as ``ListCrawls``.
        :param member: name of the member of its output that holds the entries.
        :param resource: what it is about, for the error message.
        :param parameters: its input.
        :returns: the entries of all pages; the next page is asked for when it is needed.
        :raises ServiceError: when Glue refuses, or gives no answer.
        """
        token: str | None = None
        while True:
            page = self.request(operation, resource, NextToken=token, **parameters)
            yield from page.get(member, ())
            token = page.get("NextToken")
            if not token:
                return

    def _compare_clocks(self, headers: Mapping[str, str]) -> None:
        """Read when Glue answered, from the header that every answer in HTTP has."""
        with suppress(KeyError, ValueError):
            self.clock_difference = parsedate_to_datetime(headers["date"]) - datetime.now(UTC)
