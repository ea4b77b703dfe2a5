"""What the operations of the catalog share: documents, the clock, errors, pages."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.services.datazone.catalog.documents import Documents
from include.local.gateway.services.datazone.identifiers import random_identifier

PAGE = 50
"""Most entries on a page, and the default."""

TableReader = Callable[[str, str], list[dict[str, Any]]]
"""Lists the Glue tables of a database, given its Region and name.

Raises :class:`LookupError` when there is no such database.
"""


@dataclass(frozen=True)
class Delays:
    """How long the states take that pass by themselves.

    :param data_source: until a new data source is ``READY``.
    :param requested: how long a run of a data source is ``REQUESTED``.
    :param running: how long it is ``RUNNING`` then.
    :param listing: how long a new revision of a listing is ``CREATING``.
    :param grant: how long a grant of a subscription is being made, and taken back.
    """

    data_source: timedelta = timedelta(milliseconds=200)
    requested: timedelta = timedelta(milliseconds=400)
    running: timedelta = timedelta(milliseconds=800)
    listing: timedelta = timedelta(milliseconds=700)
    grant: timedelta = timedelta(milliseconds=500)


@dataclass(frozen=True)
class Caller:
    """Who asks.

    :param principal: ARN of the caller.
    :param account_id: account of the caller.
    :param region: Region that the request was signed for.
    """

    principal: str
    account_id: str
    region: str


@dataclass
class Catalog:
    """The catalog behind all operations.

    :param documents: what it knows.
    :param tables: reads the tables of Glue.
    :param delays: how long its states take.
    :param clock: gives the time in UTC; only tests set it.
    """

    documents: Documents
    tables: TableReader
    delays: Delays = field(default_factory=Delays)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def need(self, domain: str, kind: str, key: str, what: str = "") -> dict[str, Any]:
        """Read a document that has to be there.

        :param domain: its domain.
        :param kind: what it is.
        :param key: its identifier.
        :param what: how the error message calls it, by default as its kind.
        :returns: its content.
        :raises AwsError: ``ResourceNotFoundException`` when it is not there.
        """
        self.need_domain(domain)
        found = self.documents.get(domain, kind, key)
        if found is None:
            raise not_found(f"{what or kind.replace('_', ' ')} {key}", domain)
        return found

    def need_domain(self, domain: str) -> dict[str, Any]:
        """Read a domain that has to be there.

        :param domain: its identifier.
        :returns: its content.
        :raises AwsError: ``ResourceNotFoundException`` when nobody has made it.
        """
        found = self.documents.get("", "domain", domain)
        if found is None:
            raise AwsError(
                "ResourceNotFoundException", f"Domain {domain} not found", HTTPStatus.NOT_FOUND
            )
        return found

    def new_id(self) -> str:
        """Make an identifier.

        :returns: 14 characters.
        """
        return random_identifier()


def not_found(what: str, domain: str) -> AwsError:
    """Make the error for something that is not there.

    :param what: what was asked for.
    :param domain: in which domain.
    :returns: the error.
    """
    message = f"Domain {domain} has no {what}"
    return AwsError("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)


def invalid(message: str) -> AwsError:
    """Make the error for a request that is wrong.

    :param message: what is wrong.
    :returns: the error.
    """
    return AwsError("ValidationException", message)


def conflict(message: str) -> AwsError:
    """Make the error for a request that doesn't fit what is there.

    :param message: what stands in its way.
    :returns: the error.
    """
    return AwsError("ConflictException", message, HTTPStatus.CONFLICT)


def over_quota(message: str) -> AwsError:
    """Make the error for a request beyond a quota.

    :param message: which quota.
    :returns: the error.
    """
    return AwsError("ServiceQuotaExceededException", message, HTTPStatus.PAYMENT_REQUIRED)


def page_of(
    entries: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any], member: str = "items"
) -> dict[str, Any]:
    """Cut a page out of a list.

    :param entries: the whole list.
    :param parameters: of the request, with ``maxResults`` and ``nextToken`` if given.
    :param member: what the page is called in the answer.
    :returns: the answer.
    :raises AwsError: ``ValidationException`` when the token is not one of ours.
    """
    start = _read_token(parameters["nextToken"]) if "nextToken" in parameters else 0
    end = start + parameters.get("maxResults", PAGE)
    answer: dict[str, Any] = {member: list(entries[start:end])}
    if end < len(entries):
        answer["nextToken"] = base64.urlsafe_b64encode(json.dumps({"at": end}).encode()).decode()
    return answer


def _read_token(token: str) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["at"])
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise invalid(f"nextToken {token!r} is not valid") from error


def picked(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Copy the members that are there.

    :param source: where from.
    :param names: names of members.
    :returns: those that have a value.
    """
    return {name: source[name] for name in names if source.get(name) is not None}
