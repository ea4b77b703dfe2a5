"""Paging, against a service that answers as Scan does."""

import pytest
from botocore.exceptions import ClientError

from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.read_capacity import PageSizer
from updraft.dynamodb.scan import TableScan
from updraft.dynamodb.service_errors import ServiceError


class Service:
    """A table of numbered items in which segment s of n holds every n-th."""

    region = "eu-west-1"

    def __init__(self, items, units=2.0):
        self.items = items
        self.units = units
        self.requests = []

    def call(self, operation, request):
        assert operation == "Scan"
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


def _source(service, rate=1e9, sizer=None, cancellation=None):
    return TableScan(
        service,
        "orders",
        budget=TokenBucket(rate),
        page_sizer=sizer or PageSizer(1e9, 3, 100),
        cancellation=cancellation or Cancellation(),
    )


def _numbers(source, segments=3):
    return sorted(
        int(item["n"]["N"])
        for segment in range(segments)
        for page in source.pages(segment, segments)
        for item in page.items
    )


@pytest.mark.parametrize("items", [0, 1, 10, 5000])
def test_all_segments_together_are_the_table(items):
    service = Service(items)

    assert _numbers(_source(service)) == list(range(items))


def test_pages_are_as_long_as_the_sizer_says_and_follow_each_other():
    service = Service(10)
    sizer = PageSizer(units_per_second=1e-9, segments=1, average_item_bytes=400_000)

    assert _numbers(_source(service, sizer=sizer), segments=1) == list(range(10))
    assert {request["Limit"] for request in service.requests} == {1}
    assert all(request["ReturnConsumedCapacity"] == "TOTAL" for request in service.requests)


def test_the_charge_is_taken_from_the_budget():
    bucket = TokenBucket(1000, clock=lambda: 0.0)
    source = TableScan(
        Service(1, units=7),
        "orders",
        budget=bucket,
        page_sizer=PageSizer(1000, 1, 100),
        cancellation=Cancellation(),
    )
    list(source.pages(0, 1))

    assert bucket._flowed - bucket._reserved == 993


def test_a_server_that_names_no_charge_is_taken_to_charge_for_a_full_page():
    bucket = TokenBucket(1000, clock=lambda: 0.0)
    source = TableScan(
        Service(1, units=None),
        "orders",
        budget=bucket,
        page_sizer=PageSizer(1000, 1, 100),
        cancellation=Cancellation(),
    )
    list(source.pages(0, 1))

    assert bucket._flowed - bucket._reserved == 872


def test_a_cancelled_scan_asks_for_nothing_more():
    service, cancellation = Service(5000), Cancellation()
    pages = _source(service, cancellation=cancellation).pages(0, 1)
    next(pages)
    cancellation.cancel()

    with pytest.raises(CancelledError):
        next(pages)
    assert len(service.requests) == 1


def test_a_refusal_names_the_table():
    service = Service(1)

    def refuse(operation, request):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Scan")

    service.call = refuse

    with pytest.raises(ServiceError, match=r"dynamodb:Scan on table 'orders' in eu-west-1"):
        list(_source(service).pages(0, 3))
