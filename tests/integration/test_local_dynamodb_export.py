"""ExportTableToPointInTime of the local stack, as boto3 and readers of its files see it."""

import base64
import gzip
import hashlib
import json
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from amazon.ion import simpleion
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from include.local import processes
from include.local.clients import client as make_client
from include.local.gateway.constraints import violations
from include.local.stack import LocalStack

pytestmark = pytest.mark.integration

BUCKET = "native-exports"

EVERY_TYPE = {
    "k": {"S": "every ü type\n\u2028"},
    "empty": {"S": ""},
    "number": {"N": "-1.2345678901234567890123456789012345678E-20"},
    "large": {"N": "2E3"},
    "binary": {"B": bytes(range(256))},
    "strings": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2.5"]},
    "binaries": {"BS": [b"\x00", b"\xff"]},
    "boolean": {"BOOL": False},
    "null": {"NULL": True},
    "list": {"L": [{"N": "1"}, {"L": []}, {"M": {}}, {"S": "$dynamodb_SS"}]},
    "map": {"M": {"deep": {"M": {"NULL": {"B": b""}}}}},
}


def control(endpoint_url: str, path: str, method: str = "PUT", **body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{endpoint_url}/_local/dynamodb/{path}", json.dumps(body).encode(), method=method
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


@pytest.fixture(scope="module")
def dynamodb(local_stack) -> Iterator[Any]:
    control(local_stack.endpoint_url, "tasks", export_seconds=0, shortest_window_seconds=1)
    yield make_client("dynamodb", local_stack.environment)
    control(local_stack.endpoint_url, "tasks", "DELETE")


@pytest.fixture(scope="module")
def s3(local_stack) -> Any:
    made = make_client("s3", local_stack.environment)
    made.create_bucket(Bucket=BUCKET)
    return made


@pytest.fixture
def table(dynamodb: Any) -> str:
    return make_table(dynamodb)


def make_table(dynamodb: Any, *, recovery: bool = True, sort_key: str | None = None) -> str:
    name = f"native.{uuid.uuid4().hex[:12]}"
    keys = [("k", "S", "HASH"), *([(sort_key, "N", "RANGE")] if sort_key else [])]
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": role} for key, _, role in keys],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": kind} for key, kind, _ in keys
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    if recovery:
        enable(dynamodb, name)
    return name


def enable(dynamodb: Any, name: str, *, enabled: bool = True) -> None:
    dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
    )


def arn(name: str) -> str:
    return f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}"


def put(dynamodb: Any, name: str, key: str, **attributes: Any) -> None:
    dynamodb.put_item(TableName=name, Item={"k": {"S": key}, **attributes})


def start(dynamodb: Any, name: str, **options: Any) -> dict[str, Any]:
    options.setdefault("S3Bucket", BUCKET)
    answer = dynamodb.export_table_to_point_in_time(TableArn=arn(name), **options)
    check(dynamodb, "ExportTableToPointInTime", answer)
    description: dict[str, Any] = answer["ExportDescription"]
    assert description["ExportStatus"] == "IN_PROGRESS"
    return description


