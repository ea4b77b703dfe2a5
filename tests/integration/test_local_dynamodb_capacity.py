"""Throttling, delays and consumed capacity of the local stack, as boto3 sees them."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.integration

KILOBYTE = "x" * 900  # a write unit with name and key
Throttled = "ProvisionedThroughputExceededException"


def control(endpoint_url: str, path: str, method: str = "PUT", **body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{endpoint_url}/_local/dynamodb/{path}", json.dumps(body).encode(), method=method
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


@pytest.fixture(scope="module")
def dynamodb(local_stack) -> Any:
    environment = local_stack.environment
    return boto3.client(
        "dynamodb",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id="local",
        aws_secret_access_key="local",
        region_name=environment["AWS_DEFAULT_REGION"],
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=16),
    )


@pytest.fixture
def table(local_stack, dynamodb: Any) -> Iterator[str]:
    name = f"metered.{uuid.uuid4().hex[:12]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "k", "AttributeType": "S"},
            {"AttributeName": "by", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "index",
                "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            }
        ],
        ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 9},
    )
    yield name
    control(local_stack.endpoint_url, "capacity", "DELETE")
    assert control(local_stack.endpoint_url, "capacity", "GET") == {"tables": []}


def fill(dynamodb: Any, table: str, count: int, text: str = KILOBYTE) -> None:
    for start in range(0, count, 25):
        keys = range(start, min(count, start + 25))
        puts = [{"PutRequest": {"Item": {"k": {"S": f"{n:04}"}, "t": {"S": text}}}} for n in keys]
        assert dynamodb.batch_write_item(RequestItems={table: puts})["UnprocessedItems"] == {}


def units(answer: dict[str, Any]) -> float:
    consumed = answer["ConsumedCapacity"]
    return float((consumed[0] if isinstance(consumed, list) else consumed)["CapacityUnits"])


def test_reads_consume_by_size(dynamodb: Any, table: str) -> None:
    """100 items of 906 bytes: 4 of key name and value... 90,600 bytes are 23 units of 4 KiB."""
    fill(dynamodb, table, 100)
    options = {"TableName": table, "ReturnConsumedCapacity": "TOTAL"}
    assert units(dynamodb.scan(**options)) == 11.5
    assert units(dynamodb.scan(**options, ConsistentRead=True)) == 23
    # What is filtered out was read all the same; what is not returned as well.
    narrow = {
        "FilterExpression": "#k = :one AND begins_with(t, :x)",
        "ProjectionExpression": "#k",
        "ExpressionAttributeNames": {"#k": "k"},
        "ExpressionAttributeValues": {":one": {"S": "0001"}, ":x": {"S": "x"}},
    }
    narrowed = dynamodb.scan(**options, **narrow)
    assert (narrowed["Count"], units(narrowed)) == (1, 11.5)
    assert units(dynamodb.scan(**options, Select="COUNT")) == 11.5
    assert units(dynamodb.scan(**options, Limit=1)) == 0.5
    parts = [dynamodb.scan(**options, Segment=n, TotalSegments=2) for n in range(2)]
    assert 11.5 <= sum(map(units, parts)) <= 12
    query = {
        "KeyConditionExpression": "#k = :k",
        "ExpressionAttributeNames": {"#k": "k"},
        "ExpressionAttributeValues": {":k": {"S": "0001"}},
    }
    assert units(dynamodb.query(**options, **query)) == 0.5
    key = {"k": {"S": "0001"}}
    assert units(dynamodb.get_item(**options, Key=key, ConsistentRead=True)) == 1
    assert units(dynamodb.get_item(**options, Key={"k": {"S": "missing"}})) == 0.5
    asked = {table: {"Keys": [key, {"k": {"S": "0002"}}, {"k": {"S": "missing"}}]}}
    batch = dynamodb.batch_get_item(RequestItems=asked, ReturnConsumedCapacity="TOTAL")
    assert units(batch) == 1.5
    big = {"k": {"S": "big"}, "t": {"S": "x" * 20_000}}
    written = dynamodb.put_item(**options, Item=big)
    assert units(written) == 20
    assert units(dynamodb.get_item(**options, Key={"k": big["k"]})) == 2.5
    part = dynamodb.get_item(**options, Key={"k": big["k"]}, ProjectionExpression="k")
    assert (part["Item"], units(part)) == ({"k": big["k"]}, 2.5)


def test_breakdown_is_as_asked(dynamodb: Any, table: str) -> None:
    item = {"k": {"S": "1"}, "by": {"S": "me"}}
    put = {"TableName": table, "Item": item}
    assert "ConsumedCapacity" not in dynamodb.put_item(**put)
    total = dynamodb.put_item(**put, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert total == {"TableName": table, "CapacityUnits": 1.0}
    other = {**put, "Item": {**item, "by": {"S": "you"}}}
    indexes = dynamodb.put_item(**other, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert indexes["Table"] == {"CapacityUnits": 1.0}
    assert indexes["GlobalSecondaryIndexes"] == {"index": {"CapacityUnits": 2.0}}
    scan = dynamodb.scan(TableName=table, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert scan["Table"] == {"CapacityUnits": 0.5}
    by_index = dynamodb.scan(TableName=table, IndexName="index", ReturnConsumedCapacity="INDEXES")[
        "ConsumedCapacity"
    ]
    assert by_index["CapacityUnits"] == 0.5
    assert by_index["Table"] == {"CapacityUnits": 0.0}
    assert by_index["GlobalSecondaryIndexes"] == {"index": {"CapacityUnits": 0.5}}


def test_batch_is_written_in_part(local_stack, dynamodb: Any, table: str) -> None:
    capacity = {"table": table, "write": 10, "burst_seconds": 1}
    control(local_stack.endpoint_url, "capacity", **capacity)
    puts = [{"PutRequest": {"Item": {"k": {"S": f"{n}"}, "t": {"S": KILOBYTE}}}} for n in range(25)]
    answer = dynamodb.batch_write_item(RequestItems={table: puts}, ReturnConsumedCapacity="TOTAL")
    left = answer["UnprocessedItems"][table]
    assert 13 <= len(left) <= 15
    assert all(request in puts for request in left)
    assert units(answer) == 25 - len(left)
    stored = {item["k"]["S"] for item in dynamodb.scan(TableName=table)["Items"]}
    assert stored == {put["PutRequest"]["Item"]["k"]["S"] for put in puts if put not in left}
    with pytest.raises(dynamodb.exceptions.ProvisionedThroughputExceededException) as caught:
        dynamodb.batch_write_item(RequestItems={table: left})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "provisioned throughput for the table was exceeded" in str(caught.value)
    with pytest.raises(ClientError, match=Throttled):
        dynamodb.put_item(TableName=table, Item={"k": {"S": "more"}})
    ((state,),) = control(local_stack.endpoint_url, "capacity", "GET").values()
    assert (state["table"], state["read"]) == (table, None)
    assert state["write"]["consumed"] == 25 - len(left)
    assert state["write"]["throttled"] >= len(left) + 2
    time.sleep(0.5)
    assert dynamodb.batch_write_item(RequestItems={table: left})["UnprocessedItems"]


def test_rate_of_writes_is_the_buckets(local_stack, dynamodb: Any, table: str) -> None:
    # What writers that were kept waiting by the machine have not used, they may use up to a second
    # later. The bucket is full at first.
    capacity = {"table": table, "write": 100, "burst_seconds": 1}
    control(local_stack.endpoint_url, "capacity", **capacity)
    end = time.monotonic() + 2

    def write(thread: int) -> int:
        written = 0
        while time.monotonic() < end:
            puts = [
                {"PutRequest": {"Item": {"k": {"S": f"{thread}.{n}"}, "t": {"S": KILOBYTE}}}}
                for n in range(10)
            ]
            try:
                answer = dynamodb.batch_write_item(RequestItems={table: puts})
            except dynamodb.exceptions.ProvisionedThroughputExceededException:
                time.sleep(0.02)
            else:
                written += 10 - len(answer["UnprocessedItems"].get(table, ()))
        return written

    with ThreadPoolExecutor(4) as threads:
        written = sum(threads.map(write, range(4)))
    assert 280 <= written <= 330


def test_reads_go_into_debt_and_wait(local_stack, dynamodb: Any, table: str) -> None:
    fill(dynamodb, table, 100)
    capacity = {"table": table, "read": 10, "burst_seconds": 0.5}
    control(local_stack.endpoint_url, "capacity", **capacity)
    assert dynamodb.scan(TableName=table)["Count"] == 100  # 11.5 units of 5
    begun = time.monotonic()
    for call in (
        lambda: dynamodb.scan(TableName=table),
        lambda: dynamodb.get_item(TableName=table, Key={"k": {"S": "0001"}}),
        lambda: dynamodb.batch_get_item(RequestItems={table: {"Keys": [{"k": {"S": "0001"}}]}}),
    ):
        with pytest.raises(dynamodb.exceptions.ProvisionedThroughputExceededException):
            call()
    dynamodb.put_item(TableName=table, Item={"k": {"S": "writes pass"}})
    while True:
        try:
            dynamodb.scan(TableName=table, Limit=1)
            break
        except dynamodb.exceptions.ProvisionedThroughputExceededException:
            assert time.monotonic() - begun < 5
            time.sleep(0.02)
    assert time.monotonic() - begun > 0.4


def test_batches_over_tables_are_read_in_part(local_stack, dynamodb: Any, table: str) -> None:
    fill(dynamodb, table, 1)
    other = f"{table}.other"
    dynamodb.create_table(
        TableName=other,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    control(local_stack.endpoint_url, "capacity", table=table, read=0.1, burst_seconds=1)
    asked = {name: {"Keys": [{"k": {"S": "0000"}}]} for name in (table, other)}
    first = dynamodb.batch_get_item(RequestItems=asked)
    assert (len(first["Responses"][table]), first["UnprocessedKeys"]) == (1, {})
    second = dynamodb.batch_get_item(RequestItems=asked)
    assert second["UnprocessedKeys"] == {table: asked[table]}
    assert table not in second["Responses"]


def test_capacity_of_the_table_itself(local_stack, dynamodb: Any, table: str) -> None:
    state = control(local_stack.endpoint_url, "capacity", table=table)["tables"][0]
    assert (state["read"]["rate"], state["write"]["rate"]) == (7, 9)
    dynamodb.update_table(
        TableName=table,
        ProvisionedThroughput={"ReadCapacityUnits": 70, "WriteCapacityUnits": 90},
    )
    state = control(local_stack.endpoint_url, "capacity", "GET")["tables"][0]
    assert (state["read"]["rate"], state["write"]["rate"]) == (70, 90)
    dynamodb.delete_table(TableName=table)
    assert control(local_stack.endpoint_url, "capacity", "GET") == {"tables": []}


def test_throttled_writes_to_a_table_with_recovery(local_stack, dynamodb: Any, table: str) -> None:
    """What a throttled batch did write is in the history, and nothing else."""
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    control(local_stack.endpoint_url, "capacity", table=table, write=5, burst_seconds=1)
    puts = [{"PutRequest": {"Item": {"k": {"S": f"{n}"}}}} for n in range(25)]
    left = dynamodb.batch_write_item(RequestItems={table: puts})["UnprocessedItems"][table]
    control(local_stack.endpoint_url, "tasks", export_seconds=0)
    arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}"
    s3 = boto3.client(
        "s3",
        endpoint_url=local_stack.endpoint_url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    s3.create_bucket(Bucket="throttled")
    export = dynamodb.export_table_to_point_in_time(TableArn=arn, S3Bucket="throttled")
    while (
        description := dynamodb.describe_export(ExportArn=export["ExportDescription"]["ExportArn"])[
            "ExportDescription"
        ]
    )["ExportStatus"] == "IN_PROGRESS":
        time.sleep(0.02)
    assert description["ItemCount"] == 25 - len(left)
    control(local_stack.endpoint_url, "tasks", "DELETE")


def test_malformed_requests_are_still_ministacks(local_stack, dynamodb: Any, table: str) -> None:
    target = {"X-Amz-Target": "DynamoDB_20120810.BatchWriteItem"}
    signature = "Credential=local/20261122/us-east-1/dynamodb/aws4_request, SignedHeaders=host"
    headers = {
        **target,
        "Authorization": f"AWS4-HMAC-SHA256 {signature}, Signature=0",
        "Content-Type": "application/x-amz-json-1.0",
    }
    bodies = (b"{}", b"[]", b"{", b'{"RequestItems": {"t": 5}}', b'{"RequestItems": 5}')

    def answers() -> list[tuple[int, bytes]]:
        found = []
        for body in bodies:
            request = urllib.request.Request(local_stack.endpoint_url, body, headers)
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=10)
            found.append((caught.value.code, caught.value.read()))
        return found

    unmetered = answers()
    control(local_stack.endpoint_url, "capacity", table=table, read=100, write=100)
    assert answers() == unmetered
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.put_item(TableName=table, Item={"wrong": {"S": "key"}})
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.scan(TableName="no-such-table", ReturnConsumedCapacity="TOTAL")


def test_delay(local_stack, dynamodb: Any, table: str) -> None:
    control(local_stack.endpoint_url, "delay", seconds=0.2)
    try:
        begun = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: dynamodb.scan(TableName=table), range(8)))
        assert 0.2 < time.monotonic() - begun < 1.2  # not one after the other
    finally:
        control(local_stack.endpoint_url, "delay", "DELETE")
    begun = time.monotonic()
    dynamodb.scan(TableName=table)
    assert time.monotonic() - begun < 0.2
