"""Pages of a list, and the tokens between them."""

from collections.abc import Sequence
from typing import Any, TypeVar

from include.local.gateway.services.emr.running import validation_error

_Item = TypeVar("_Item")


def next_page(
    items: Sequence[_Item], token: str | None, size: int
) -> tuple[Sequence[_Item], dict[str, Any]]:
    """Cut a page out of a list.

    :param items: the whole list.
    :param token: where the page begins, None for the first.
    :param size: items on a page.
    :returns: the page, and the member ``nextToken`` if there are more.
    :raises AwsError: when the token is none.
    """
    if token is not None and not (token.isdigit() and int(token) <= len(items)):
        raise validation_error(f"nextToken {token!r} is not valid.")
    begin = int(token or 0)
    end = begin + size
    return items[begin:end], {"nextToken": str(end)} if end < len(items) else {}
