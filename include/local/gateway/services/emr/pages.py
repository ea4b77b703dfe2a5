"""Pages of a list, and the markers between them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from include.local.gateway.services.emr.running import invalid_request

_Item = TypeVar("_Item")


def page(
    items: Sequence[_Item], marker: str | None, size: int, name: Callable[[_Item], str]
) -> tuple[Sequence[_Item], dict[str, str]]:
    """Cut a page out of a list.

    :param items: the whole list.
    :param marker: where the page before ended.
    :param size: items on a page.
    :param name: gives the id of an item, which is the marker of a page that ends with it.
    :returns: the page, and the member ``Marker`` if there are more.
    :raises AwsError: when the marker is none of this list.
    """
    if marker:
        names = [name(item) for item in items]
        if marker not in names:
            raise invalid_request(f"Marker '{marker}' is not valid.")
        items = items[names.index(marker) + 1 :]
    more = {"Marker": name(items[size - 1])} if len(items) > size else {}
    return items[:size], more