def finished(dynamodb: Any, export_arn: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        answer = dynamodb.describe_export(ExportArn=export_arn)
        check(dynamodb, "DescribeExport", answer)
        description: dict[str, Any] = answer["ExportDescription"]
        if description["ExportStatus"] != "IN_PROGRESS":
            return description
        assert time.monotonic() < deadline
        time.sleep(0.02)


def export(dynamodb: Any, name: str, **options: Any) -> dict[str, Any]:
    description = finished(dynamodb, start(dynamodb, name, **options)["ExportArn"])
    assert description["ExportStatus"] == "COMPLETED", description
    return description


def check(dynamodb: Any, operation: str, answer: dict[str, Any]) -> None:
    """Compare an answer with botocore's model."""
    shape = dynamodb.meta.service_model.operation_model(operation).output_shape
    content = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    report = ParamValidator().validate(content, shape)
    assert not report.has_errors(), report.generate_report()
    assert list(violations(shape, content)) == []


def body(s3: Any, key: str) -> bytes:
    content: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return content


def verified(s3: Any, key: str) -> bytes:
    """Read a manifest and compare it with its checksum."""
    content = body(s3, key)
    checksum = body(s3, key.removesuffix(".json") + ".checksum")
    assert base64.b64decode(checksum) == hashlib.md5(content).digest()
    return content


def lines(s3: Any, description: dict[str, Any]) -> list[bytes]:
    """Follow the manifests to the lines of all data files, checking whatever can be checked."""
    summary = json.loads(verified(s3, description["ExportManifest"]))
    assert summary["exportArn"] == description["ExportArn"]
    assert summary["itemCount"] == description["ItemCount"]
    entries = [
        json.loads(line)
        for line in verified(s3, summary["manifestFilesS3Key"]).split(b"\n")
        if line
    ]
    found: list[bytes] = []
    for entry in entries:
        key = entry["dataFileS3Key"]
        content = body(s3, key)
        assert base64.b64decode(entry["md5Checksum"]) == hashlib.md5(content).digest()
        assert s3.head_object(Bucket=BUCKET, Key=key)["ETag"] == f'"{entry["etag"]}"'
        in_file = gzip.decompress(content).split(b"\n")
        assert in_file.pop() == b""
        assert len(in_file) == entry["itemCount"]
        found += in_file
    assert len(found) == summary["itemCount"]
    return found


def items(s3: Any, description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    read = [json.loads(line)["Item"] for line in lines(s3, description)]
    by_key = {item["k"]["S"]: item for item in read}
    assert len(by_key) == len(read)
    return by_key


def changes(s3: Any, description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    read = [json.loads(line) for line in lines(s3, description)]
    by_key = {record["Keys"]["k"]["S"]: record for record in read}
    assert len(by_key) == len(read)
    return by_key


def next_second() -> datetime:
    """Wait for the next full second, since SDKs send points in time in whole ones."""
    now = time.time()
    moment = int(now) + 1
    time.sleep(moment - now + 0.01)
    return datetime.fromtimestamp(moment, UTC)


def test_layout_is_that_of_dynamodb(dynamodb: Any, s3: Any, table: str) -> None:
    put(dynamodb, table, "only", n={"N": "1"})
    description = export(dynamodb, table, S3Prefix="some/prefix")
    identifier = description["ExportArn"].rpartition("/")[2]
    assert re.fullmatch(r"0\d{13}-[0-9a-f]{8}", identifier)
    folder = f"some/prefix/AWSDynamoDB/{identifier}"
    keys = [
        entry["Key"]
        for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="some/prefix/")["Contents"]
    ]
    data = [key for key in keys if key.startswith(f"{folder}/data/")]
    assert sorted(set(keys) - set(data)) == [
        f"{folder}/_started",
        f"{folder}/manifest-files.checksum",
        f"{folder}/manifest-files.json",
        f"{folder}/manifest-summary.checksum",
        f"{folder}/manifest-summary.json",
    ]
    assert len(data) == 4
    assert all(re.fullmatch(rf"{folder}/data/[a-z0-9]{{26}}\.json\.gz", key) for key in data)
    assert body(s3, f"{folder}/_started") == b""
    assert lines(s3, description) == [b'{"Item":{"k":{"S":"only"},"n":{"N":"1"}}}']
    summary = json.loads(body(s3, f"{folder}/manifest-summary.json"))
    times = {name: summary.pop(name) for name in ("startTime", "endTime", "exportTime")}
    assert all(
        re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at) for at in times.values()
    )
    table_id = dynamodb.describe_table(TableName=table)["Table"]["TableId"]
    assert summary == {
        "version": "2020-06-30",
        "exportArn": description["ExportArn"],
        "tableArn": arn(table),
        "tableId": table_id,
        "s3Bucket": BUCKET,
        "s3Prefix": "some/prefix",
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{folder}/manifest-files.json",
        "billedSizeBytes": 8,
        "itemCount": 1,
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
    assert description["BilledSizeBytes"] == 8
    assert description["ExportManifest"] == f"{folder}/manifest-summary.json"
    assert description["StartTime"] <= description["ExportTime"] <= description["EndTime"]


def test_every_type_in_dynamodb_json(dynamodb: Any, s3: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=EVERY_TYPE)
    (line,) = lines(s3, export(dynamodb, table))
    item = json.loads(line)["Item"]
    assert base64.b64decode(item["binary"]["B"]) == bytes(range(256))
    assert {base64.b64decode(each) for each in item["binaries"]["BS"]} == {b"\x00", b"\xff"}
    assert Decimal(item["number"]["N"]) == Decimal(EVERY_TYPE["number"]["N"])
    assert set(item["numbers"]["NS"]) == {"1", "2.5"}
    for name in ("k", "empty", "boolean", "null", "list"):
        assert item[name] == EVERY_TYPE[name]
    assert item["map"] == {"M": {"deep": {"M": {"NULL": {"B": ""}}}}}


def test_every_type_in_ion(dynamodb: Any, s3: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=EVERY_TYPE)
    description = export(dynamodb, table, ExportFormat="ION")
    summary = json.loads(body(s3, description["ExportManifest"]))
    assert summary["outputFormat"] == "ION"
    entries = body(s3, summary["manifestFilesS3Key"]).splitlines()
    assert all(json.loads(entry)["dataFileS3Key"].endswith(".ion.gz") for entry in entries)
    (line,) = lines(s3, description)
    assert line.startswith(b"$ion_1_0 {Item:{")
    item = simpleion.loads(line)["Item"]
    assert item["binary"] == bytes(range(256))
    assert item["number"] == Decimal(EVERY_TYPE["number"]["N"])
    assert item["large"].as_tuple() == Decimal("2E3").as_tuple()
    assert item["k"] == EVERY_TYPE["k"]["S"]
    sets = {name: item[name] for name in ("strings", "numbers", "binaries")}
    annotations = {name: value.ion_annotations[0].text for name, value in sets.items()}
    assert annotations == {
        "strings": "$dynamodb_SS",
        "numbers": "$dynamodb_NS",
        "binaries": "$dynamodb_BS",
    }
    assert set(item["numbers"]) == {Decimal(1), Decimal("2.5")}
    assert set(item["binaries"]) == {b"\x00", b"\xff"}
    assert not item["list"].ion_annotations
    assert item["list"][3] == "$dynamodb_SS"
    assert not item["null"]
    assert item["boolean"] == False  # noqa: E712 - Ion's own kind of bool


def test_table_as_it_was(dynamodb: Any, s3: Any, table: str) -> None:
    for number in range(3):
        put(dynamodb, table, str(number), n={"N": "0"})
    first = next_second()
    put(dynamodb, table, "0", n={"N": "1"})
    dynamodb.delete_item(TableName=table, Key={"k": {"S": "1"}})
    put(dynamodb, table, "3")
    second = next_second()
    put(dynamodb, table, "1", back={"BOOL": True})
    state = {
        moment: {key: item.get("n", {}).get("N") for key, item in found.items()}
        for moment, found in (
            (1, items(s3, export(dynamodb, table, ExportTime=first))),
            (2, items(s3, export(dynamodb, table, ExportTime=second))),
            (3, items(s3, export(dynamodb, table))),
        )
    }
    assert state[1] == {"0": "0", "1": "0", "2": "0"}
    assert state[2] == {"0": "1", "2": "0", "3": None}
    assert state[3] == {"0": "1", "1": None, "2": "0", "3": None}


def test_items_from_before_recovery_are_exported(dynamodb: Any, s3: Any) -> None:
    table = make_table(dynamodb, recovery=False)
    put(dynamodb, table, "early")
    put(dynamodb, table, "changed", n={"N": "1"})
    enable(dynamodb, table)
    earliest = dynamodb.describe_continuous_backups(TableName=table)[
        "ContinuousBackupsDescription"
    ]["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"]
    time.sleep(max(0.0, (earliest - datetime.now(UTC)).total_seconds()) + 0.01)
    put(dynamodb, table, "changed", n={"N": "2"})
    moment = next_second()
    window = {"ExportFromTime": earliest, "ExportToTime": moment}
    assert set(items(s3, export(dynamodb, table, ExportTime=earliest))) == {"early", "changed"}
    description = export(
        dynamodb, table, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window
    )
    (record,) = changes(s3, description).values()
    assert (record["OldImage"]["n"], record["NewImage"]["n"]) == ({"N": "1"}, {"N": "2"})


def every_kind_of_write(dynamodb: Any, table: str) -> None:
    """Leave item w to z behind, each by another operation, and take item a to d away."""
    delete = {"TableName": table, "Key": {"k": {"S": "a"}}}
    dynamodb.delete_item(**delete)
    dynamodb.batch_write_item(
        RequestItems={
            table: [
                {"PutRequest": {"Item": {"k": {"S": "w"}}}},
                {"DeleteRequest": {"Key": {"k": {"S": "b"}}}},
            ]
        }
    )
    dynamodb.update_item(
        TableName=arn(table),
        Key={"k": {"S": "x"}},
        UpdateExpression="SET n = :one",
        ExpressionAttributeValues={":one": {"N": "1.0"}},
    )
    dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": table, "Item": {"k": {"S": "y"}}}},
            {"Delete": {"TableName": table, "Key": {"k": {"S": "c"}}}},
            {
                "ConditionCheck": {
                    "TableName": table,
                    "Key": {"k": {"S": "kept"}},
                    "ConditionExpression": "attribute_exists(k)",
                }
            },
        ]
    )
    dynamodb.execute_statement(Statement=f"""INSERT INTO "{table}" VALUE {{'k': 'z'}}""")
    dynamodb.batch_execute_statement(
        Statements=[{"Statement": f"""DELETE FROM "{table}" WHERE k = 'd'"""}]
    )


