"""Reads a table in parallel segments, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.formats import Item
from updraft.dynamodb.read_capacity import UNITS_OF_FULL_PAGE, PageSizer
from updraft.dynamodb.service import DynamoDBService
from updraft.dynamodb.service_errors import explained


class ScanPage(NamedTuple):
    """One response of Scan.

    :param items: the items as DynamoDB's JSON has them.
    :param last_key: key after which the next page starts, ``None`` on the last page.
    """

    items: Sequence[Item]
    last_key: Mapping[str, Any] | None


class PageSource(Protocol):
    """Where the pages of a table come from."""

    def pages(self, segment: int, total_segments: int) -> Iterator[ScanPage]:
        """Read one segment.

        :param segment: its number, from 0.
        :param total_segments: number of disjoint segments that together are the table.
        :returns: its pages in order; pages without items occur.
        """


class TableScan:
    """Scans a table.

    :param service: DynamoDB.
    :param table: name or ARN of the table.
    :param budget: read capacity that all segments share.
    :param page_sizer: how many items to ask for at once.
    :param cancellation: looked at before every page.
    :param consistent: whether reads are strongly consistent. Those of the legacy tool were not,
        and they cost twice as much.
    """

    def __init__(
        self,
        service: DynamoDBService,
        table: str,
        *,
        budget: TokenBucket,
        page_sizer: PageSizer,
        cancellation: Cancellation,
        consistent: bool = False,
    ) -> None:
        self._service = service
        self._table = table
        self._budget = budget
        self._page_sizer = page_sizer
        self._cancellation = cancellation
        self._consistent = consistent

    def pages(self, segment: int, total_segments: int) -> Iterator[ScanPage]:
        """Read one segment, see :meth:`PageSource.pages`.

        :raises ServiceError: when DynamoDB refuses, after the retries of the service.
        :raises CancelledError: when the work was cancelled.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "Segment": segment,
            "TotalSegments": total_segments,
            "ConsistentRead": self._consistent,
            "ReturnConsumedCapacity": "TOTAL",
        }
        while True:
            page = self._page(request)
            last_key = page.last_key
            yield page
            # A page takes several times its size as Python objects: never hold two.
            del page
            if not last_key:
                return
            request["ExclusiveStartKey"] = last_key

    def _page(self, request: dict[str, Any]) -> ScanPage:
        limit, expected_units = self._page_sizer.next_page()
        self._budget.reserve(expected_units, self._cancellation)
        with explained("dynamodb:Scan", f"table {self._table!r} in {self._service.region}"):
            response = self._service.call("Scan", {**request, "Limit": limit})
        # A server that keeps its charge to itself is taken to charge for a whole page.
        charge = response.get("ConsumedCapacity", {}).get("CapacityUnits", UNITS_OF_FULL_PAGE)
        self._budget.settle(expected_units, charge)
        self._page_sizer.observe(len(response["Items"]), charge)
        return ScanPage(response["Items"], response.get("LastEvaluatedKey"))
