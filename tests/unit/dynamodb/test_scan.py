"""Paging, against a client that answers as Scan does."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.read_capacity import PageSizer, TokenBucket
from updraft.dynamodb.scan import ClientPageSource
from updraft.dynamodb.service_errors import ServiceError


class Client:
    """A table of numbered items in which segment s of n holds every n-th."""

    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self, items, units=2.0):
        self.items = items
        self.units = units
        self.requests = []

    def scan(self, **request):
        self.requests.append(request)
        mine = range(request["Segment"], self.items, request["TotalSegments"])
        start = (
            int(request["ExclusiveStartKey"]["n"]["N"]) if "ExclusiveStartKey" in request else -1
        )
        left = [number for number in mine if number > start]
        page = left[: request["Limit"]]
        response = {"Items": [{"n": {"N": str(number)}} for number in page]}
        if self.units is not None:
            response["ConsumedCapacity"] = {"CapacityUnits": self.units}
        if len(left) > len(page):
            response["LastEvaluatedKey"] = response["Items"][-1]
        return response


def _source(client, segments=3, rate=1e9, sizer=None, cancellation=None):
    return ClientPageSource(
        client,
        "orders",
        segments,
        budget=TokenBucket(rate),
        page_sizer=sizer or PageSizer(1e9, segments, 100),
        cancellation=cancellation or Cancellation(),
    )


def _numbers(source):
    return sorted(
        int(item["n"]["N"])
        for segment in range(source.total_segments)
        for page in source.pages(segment)
        for item in page.items
    )


@pytest.mark.parametrize("items", [0, 1, 10, 5000])
def test_all_segments_together_are_the_table(items):
    client = Client(items)

    assert _numbers(_source(client)) == list(range(items))


def test_pages_are_as_long_as_the_sizer_says_and_follow_each_other():
    client = Client(10)
    sizer = PageSizer(units_per_second=1e-9, segments=1, average_item_bytes=400_000)

    assert _numbers(_source(client, segments=1, sizer=sizer)) == list(range(10))
    assert {request["Limit"] for request in client.requests} == {1}
    assert all(request["ReturnConsumedCapacity"] == "TOTAL" for request in client.requests)


def test_the_charge_is_taken_from_the_budget():
    bucket = TokenBucket(1000, clock=lambda: 0.0)
    source = ClientPageSource(
        Client(1, units=7),
        "orders",
        1,
        budget=bucket,
        page_sizer=PageSizer(1000, 1, 100),
        cancellation=Cancellation(),
    )
    list(source.pages(0))

    assert bucket._balance == 993


def test_a_server_that_names_no_charge_is_taken_to_charge_for_a_full_page():
    bucket = TokenBucket(1000, clock=lambda: 0.0)
    source = ClientPageSource(
        Client(1, units=None),
        "orders",
        1,
        budget=bucket,
        page_sizer=PageSizer(1000, 1, 100),
        cancellation=Cancellation(),
    )
    list(source.pages(0))

    assert bucket._balance == 872


def test_a_cancelled_scan_asks_for_nothing_more():
    client, cancellation = Client(5000), Cancellation()
    pages = _source(client, segments=1, cancellation=cancellation).pages(0)
    next(pages)
    cancellation.cancel()

    with pytest.raises(CancelledError):
        next(pages)
    assert len(client.requests) == 1


def test_a_refusal_names_the_table():
    client = Client(1)

    def refuse(**request):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Scan")

    client.scan = refuse

    with pytest.raises(ServiceError, match=r"dynamodb:Scan on table 'orders' in eu-west-1"):
        list(_source(client).pages(0))