def test_no_kind_of_write_is_missed(dynamodb: Any, s3: Any, table: str) -> None:
    for key in ("a", "b", "c", "d", "kept"):
        put(dynamodb, table, key)
    begin = next_second()
    every_kind_of_write(dynamodb, table)
    end = next_second()
    assert set(items(s3, export(dynamodb, table, ExportTime=end))) == {"kept", *"wxyz"}
    assert set(items(s3, export(dynamodb, table, ExportTime=begin))) == {"kept", *"abcd"}
    window = {"ExportFromTime": begin, "ExportToTime": end}
    description = export(
        dynamodb, table, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window
    )
    found = changes(s3, description)
    assert {key for key in found if "NewImage" in found[key]} == set("wxyz")
    assert {key for key in found if "OldImage" in found[key]} == set("abcd")
    assert "kept" not in found
    assert found["x"]["NewImage"]["n"] == {"N": "1"}


def test_refused_writes_leave_no_trace(dynamodb: Any, s3: Any, table: str) -> None:
    put(dynamodb, table, "there", n={"N": "1"})
    begin = next_second()
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(
            TableName=table,
            Item={"k": {"S": "there"}},
            ConditionExpression="attribute_not_exists(k)",
        )
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.put_item(TableName=table, Item={"wrong": {"S": "there"}})
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": {"k": {"S": "new"}}}},
                {
                    "ConditionCheck": {
                        "TableName": table,
                        "Key": {"k": {"S": "there"}},
                        "ConditionExpression": "attribute_not_exists(k)",
                    }
                },
            ]
        )
    dynamodb.delete_item(TableName=table, Key={"k": {"S": "never there"}})
    end = next_second()
    description = export(
        dynamodb,
        table,
        ExportType="INCREMENTAL_EXPORT",
        IncrementalExportSpecification={"ExportFromTime": begin, "ExportToTime": end},
    )
    assert lines(s3, description) == []
    assert description["ItemCount"] == 0
    assert (
        len(body(s3, description["ExportManifest"].replace("summary", "files")).splitlines()) == 4
    )


