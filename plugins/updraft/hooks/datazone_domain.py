"""Amazon DataZone with its low-level client, for everything but lineage."""

from collections.abc import Iterator
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.dynamodb.service_errors import explained
from updraft.errors import ArgumentError
from updraft.hooks.clients import connected_client
from updraft.hooks.datazone import is_domain_id

_PAGE = 50  # entries, the most that the operations take


class DataZoneClientHook(AwsBaseHook):
    """Makes boto3's client for DataZone.

    ``DataZoneHook`` posts events, each once, and counts attempts; here botocore may repeat calls.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "datazone"
        super().__init__(*args, **kwargs)

    def domain(self, domain_id: str) -> "DataZoneDomain":
        """Give access to a domain.

        :param domain_id: its identifier, ``dzd_…``.
        :returns: the domain.
        :raises UpdraftError: when the identifier does not have the form of one.
        """
        if not is_domain_id(domain_id):
            raise ArgumentError(
                f"{domain_id!r} is not the id of a DataZone domain; it looks like "
                f"dzd_a1b2c3d4e5f6g7 and stands in the domain's details"
            )
        return DataZoneDomain(self, domain_id)


class DataZoneDomain:
    """A domain of Amazon DataZone.

    :param hook: makes the client.
    :param domain_id: identifier of the domain.
    """

    def __init__(self, hook: DataZoneClientHook, domain_id: str) -> None:
        self._hook = hook
        self.domain_id = domain_id

    def request(self, operation: str, resource: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation; see :class:`updraft.datazone.service.DomainService`."""
        from botocore import xform_name

        given = {name: value for name, value in parameters.items() if value is not None}
        client = connected_client(self._hook)
        where = f"{resource} in domain {self.domain_id}"
        with explained(f"datazone:{operation}", where):
            answer: dict[str, Any] = getattr(client, xform_name(operation))(
                domainIdentifier=self.domain_id, **given
            )
        return answer

    def pages(
        self, operation: str, resource: str, member: str = "items", **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Call an operation that answers in pages; see :class:`DomainService` there."""
        token: str | None = None
        while True:
            page = self.request(
                operation, resource, nextToken=token, maxResults=_PAGE, **parameters
            )
            yield from page.get(member, ())
            token = page.get("nextToken")
            if not token:
                return
