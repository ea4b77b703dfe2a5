"""Access to Amazon DataZone, the catalog that shows lineage."""

import re
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.errors import UpdraftError
from updraft.lineage.catalog import (
    CatalogAccessError,
    CatalogError,
    CatalogUnavailableError,
    EventRefusedError,
)
from updraft.lineage.processing_failures import ProcessingFailure

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_datazone import DataZoneClient

# Form of a domain's id in the API reference, DomainId.
_DOMAIN_ID = re.compile(r"dzd[-_][a-zA-Z0-9_-]{1,36}", re.ASCII)

# The forwarder paces and repeats calls itself, and it must know of every attempt.
_CONFIG = {"connect_timeout": 5, "read_timeout": 30, "retries": {"total_max_attempts": 1}}

_TRY_AGAIN = frozenset(
    {
        "InternalServerException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# A fault of the caller's that no other event would escape, whatever the HTTP status.
_NO_ACCESS = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "ResourceNotFoundException",
        "ServiceQuotaExceededException",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)
_NO_ACCESS_STATUS = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,  # the service's status for an exceeded quota
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
    }
)
_ADVICE = {
    "AccessDeniedException": "the role needs datazone:PostLineageEvent on the domain",
    "ResourceNotFoundException": "check the domain's id, its Region and its account",
    "ServiceQuotaExceededException": "ask for a higher quota, or remove what is not needed",
}


def is_domain_id(text: str) -> bool:
    """Tell whether a text has the form of a domain's id.

    :param text: the text.
    :returns: whether it is ``dzd_…`` or ``dzd-…``.
    """
    return _DOMAIN_ID.fullmatch(text) is not None


class DataZoneHook(AwsBaseHook):
    """Post lineage events to Amazon DataZone.

    Takes the arguments of the provider's ``AwsBaseHook`` except ``client_type``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        config = kwargs.get("config")
        if config is None or isinstance(config, dict):
            kwargs["config"] = {**_CONFIG, **(config or {})}
        super().__init__(*args, **{**kwargs, "client_type": "datazone"})

    @property
    def client(self) -> "DataZoneClient":
        """The boto3 client, with its type."""
        client: DataZoneClient = self.conn
        return client

    def post_lineage_event(self, domain_id: str, event: bytes, client_token: str) -> str | None:
        """Send one OpenLineage run event (PostLineageEvent).

        :param domain_id: id of the DataZone domain, ``dzd_…``.
        :param event: UTF-8 JSON of at most 300,000 bytes.
        :param client_token: idempotency token, 1 to 128 printable ASCII characters.
        :returns: id that the domain gave the event; ``None`` when it had the token before.
        :raises CatalogUnavailableError: on throttling, server errors and broken connections.
        :raises EventRefusedError: when the service finds fault with the event.
        :raises CatalogAccessError: when credentials, permission, domain or quota are at fault.
        """
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectionError,  # noqa: A004 - botocore's name
            HTTPClientError,
        )

        try:
            response = self.client.post_lineage_event(
                domainIdentifier=domain_id, event=event, clientToken=client_token
            )
        except ClientError as error:
            if _code(error) == "ConflictException":
                return None
            raise _classify(error, domain_id) from error
        except (HTTPClientError, ConnectionError) as error:
            raise CatalogUnavailableError(f"DataZone is out of reach: {error}") from error
        except BotoCoreError as error:
            raise CatalogAccessError(f"DataZone cannot be called: {error}") from error
        return response["id"]

    def processing_failures(self, domain_id: str, after: datetime) -> Iterator[ProcessingFailure]:
        """List the events that the domain took and could not process (ListLineageEvents).

        :param domain_id: id of the DataZone domain, ``dzd_…``.
        :param after: time of the oldest event of interest.
        :returns: the events, in the order of their times.
        :raises UpdraftError: when the service cannot be asked.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        pages = self.client.get_paginator("list_lineage_events").paginate(
            domainIdentifier=domain_id,
            processingStatus="FAILED",
            timestampAfter=after,
            sortOrder="ASCENDING",
        )
        try:
            for page in pages:
                for item in page["items"]:
                    said = item.get("eventSummary", {}).get("openLineageRunEventSummary", {})
                    job = said.get("job", {})
                    yield ProcessingFailure(
                        item["id"],
                        said.get("eventType", "an event"),
                        job.get("name", "an unknown job"),
                        said.get("runId", "unknown"),
                    )
        except ClientError as error:
            raise _classify(error, domain_id) from error
        except BotoCoreError as error:
            raise CatalogUnavailableError(f"DataZone is out of reach: {error}") from error


class DataZoneCatalog:
    """A DataZone domain as a target of the forwarder.

    :param hook: access to DataZone.
    :param domain_id: id of the domain, ``dzd_…``.
    :raises UpdraftError: when the id does not have the form of one.
    """

    def __init__(self, hook: DataZoneHook, domain_id: str) -> None:
        if not is_domain_id(domain_id):
            raise UpdraftError(
                f"{domain_id!r} is not the id of a DataZone domain; it looks like "
                f"dzd_a1b2c3d4e5f6g7 and stands in the domain's details"
            )
        self._hook = hook
        self._domain_id = domain_id

    @property
    def name(self) -> str:
        """Name of the domain's checkpoint."""
        return f"datazone-{self._domain_id}"

    def post(self, event: bytes, client_token: str) -> str | None:
        """Deliver one event; see :meth:`DataZoneHook.post_lineage_event`."""
        return self._hook.post_lineage_event(self._domain_id, event, client_token)

    def processing_failures(self, after: datetime) -> Iterator[ProcessingFailure]:
        """List what failed later; see :meth:`DataZoneHook.processing_failures`."""
        return self._hook.processing_failures(self._domain_id, after)


def _classify(error: "ClientError", domain_id: str) -> CatalogError:
    code = _code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = error.response.get("Error", {}).get("Message", "")
    said = f"{code} ({status}): {message}"
    if (
        code in _TRY_AGAIN
        or status == HTTPStatus.TOO_MANY_REQUESTS
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        return CatalogUnavailableError(f"DataZone domain {domain_id}: {said}")
    if code in _NO_ACCESS or status in _NO_ACCESS_STATUS:
        advice = f"; {_ADVICE[code]}" if code in _ADVICE else ""
        return CatalogAccessError(f"DataZone domain {domain_id} takes no events: {said}{advice}")
    return EventRefusedError(f"DataZone refused the event: {said}")


def _code(error: "ClientError") -> str:
    return error.response.get("Error", {}).get("Code", "")