def net_effects(dynamodb: Any, table: str) -> dict[str, datetime]:
    put(dynamodb, table, "updated", n={"N": "1"})
    put(dynamodb, table, "deleted", n={"N": "1"})
    put(dynamodb, table, "untouched", n={"N": "1"})
    begin = next_second()
    put(dynamodb, table, "updated", n={"N": "2"})
    put(dynamodb, table, "updated", n={"N": "3"})
    put(dynamodb, table, "inserted", n={"N": "1"})
    dynamodb.delete_item(TableName=table, Key={"k": {"S": "deleted"}})
    put(dynamodb, table, "passing", n={"N": "1"})
    dynamodb.delete_item(TableName=table, Key={"k": {"S": "passing"}})
    end = next_second()
    put(dynamodb, table, "updated", n={"N": "4"})
    return {"ExportFromTime": begin, "ExportToTime": end}


def test_incremental_export(dynamodb: Any, s3: Any, table: str) -> None:
    window = net_effects(dynamodb, table)
    options = {"ExportType": "INCREMENTAL_EXPORT", "S3Prefix": table}
    both = export(dynamodb, table, IncrementalExportSpecification=window, **options)
    found = changes(s3, both)
    for record in found.values():
        micros = int(record["Metadata"]["WriteTimestampMicros"]["N"])
        written = datetime.fromtimestamp(micros / 1e6, UTC)
        assert window["ExportFromTime"] <= written < window["ExportToTime"]
    images = {
        key: tuple(record.get(name, {}).get("n", {}).get("N") for name in ("OldImage", "NewImage"))
        for key, record in found.items()
    }
    assert images == {
        "updated": ("1", "3"),
        "inserted": (None, "1"),
        "deleted": ("1", None),
        "passing": (None, None),
    }
    assert set(found["passing"]) == {"Metadata", "Keys"}
    assert set(found["inserted"]) == {"Metadata", "Keys", "NewImage"}

    new_only = export(
        dynamodb,
        table,
        IncrementalExportSpecification={**window, "ExportViewType": "NEW_IMAGE"},
        **options,
    )
    shapes = {key: set(record) for key, record in changes(s3, new_only).items()}
    assert shapes["updated"] == shapes["inserted"] == {"Metadata", "Keys", "NewImage"}
    assert shapes["deleted"] == shapes["passing"] == {"Metadata", "Keys"}

    summary = json.loads(body(s3, both["ExportManifest"]))
    assert summary["version"] == "2023-08-01"
    assert summary["exportType"] == "INCREMENTAL_EXPORT"
    assert summary["outputView"] == "NEW_AND_OLD_IMAGES"
    assert "exportTime" not in summary
    assert datetime.fromisoformat(summary["exportFromTime"]) == window["ExportFromTime"]
    assert datetime.fromisoformat(summary["exportToTime"]) == window["ExportToTime"]
    identifiers = {each["ExportArn"].rpartition("/")[2] for each in (both, new_only)}
    root = f"{table}/AWSDynamoDB"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{root}/", Delimiter="/")
    folders = {entry["Prefix"] for entry in listed["CommonPrefixes"]}
    assert folders == {f"{root}/data/"} | {f"{root}/{each}/" for each in identifiers}
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{root}/data/")["KeyCount"] == 8


