"""Reads a table in parallel segments, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.formats import Item
from updraft.dynamodb.read_capacity import UNITS_OF_FULL_PAGE, PageSizer, TokenBucket
from updraft.dynamodb.service_errors import explained

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ScanPage(NamedTuple):
    """One response of Scan.

    :param items: the items, in the form of the low-level interface.
    :param last_key: key after which the next page starts, ``None`` on the last page.
    """

    items: Sequence[Item]
    last_key: Mapping[str, Any] | None


class PageSource(Protocol):
    """Where the pages of a table come from."""

    @property
    def total_segments(self) -> int:
        """Number of disjoint segments that together are the table."""

    def pages(self, segment: int) -> Iterator[ScanPage]:
        """Read one segment.

        :param segment: its number, from 0.
        :returns: its pages in order; pages without items occur.
        """


class ClientPageSource:
    """Scans through boto3's low-level client, which leaves numbers as the strings they are.

    Reads are eventually consistent, as those of the legacy tool were.

    :param client: low-level client; one client serves all threads.
    :param table: name or ARN of the table.
    :param total_segments: number of segments.
    :param budget: read capacity that all segments share.
    :param page_sizer: how many items to ask for at once.
    :param cancellation: looked at before every page.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        total_segments: int,
        *,
        budget: TokenBucket,
        page_sizer: PageSizer,
        cancellation: Cancellation,
    ) -> None:
        self._client = client
        self._table = table
        self._total_segments = total_segments
        self._budget = budget
        self._page_sizer = page_sizer
        self._cancellation = cancellation

    @property
    def total_segments(self) -> int:
        """Number of disjoint segments that together are the table."""
        return self._total_segments

    def pages(self, segment: int) -> Iterator[ScanPage]:
        """Read one segment, see :meth:`PageSource.pages`.

        :raises ServiceError: when DynamoDB refuses, after the retries of the client.
        :raises CancelledError: when the work was cancelled.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "Segment": segment,
            "TotalSegments": self._total_segments,
            "ReturnConsumedCapacity": "TOTAL",
        }
        while True:
            page = self._page(request)
            last_key = page.last_key
            yield page
            # A page takes ten times its size as Python objects: never hold two.
            del page
            if not last_key:
                return
            request["ExclusiveStartKey"] = last_key

    def _page(self, request: dict[str, Any]) -> ScanPage:
        limit, expected_units = self._page_sizer.next_page()
        self._budget.reserve(expected_units, self._cancellation)
        with explained(
            "dynamodb:Scan", f"table {self._table!r} in {self._client.meta.region_name}"
        ):
            response = self._client.scan(**request, Limit=limit)
        # A server that keeps its charge to itself is taken to charge for a whole page.
        charge = response.get("ConsumedCapacity", {}).get("CapacityUnits", UNITS_OF_FULL_PAGE)
        self._budget.settle(expected_units, charge)
        self._page_sizer.observe(len(response["Items"]), charge)
        return ScanPage(response["Items"], response.get("LastEvaluatedKey"))
