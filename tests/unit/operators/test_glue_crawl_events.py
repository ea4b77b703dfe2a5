import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from updraft.errors import UpdraftError
from updraft.lineage.validation import problems
from updraft.operators.glue_crawl_events import CrawlEvents

CRAWL = {
    "CrawlId": "8a0f",
    "StartTime": datetime(2026, 11, 23, 10, tzinfo=UTC),
    "EndTime": datetime(2026, 11, 23, 10, 5, tzinfo=UTC),
}
URLS = {
    "pg": "jdbc:postgresql://db.example.com:5432/shop",
    "my": "jdbc:mysql://my.example.com/shop",
    "odd": "jdbc:oracle:thin:@db.example.com:1521:orcl",
}


def hook():
    def request(operation, resource, *, Name, HidePassword):  # noqa: N803 - names of the API
        assert (operation, HidePassword) == ("GetConnection", True)
        return {"Connection": {"ConnectionProperties": {"JDBC_CONNECTION_URL": URLS[Name]}}}

    return SimpleNamespace(
        conn_partition="aws",
        conn_region_name="eu-west-1",
        account_id="123456789012",
        request=request,
    )


def table(location, **parameters):
    return {
        "Name": "orders",
        "StorageDescriptor": {"Location": location, "Columns": [{"Name": "id", "Type": "bigint"}]},
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "Parameters": parameters,
    }


def events(found):
    return [json.loads(one.body) for _, one in CrawlEvents(hook()).of("nightly", CRAWL, "d", found)]


@pytest.mark.parametrize(
    ("found", "source"),
    [
        (table("s3://lake/raw/orders/"), ("s3://lake", "raw/orders")),
        (
            table("arn:aws:dynamodb:eu-west-1:123456789012:table/orders"),
            ("arn:aws:dynamodb:eu-west-1:123456789012", "table/orders"),
        ),
        (
            table("shop.public.orders", connectionName="pg"),
            ("postgres://db.example.com:5432", "shop.public.orders"),
        ),
        (table("shop.orders", connectionName="my"), ("mysql://my.example.com", "shop.orders")),
    ],
)
def test_a_table_hangs_on_its_own_source(found, source):
    start, end = events(found)
    assert [problems(start), problems(end)] == [[], []]
    assert (start["eventType"], start["eventTime"]) == ("START", "2026-11-23T10:00:00+00:00")
    assert (end["eventType"], end["eventTime"]) == ("COMPLETE", "2026-11-23T10:05:00+00:00")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert end["job"]["name"] == "crawler.nightly.d.orders"
    assert [(one["namespace"], one["name"]) for one in end["inputs"]] == [source]
    (output,) = end["outputs"]
    assert output["namespace"] == "arn:aws:glue:eu-west-1:123456789012"
    assert output["name"] == "table/d/orders"
    assert [one["name"] for one in output["facets"]["schema"]["fields"]] == ["id", "day"]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (table(""), "'orders' is at 'no place'"),
        (table("hdfs://x/y"), "neither in S3"),
        (table("a.b", connectionName="odd"), "no JDBC URL with a host"),
    ],
)
def test_a_source_without_a_name(found, message):
    with pytest.raises(UpdraftError, match=message):
        events(found)