def test_incremental_export_in_ion(dynamodb: Any, s3: Any, table: str) -> None:
    window = net_effects(dynamodb, table)
    description = export(
        dynamodb,
        table,
        ExportType="INCREMENTAL_EXPORT",
        ExportFormat="ION",
        IncrementalExportSpecification=window,
    )
    read = [simpleion.loads(line)["Record"] for line in lines(s3, description)]
    records = {record["Keys"]["k"]: record for record in read}
    assert set(records["updated"]) == {"Keys", "Metadata", "OldImage", "NewImage"}
    assert records["updated"]["NewImage"]["n"] == Decimal(3)
    assert isinstance(records["updated"]["Metadata"]["WriteTimestampMicros"], Decimal)
    assert set(records["deleted"]) == {"Keys", "Metadata", "OldImage"}


def test_numbers_of_a_key_in_other_words(dynamodb: Any, s3: Any) -> None:
    table = make_table(dynamodb, sort_key="at")
    for text in ("1", "1.0", "10E-1", "-0", "0.00", "12345678901234567890123456789012345678"):
        put(dynamodb, table, "same", at={"N": text}, said={"S": text})
    dynamodb.delete_item(TableName=table, Key={"k": {"S": "same"}, "at": {"N": "0"}})
    read = [json.loads(line)["Item"] for line in lines(s3, export(dynamodb, table))]
    assert {item["at"]["N"]: item["said"]["S"] for item in read} == {
        "1": "10E-1",
        "12345678901234567890123456789012345678": "12345678901234567890123456789012345678",
    }


