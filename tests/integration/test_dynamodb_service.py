"""Raw JSON and boto3's client against a server that speaks DynamoDB: the same results."""

import os
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service

pytestmark = pytest.mark.integration

ITEMS = 60


def _item(number):
    """Make an item of all ten types in DynamoDB's JSON."""
    return {
        "id": {"S": f"item-{number} \u2028 Zürich 😀"},
        "at": {"N": str(number)},
        "digits": {"N": f"1.{number + 1:02d}45678901234567890123456789012345678"},
        "tiny": {"N": "-0.00000000000000000000000000000000000001"},
        "binary": {"B": "AAH/"},
        "texts": {"SS": ["a", f"b{number}"]},
        "numbers": {"NS": ["1", f"{number}.5"]},
        "binaries": {"BS": ["eA==", "eTE="]},
        "map": {"M": {"list": {"L": [{"N": "1"}, {"NULL": True}, {"M": {"b": {"B": "eg=="}}}]}}},
        "list": {"L": []},
        "flag": {"BOOL": number % 2 == 0},
        "nothing": {"NULL": True},
        "empty": {"S": ""},
        "quotes": {"S": 'a "b" \\ \x00 \x7f'},
    }


@pytest.fixture(scope="module")
def services(local_stack):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_stack.environment.items():
            patch.setenv(name, value)
        yield [
            dynamodb_service(
                DynamoDBClientHook(aws_conn_id=None),
                sleep=pytest.fail,
                on_throttled=pytest.fail,
                raw=raw,
            )
            for raw in (True, False)
        ]


@pytest.fixture
def table(services):
    assert "AWS_ENDPOINT_URL" in os.environ
    client = boto3.client("dynamodb")
    name = f"service-{uuid.uuid4().hex[:8]}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
    )
    client.get_waiter("table_exists").wait(TableName=name)
    return name


def _write(service, table, numbers):
    requests = [{"PutRequest": {"Item": _item(number)}} for number in numbers]
    return service.call("BatchWriteItem", {"RequestItems": {table: requests}})


def _key(number):
    item = _item(number)
    return {"id": item["id"], "at": item["at"]}


def _scan(service, table, limit):
    request = {"TableName": table, "Limit": limit, "ReturnConsumedCapacity": "TOTAL"}
    pages = []
    while True:
        page = service.call("Scan", request)
        pages.append(page)
        if "LastEvaluatedKey" not in page:
            return pages
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _same(services, operation, request):
    raw, client = (service.call(operation, request) for service in services)
    assert raw == client
    return raw


def test_what_one_writes_the_other_reads(services, table):
    raw, client = services
    assert _write(raw, table, range(25)) == {"UnprocessedItems": {}}
    assert _write(client, table, range(25, 50)) == {"UnprocessedItems": {}}
    for number in range(50, ITEMS):
        service = services[number % 2]
        assert service.call("PutItem", {"TableName": table, "Item": _item(number)}) == {}

    by_raw, by_client = _scan(raw, table, 17), _scan(client, table, 17)

    assert by_raw == by_client
    items = [item for page in by_raw for item in page["Items"]]
    assert sorted(map(_comparable, items)) == sorted(_comparable(_item(n)) for n in range(ITEMS))


def _comparable(item):
    """Bring sets, which have no order, into one."""
    return repr(
        sorted(
            (
                name,
                sorted(value[kind]) if (kind := next(iter(value))) in {"SS", "NS", "BS"} else value,
            )
            for name, value in item.items()
        )
    )


def test_reading_by_key(services, table):
    for number in range(3):
        services[0].call("PutItem", {"TableName": table, "Item": _item(number)})
    keys = {"RequestItems": {table: {"Keys": [_key(n) for n in range(5)], "ConsistentRead": True}}}

    by_raw, by_client = (service.call("BatchGetItem", keys) for service in services)

    assert by_raw.keys() == by_client.keys()
    found = [sorted(map(_comparable, a["Responses"][table])) for a in (by_raw, by_client)]
    assert found[0] == found[1] == sorted(_comparable(_item(number)) for number in range(3))


def test_descriptions(services, table):
    description = _same(services, "DescribeTable", {"TableName": table})

    assert description["Table"]["KeySchema"][1] == {"AttributeName": "at", "KeyType": "RANGE"}
    assert description["Table"]["CreationDateTime"] > 1_500_000_000


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        (
            "PutItem",
            {
                "Item": _item(1),
                "ConditionExpression": "attribute_not_exists(#k)",
                "ExpressionAttributeNames": {"#k": "id"},
            },
            "ConditionalCheckFailedException",
        ),
        ("PutItem", {"Item": {"id": {"S": "no sort key"}}}, "ValidationException"),
        ("DescribeTable", {"TableName": "no-such-table"}, "ResourceNotFoundException"),
    ],
)
def test_refusals(services, table, operation, request_, code):
    services[0].call("PutItem", {"TableName": table, "Item": _item(1)})
    refusals = []
    for service in services:
        with pytest.raises(ClientError) as caught:
            service.call(operation, {"TableName": table, **request_})
        refusals.append(caught.value)

    raw, client = refusals
    assert type(raw).__name__ == type(client).__name__
    assert type(raw).__name__ in {code, "ClientError"}
    assert str(raw) == str(client)
    for refusal in refusals:
        for varying in ("RequestId", "HTTPHeaders"):
            refusal.response["ResponseMetadata"].pop(varying, None)
    assert raw.response == client.response
    assert raw.response["Error"]["Code"] == code
