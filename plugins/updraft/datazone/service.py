"""What plans and applications need of Amazon DataZone."""

from collections.abc import Iterator
from typing import Any, Protocol


class DomainService(Protocol):
    """A domain of Amazon DataZone."""

    @property
    def domain_id(self) -> str:
        """Its identifier."""

    def request(self, operation: str, resource: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation.

        :param operation: its name, such as ``GetAsset``.
        :param resource: what it is about, for the error message: ``asset 'a1b2'``.
        :param parameters: its input but for the domain; members that are ``None`` are left out.
        :returns: its output.
        :raises ServiceError: when the service refuses, or gives no answer.
        """

    def pages(
        self, operation: str, resource: str, member: str = "items", **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Call an operation that answers in pages.

        :param operation: its name, such as ``Search``.
        :param resource: what it is about, for the error message.
        :param member: member of its output with the entries.
        :param parameters: its input but for the domain.
        :returns: the entries of all pages.
        :raises ServiceError: when the service refuses, or gives no answer.
        """