def test_exports_chain_over_concurrent_writes(dynamodb: Any, s3: Any) -> None:
    """A full export and the increments after it give the table, whenever they are taken."""
    table = make_table(dynamodb, recovery=False)
    stopped = threading.Event()

    def write(thread: int) -> int:
        count = 0
        while not stopped.is_set():
            # Four threads write to the same keys, so that the order within a key matters.
            key, stamp = f"{count % 7}", {"S": f"{thread}:{count}"}
            match count % 5:
                case 0:
                    dynamodb.delete_item(TableName=table, Key={"k": {"S": key}})
                case 1:
                    requests = [
                        {"PutRequest": {"Item": {"k": {"S": f"{n}"}, "by": stamp}}}
                        for n in range(7)
                    ]
                    dynamodb.batch_write_item(RequestItems={table: requests})
                case _:
                    put(dynamodb, table, key, by=stamp)
            count += 1
        return count

    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(write, number) for number in range(4)]
        try:
            time.sleep(0.2)
            enable(dynamodb, table)  # in the midst of writes
            next_second()
            moments = [next_second() for _ in range(2)]
        finally:
            stopped.set()
        assert all(writer.result() for writer in writers)
    moments.append(next_second())
    state = items(s3, export(dynamodb, table, ExportTime=moments[0]))
    for begin, end in pairwise(moments):
        description = export(
            dynamodb,
            table,
            ExportType="INCREMENTAL_EXPORT",
            IncrementalExportSpecification={"ExportFromTime": begin, "ExportToTime": end},
        )
        for key, record in changes(s3, description).items():
            assert record.get("OldImage") == state.get(key)
            state.pop(key, None)
            if "NewImage" in record:
                state[key] = record["NewImage"]
        assert state == items(s3, export(dynamodb, table, ExportTime=end))
    scanned = dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
    assert state == {item["k"]["S"]: item for item in scanned}


def large_puts(writer: int, size: int = 20_000) -> list[dict[str, Any]]:
    """Put requests for the same 25 keys, large enough that reading them back takes a while."""
    item = {"by": {"N": f"{writer}"}, "text": {"S": "x" * size}}
    return [{"PutRequest": {"Item": {"k": {"S": f"{n}"}, **item}}} for n in range(25)]


def test_writes_that_overtake_each_other(dynamodb: Any, s3: Any, table: str) -> None:
    """While a large batch is read back for the record, small writes change the same keys."""
    with ThreadPoolExecutor(1) as threads:
        for number in range(4):
            requests = {table: large_puts(number, 200_000)}
            batch = threads.submit(dynamodb.batch_write_item, RequestItems=requests)
            small = 1000
            while not batch.done():
                put(dynamodb, table, f"{small % 3}", by={"N": f"{small}"})
                small += 1
            exported = items(s3, export(dynamodb, table))
            for key in ("0", "1", "2"):
                item = dynamodb.get_item(TableName=table, Key={"k": {"S": key}})["Item"]
                assert exported[key]["by"] == item["by"]


@pytest.mark.parametrize("milliseconds", [0, 10, 20, 40, 80])
def test_writes_under_way_when_recovery_begins(dynamodb: Any, s3: Any, milliseconds: int) -> None:
    table = make_table(dynamodb, recovery=False)
    with ThreadPoolExecutor(1) as threads:
        write = threads.submit(dynamodb.batch_write_item, RequestItems={table: large_puts(1)})
        time.sleep(milliseconds / 1000)
        enable(dynamodb, table)
        write.result()
    assert len(items(s3, export(dynamodb, table))) == 25


def code(caught: Any) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_what_dynamodb_refuses(dynamodb: Any, table: str) -> None:
    now = datetime.now(UTC)
    incremental = {"ExportType": "INCREMENTAL_EXPORT"}
    refused: list[tuple[str, str, dict[str, Any]]] = [
        ("TableNotFoundException", "no-such-table", {}),
        ("InvalidExportTimeException", table, {"ExportTime": now - timedelta(days=1)}),
        ("InvalidExportTimeException", table, {"ExportTime": now + timedelta(hours=1)}),
        ("ValidationException", table, incremental),
        ("ValidationException", table, {**incremental, "ExportTime": now}),
        ("ValidationException", table, {"IncrementalExportSpecification": {"ExportFromTime": now}}),
        (
            "ValidationException",
            table,
            {
                **incremental,
                "IncrementalExportSpecification": {"ExportFromTime": now - timedelta(hours=25)},
            },
        ),
        (
            "InvalidExportTimeException",
            table,
            {
                **incremental,
                "IncrementalExportSpecification": {"ExportFromTime": now - timedelta(hours=1)},
            },
        ),
        ("ValidationException", table, {"ExportFormat": "CSV"}),
    ]
    for expected, name, options in refused:
        with pytest.raises(ClientError) as caught:
            start(dynamodb, name, **options)
        assert code(caught) == expected, options
    with pytest.raises(dynamodb.exceptions.PointInTimeRecoveryUnavailableException):
        start(dynamodb, make_table(dynamodb, recovery=False))
    with pytest.raises(dynamodb.exceptions.ExportNotFoundException):
        dynamodb.describe_export(ExportArn=f"{arn(table)}/export/01700000000000-00000000")
    with pytest.raises(ClientError, match="TableNotFoundException"):
        enable(dynamodb, "no-such-table")


