"""What the forwarder expects of a catalog, and the ways in which a catalog can say no.

The three errors differ in what must happen to the event: try again, put it aside, or stop and
leave it where it is.
"""

from typing import Protocol

from updraft.errors import UpdraftError


class CatalogError(UpdraftError):
    """The catalog has not taken an event."""


class CatalogUnavailableError(CatalogError):
    """Throttled, broken or out of reach: the same event may succeed later."""


class EventRefusedError(CatalogError):
    """The catalog will never take this event; others are not affected."""


class CatalogAccessError(CatalogError):
    """The catalog takes no event at all from us: permission, quota, unknown domain."""


class Catalog(Protocol):
    """Where lineage events are delivered."""

    @property
    def name(self) -> str:
        """Name of the catalog for messages and for the checkpoint: letters, digits, ``-_``."""

    def post(self, event: bytes, client_token: str) -> str | None:
        """Deliver one event.

        :param event: OpenLineage run event, UTF-8 JSON.
        :param client_token: the same for the same event, however often it is sent.
        :returns: the catalog's own id of the event; ``None`` if the catalog had it already.
        :raises CatalogUnavailableError: when a later attempt may succeed.
        :raises EventRefusedError: when this event is at fault.
        :raises CatalogAccessError: when every event would be refused.
        """
