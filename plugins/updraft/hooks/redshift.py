"""Amazon Redshift and Redshift Serverless with their low-level clients."""

from collections.abc import Iterator
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.redshift_cluster import RedshiftHook

from updraft.dynamodb.service_errors import explained
from updraft.hooks.clients import connected_client


class RedshiftRequestHook(AwsBaseHook):
    """Calls the operations of a service, and says in one sentence why one failed."""

    def request(self, operation: str, resource: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation.

        :param operation: its name, such as ``ResizeCluster``.
        :param resource: what it is about, for the error message: ``cluster 'sales'``.
        :param parameters: its input; members that are ``None`` are left out.
        :returns: its output.
        :raises ServiceError: when the service refuses, or gives no answer.
        """
        from botocore import xform_name

        client = connected_client(self)
        given = {name: value for name, value in parameters.items() if value is not None}
        with explained(f"{self.client_type}:{operation}", resource):
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**given)
        return answer

    def pages(
        self, operation: str, member: str, resource: str, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Call an operation of Redshift that answers in pages.

        :param operation: its name, such as ``DescribeScheduledActions``.
        :param member: name of the member of its output that holds the entries.
        :param resource: what it is about, for the error message.
        :param parameters: its input.
        :returns: the entries of all pages; the next page is asked for when it is needed.
        :raises ServiceError: when the service refuses, or gives no answer.
        """
        marker: str | None = None
        while True:
            page = self.request(operation, resource, Marker=marker, **parameters)
            yield from page.get(member, ())
            marker = page.get("Marker")
            if not marker:
                return


class RedshiftClusterHook(RedshiftRequestHook, RedshiftHook):
    """The provider's hook for provisioned clusters, with errors that stand on their own."""


class RedshiftServerlessHook(RedshiftRequestHook):
    """Makes the client for Redshift Serverless, for which the provider has no hook."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "redshift-serverless"
        super().__init__(*args, **kwargs)