def test_window_is_at_least_a_quarter_of_an_hour(local_stack, dynamodb: Any, table: str) -> None:
    window = {"ExportFromTime": datetime.now(UTC) - timedelta(minutes=14)}
    with settings(local_stack, shortest_window_seconds=900), pytest.raises(ClientError) as caught:
        start(
            dynamodb,
            table,
            ExportType="INCREMENTAL_EXPORT",
            IncrementalExportSpecification=window,
        )
    assert code(caught) == "ValidationException"
    assert "must be from 900 to 86400" in str(caught.value)


@contextmanager
def settings(local_stack: Any, **values: float) -> Iterator[None]:
    before = control(local_stack.endpoint_url, "tasks")
    control(local_stack.endpoint_url, "tasks", **values)
    try:
        yield
    finally:
        control(local_stack.endpoint_url, "tasks", **before)


def test_missing_bucket_fails_the_export(dynamodb: Any, table: str) -> None:
    started = start(dynamodb, table, S3Bucket="no-such-bucket")
    description = finished(dynamodb, started["ExportArn"])
    assert description["ExportStatus"] == "FAILED"
    assert description["FailureCode"] == "S3NoSuchBucket"
    assert "does not exist" in description["FailureMessage"]
    assert "ExportManifest" not in description


def test_client_token(dynamodb: Any, s3: Any, table: str) -> None:
    token = uuid.uuid4().hex
    first = start(dynamodb, table, ClientToken=token, S3Prefix="token")
    again = dynamodb.export_table_to_point_in_time(
        TableArn=arn(table), S3Bucket=BUCKET, ClientToken=token, S3Prefix="token"
    )["ExportDescription"]
    assert again["ExportArn"] == first["ExportArn"]
    with pytest.raises(dynamodb.exceptions.ExportConflictException):
        start(dynamodb, table, ClientToken=token, S3Prefix="other")
    finished(dynamodb, first["ExportArn"])
    other = start(dynamodb, table, ClientToken=uuid.uuid4().hex, S3Prefix="token")
    assert finished(dynamodb, other["ExportArn"])["ExportArn"] != first["ExportArn"]


def test_list_comes_in_pages(dynamodb: Any, s3: Any, table: str) -> None:
    arns = [export(dynamodb, table)["ExportArn"] for _ in range(3)]
    first = dynamodb.list_exports(TableArn=arn(table), MaxResults=2)
    check(dynamodb, "ListExports", first)
    rest = dynamodb.list_exports(TableArn=arn(table), MaxResults=2, NextToken=first["NextToken"])
    assert "NextToken" not in rest
    listed = first["ExportSummaries"] + rest["ExportSummaries"]
    assert [each["ExportArn"] for each in listed] == arns
    assert {each["ExportStatus"] for each in listed} == {"COMPLETED"}
    assert dynamodb.list_exports(TableArn=arn("no-such-table"))["ExportSummaries"] == []
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.list_exports(NextToken="2")


def test_limit_of_exports_at_a_time(local_stack, dynamodb: Any, table: str) -> None:
    with settings(local_stack, export_seconds=1, concurrent_exports=1):
        running = start(dynamodb, table)
        with pytest.raises(dynamodb.exceptions.LimitExceededException):
            start(dynamodb, table)
    assert finished(dynamodb, running["ExportArn"])["ExportStatus"] == "COMPLETED"


def test_recovery_that_ends_forgets(dynamodb: Any, s3: Any, table: str) -> None:
    put(dynamodb, table, "before")
    enable(dynamodb, table, enabled=False)
    with pytest.raises(dynamodb.exceptions.PointInTimeRecoveryUnavailableException):
        start(dynamodb, table)
    put(dynamodb, table, "meanwhile")
    enable(dynamodb, table)
    assert set(items(s3, export(dynamodb, table))) == {"before", "meanwhile"}
    dynamodb.delete_table(TableName=table)
    with pytest.raises(ClientError, match="TableNotFoundException"):
        start(dynamodb, table)


def test_what_changes_without_a_request_is_exported(
    local_stack, dynamodb: Any, s3: Any, table: str
) -> None:
    """Writes to a replica in another Region, like expiry, are not seen by the record."""
    dynamodb.update_table(
        TableName=table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    dynamodb.update_table(TableName=table, ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
    elsewhere = {**local_stack.environment, "AWS_DEFAULT_REGION": "eu-west-1"}
    put(dynamodb, table, "here")
    put(make_client("dynamodb", elsewhere), table, "there")
    scanned = {item["k"]["S"] for item in dynamodb.scan(TableName=table)["Items"]}
    assert scanned == {"here", "there"}
    assert set(items(s3, export(dynamodb, table))) == scanned


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[LocalStack]:
    stack = LocalStack(tmp_path / "state")
    stack.up()
    yield stack
    stack.down()
    assert processes.find(stack.state) == []


@pytest.mark.thorough
def test_history_and_exports_survive_a_restart(own_stack: LocalStack) -> None:
    environment = own_stack.environment()
    dynamodb = make_client("dynamodb", environment)
    make_client("s3", environment).create_bucket(Bucket=BUCKET)
    table = make_table(dynamodb)
    put(dynamodb, table, "kept", n={"N": "1"})
    before = next_second()
    put(dynamodb, table, "kept", n={"N": "2"})
    done = export(dynamodb, table)
    control(own_stack.endpoint_url, "tasks", export_seconds=60)
    interrupted = start(dynamodb, table)
    own_stack.down()

    LocalStack(own_stack.state).up()
    s3 = make_client("s3", environment)
    s3.create_bucket(Bucket=BUCKET)  # objects don't survive
    control(own_stack.endpoint_url, "tasks", export_seconds=0)
    assert finished(dynamodb, done["ExportArn"]) == done
    failed = finished(dynamodb, interrupted["ExportArn"])
    assert failed["ExportStatus"] == "FAILED"
    assert "stopped or killed" in failed["FailureMessage"]
    put(dynamodb, table, "new")
    assert set(items(s3, export(dynamodb, table))) == {"kept", "new"}
    assert items(s3, export(dynamodb, table, ExportTime=before))["kept"]["n"] == {"N": "1"}


@pytest.mark.thorough
def test_killed_gateway_catches_up(own_stack: LocalStack) -> None:
    """What was written without the gateway is found before the next write and in the export."""
    environment = own_stack.environment()
    dynamodb = make_client("dynamodb", environment)
    table = make_table(dynamodb)
    for key in ("kept", "changed", "deleted"):
        put(dynamodb, table, key, n={"N": "1"})
    before = next_second()
    for process in processes.find(own_stack.state):
        if process.service == "gateway":
            psutil.Process(process.pid).kill()
    ports = json.loads((own_stack.state / "stack.json").read_text())["ports"]
    direct = {**environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['dynamodb']}"}
    ministack = make_client("dynamodb", direct)
    put(ministack, table, "changed", n={"N": "2"})
    put(ministack, table, "new", n={"N": "2"})
    ministack.delete_item(TableName=table, Key={"k": {"S": "deleted"}})

    own_stack.up()
    s3 = make_client("s3", environment)
    s3.create_bucket(Bucket=BUCKET)
    control(own_stack.endpoint_url, "tasks", export_seconds=0, shortest_window_seconds=0)
    now = {key: item["n"]["N"] for key, item in items(s3, export(dynamodb, table)).items()}
    assert now == {"kept": "1", "changed": "2", "new": "2"}
    then = items(s3, export(dynamodb, table, ExportTime=before))
    assert set(then) == {"kept", "changed", "deleted"}


def test_control_calls_say_what_is_wrong(local_stack) -> None:
    def refused(path: str, method: str = "PUT", **given: Any) -> str:
        with pytest.raises(urllib.error.HTTPError) as caught:
            control(local_stack.endpoint_url, path, method, **given)
        assert 400 <= caught.value.code < 500
        return str(json.load(caught.value)["error"])

    assert "choose from capacity, delay, tasks" in refused("tusks")
    assert "takes GET, PUT, DELETE" in refused("tasks", "POST")
    assert "no setting 'seconds'" in refused("tasks", seconds=1)
    assert "export_seconds is 'soon'; give a number" in refused("tasks", export_seconds="soon")
    assert "Name the table" in refused("capacity", read=1)
    assert "'reed' is not known here" in refused("capacity", table="t", reed=1)
    assert "Requested resource not found" in refused("capacity", table="no-such-table")
