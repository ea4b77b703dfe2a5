"""ImportTable of the local stack, as boto3 sees it."""

import gzip
import json
import time
import urllib.request
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from amazon.ion import simpleion
from amazon.ion.core import IonType
from amazon.ion.simple_types import IonPyList
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from include.local.clients import client as make_client
from include.local.gateway.constraints import violations

pytestmark = pytest.mark.integration

BUCKET = "native-imports"


def control(endpoint_url: str, method: str = "PUT", **body: Any) -> None:
    url = f"{endpoint_url}/_local/dynamodb/tasks"
    request = urllib.request.Request(url, json.dumps(body).encode(), method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 200


@pytest.fixture(scope="module")
def dynamodb(local_stack) -> Iterator[Any]:
    control(local_stack.endpoint_url, import_seconds=0)
    yield make_client("dynamodb", local_stack.environment)
    control(local_stack.endpoint_url, "DELETE")


@pytest.fixture(scope="module")
def s3(local_stack) -> Any:
    made = make_client("s3", local_stack.environment)
    made.create_bucket(Bucket=BUCKET)
    return made


@pytest.fixture
def name() -> str:
    return f"imported.{uuid.uuid4().hex[:12]}"


def start(dynamodb: Any, name: str, **options: Any) -> dict[str, Any]:
    parameters = {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        **options.pop("table", {}),
    }
    request = {
        "S3BucketSource": {"S3Bucket": BUCKET, "S3KeyPrefix": f"{name}/"},
        "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": parameters,
        **options,
    }
    answer = dynamodb.import_table(**request)
    check(dynamodb, "ImportTable", answer)
    description: dict[str, Any] = answer["ImportTableDescription"]
    assert description["ImportStatus"] == "IN_PROGRESS"
    return description


def finished(dynamodb: Any, import_arn: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        answer = dynamodb.describe_import(ImportArn=import_arn)
        check(dynamodb, "DescribeImport", answer)
        description: dict[str, Any] = answer["ImportTableDescription"]
        if description["ImportStatus"] != "IN_PROGRESS":
            return description
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check(dynamodb: Any, operation: str, answer: dict[str, Any]) -> None:
    """Compare an answer with botocore's model."""
    shape = dynamodb.meta.service_model.operation_model(operation).output_shape
    content = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    report = ParamValidator().validate(content, shape)
    assert not report.has_errors(), report.generate_report()
    assert list(violations(shape, content)) == []


def run(dynamodb: Any, name: str, **options: Any) -> dict[str, Any]:
    return finished(dynamodb, start(dynamodb, name, **options)["ImportArn"])


def counts(description: dict[str, Any]) -> tuple[int, int, int]:
    """Processed, imported, wrong."""
    return (
        description["ProcessedItemCount"],
        description["ImportedItemCount"],
        description["ErrorCount"],
    )


def put(s3: Any, key: str, content: bytes | str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=content)


def table_items(dynamodb: Any, name: str, key: str = "k") -> dict[str, dict[str, Any]]:
    found = dynamodb.scan(TableName=name, ConsistentRead=True)["Items"]
    return {next(iter(item[key].values())): item for item in found}


def json_line(key: str, **attributes: Any) -> str:
    return json.dumps({"Item": {"k": {"S": key}, **attributes}}) + "\n"


def compressed(content: bytes, compression: str) -> bytes:
    if compression == "GZIP":
        half = len(content) // 2
        return gzip.compress(content[:half]) + gzip.compress(content[half:])
    return content


@pytest.mark.parametrize("compression", ["NONE", "GZIP"])
def test_every_object_below_the_prefix(dynamodb: Any, s3: Any, name: str, compression: str) -> None:
    contents = {f"{name}/a": "".join(json_line(f"{n}") for n in range(30))}
    contents[f"{name}/deep/b.json"] = json_line("last", text={"S": "ü\u2028"}, b={"B": "AP8="})
    for key, content in contents.items():
        put(s3, key, compressed(content.encode(), compression))
    put(s3, f"{name}-beside/c", json_line("beside"))
    description = run(dynamodb, name, InputCompressionType=compression)
    assert description["ImportStatus"] == "COMPLETED", description
    assert counts(description) == (31, 31, 0)
    assert description["ProcessedSizeBytes"] == sum(
        len(each.encode()) for each in contents.values()
    )
    assert description["InputCompressionType"] == compression
    assert description["StartTime"] <= description["EndTime"]
    found = table_items(dynamodb, name)
    assert set(found) == {"last", *map(str, range(30))}
    assert found["last"] == {"k": {"S": "last"}, "text": {"S": "ü\u2028"}, "b": {"B": b"\x00\xff"}}
    assert description["TableId"] == dynamodb.describe_table(TableName=name)["Table"]["TableId"]


# Two items in a frame each; no Python before 3.14 writes Zstandard by itself.
ZSTANDARD = bytes.fromhex(
    "28b52ffd20263101007b224974656d223a207b226b223a207b2253223a2022666972737420667261"
    "6d65227d7d7d0a28b52ffd20273901007b224974656d223a207b226b223a207b2253223a20227365"
    "636f6e64206672616d65227d7d7d0a"
)


def test_zstandard(dynamodb: Any, s3: Any, name: str) -> None:
    put(s3, f"{name}/a.json.zst", ZSTANDARD)
    description = run(dynamodb, name, InputCompressionType="ZSTD")
    assert counts(description) == (2, 2, 0)
    assert set(table_items(dynamodb, name)) == {"first frame", "second frame"}


def test_ion(dynamodb: Any, s3: Any, name: str) -> None:
    item = {
        "k": "1",
        "number": Decimal("1.2345678901234567890123456789012345678E-20"),
        "integer": 7,
        "blob": b"\x00\xff",
        "nothing": None,
        "yes": True,
        "numbers": IonPyList.from_value(IonType.LIST, [Decimal(1), 2], ("$dynamodb_NS",)),
        "blobs": IonPyList.from_value(IonType.LIST, [b"a"], ("$dynamodb_BS",)),
        "list": [1, [], {}],
        "map": {"deep": {"empty": ""}},
    }
    lines = [simpleion.dumps({"Item": item}, binary=False)]
    lines.append('$ion_1_0 {Item:{k:"float",f:1e0}}')
    lines.append("$ion_1_0 {Other:{}}")
    lines.append('$ion_1_0 {Item:{k:"2"}}')
    put(s3, f"{name}/a.ion", "\n".join(lines))
    description = run(dynamodb, name, InputFormat="ION")
    assert counts(description) == (4, 2, 2)
    found = table_items(dynamodb, name)
    assert set(found) == {"1", "2"}
    read = found["1"]
    assert Decimal(read["number"]["N"]) == item["number"]
    assert read["integer"] == {"N": "7"}
    assert (read["blob"], read["blobs"]) == ({"B": b"\x00\xff"}, {"BS": [b"a"]})
    assert (read["nothing"], read["yes"]) == ({"NULL": True}, {"BOOL": True})
    assert set(read["numbers"]["NS"]) == {"1", "2"}
    assert read["list"] == {"L": [{"N": "1"}, {"L": []}, {"M": {}}]}
    assert read["map"] == {"M": {"deep": {"M": {"empty": {"S": ""}}}}}


NUMBERED = {
    "AttributeDefinitions": [
        {"AttributeName": "k", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "k", "KeyType": "HASH"},
        {"AttributeName": "at", "KeyType": "RANGE"},
    ],
}


def test_csv_with_its_own_header(dynamodb: Any, s3: Any, name: str) -> None:
    text = '\ufeffk,at,"a ""b"""\r\none,1,17\r\ntwo,2.50,"x,\ny"\r\nthree,3,\u2028é\r\nfour,4,\r\n'
    put(s3, f"{name}/a.csv", text)
    description = run(dynamodb, name, InputFormat="CSV", table=NUMBERED)
    assert description["ImportStatus"] == "COMPLETED", description
    assert counts(description) == (4, 4, 0)
    assert table_items(dynamodb, name) == {
        "one": {"k": {"S": "one"}, "at": {"N": "1"}, 'a "b"': {"S": "17"}},
        "two": {"k": {"S": "two"}, "at": {"N": "2.5"}, 'a "b"': {"S": "x,\ny"}},
        "three": {"k": {"S": "three"}, "at": {"N": "3"}, 'a "b"': {"S": "\u2028é"}},
        "four": {"k": {"S": "four"}, "at": {"N": "4"}},
    }


def test_csv_with_a_given_header(dynamodb: Any, s3: Any, name: str) -> None:
    put(s3, f"{name}/a.csv", "one;1;x\ntwo;no number;y\nthree;3\nfour;4;z,z\n")
    options = {"Csv": {"Delimiter": ";", "HeaderList": ["k", "at", "text"]}}
    description = run(dynamodb, name, InputFormat="CSV", InputFormatOptions=options, table=NUMBERED)
    assert description["InputFormatOptions"] == options
    assert (description["ImportStatus"], description["FailureCode"]) == (
        "FAILED",
        "ItemValidationError",
    )
    assert counts(description) == (4, 2, 2)
    assert {key: item["text"]["S"] for key, item in table_items(dynamodb, name).items()} == {
        "one": "x",
        "four": "z,z",
    }


def test_wrong_items_are_left_out_and_logged(
    local_stack, dynamodb: Any, s3: Any, name: str
) -> None:
    wrong = [
        "no JSON",
        json.dumps({"k": {"S": "no Item around it"}}),
        json.dumps({"Item": {"other": {"S": "no key"}}}),
        json.dumps({"Item": {"k": {"N": "1"}}}),
        json.dumps({"Item": {"k": {"S": ""}}}),
        json_line("39 digits", n={"N": "1" * 39}).rstrip(),
        json_line("empty set", n={"SS": []}).rstrip(),
        json_line("too large", n={"S": "x" * 410_000}).rstrip(),
        json_line("two types", n={"S": "x", "N": "1"}).rstrip(),
        json_line("no type", n={"Q": "x"}).rstrip(),
    ]
    right = [json_line(f"{n}").rstrip() for n in range(30)]
    put(s3, f"{name}/a", "\n".join([*wrong[:5], *right, "", *wrong[5:]]))
    put(s3, f"{name}/b", json_line("in another object"))
    description = run(dynamodb, name)
    assert counts(description) == (41, 31, 10)
    assert description["FailureCode"] == "ItemValidationError"
    assert len(table_items(dynamodb, name)) == 31
    logs = make_client("logs", local_stack.environment)
    identifier = description["ImportArn"].rpartition("/")[2]
    events = logs.get_log_events(
        logGroupName="/aws-dynamodb/imports", logStreamName=f"{identifier}/error"
    )["events"]
    told = [json.loads(event["message"]) for event in events]
    assert sorted(each["itemS3Pointer"]["itemIndex"] for each in told) == [
        *range(5),
        *range(36, 41),
    ]
    assert {each["itemS3Pointer"]["key"] for each in told} == {f"{name}/a"}
    assert all(each["errorMessages"][0] for each in told)
    assert ":log-group:/aws-dynamodb/imports:*" in description["CloudWatchLogGroupArn"]


def test_object_that_breaks_off(dynamodb: Any, s3: Any, name: str) -> None:
    content = "".join(json_line(f"{n}", text={"S": uuid.uuid4().hex}) for n in range(200))
    put(s3, f"{name}/a", gzip.compress(content.encode())[:-2000])
    put(s3, f"{name}/b", gzip.compress(json_line("whole").encode()))
    description = run(dynamodb, name, InputCompressionType="GZIP")
    assert (description["ImportStatus"], description["ErrorCount"]) == ("FAILED", 1)
    found = table_items(dynamodb, name)
    assert "whole" in found
    assert len(found) == description["ImportedItemCount"] < 201


def test_last_of_equal_keys_wins(dynamodb: Any, s3: Any, name: str) -> None:
    lines = [json_line(f"{n % 7}", n={"N": f"{n}"}) for n in range(100)]
    put(s3, f"{name}/a", "".join(lines[:50]))
    put(s3, f"{name}/b", "".join(lines[50:]))
    assert counts(run(dynamodb, name)) == (100, 100, 0)
    found = table_items(dynamodb, name)
    assert {key: int(item["n"]["N"]) for key, item in found.items()} == {
        f"{n % 7}": n for n in range(93, 100)
    }


def test_what_the_stack_exports_it_imports(local_stack, dynamodb: Any, s3: Any, name: str) -> None:
    source = f"source.{name}"
    start_table = {
        "TableName": source,
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    dynamodb.create_table(**start_table)
    for n in range(20):
        item = {"k": {"S": f"{n}"}, "n": {"N": f"{n}E-3"}, "s": {"NS": ["1", f"{n}.5"]}}
        dynamodb.put_item(TableName=source, Item={**item, "b": {"B": bytes([n])}})
    dynamodb.update_continuous_backups(
        TableName=source, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    control(local_stack.endpoint_url, export_seconds=0)
    for kind in ("DYNAMODB_JSON", "ION"):
        export = dynamodb.export_table_to_point_in_time(
            TableArn=f"arn:aws:dynamodb:us-east-1:123456789012:table/{source}",
            S3Bucket=BUCKET,
            S3Prefix=name,
            ExportFormat=kind,
        )["ExportDescription"]["ExportArn"]
        while (
            dynamodb.describe_export(ExportArn=export)["ExportDescription"]["ExportStatus"]
            == "IN_PROGRESS"
        ):
            time.sleep(0.02)
        data = f"{name}/AWSDynamoDB/{export.rpartition('/')[2]}/data/"
        description = run(
            dynamodb,
            f"{kind}.{name}",
            InputFormat=kind,
            InputCompressionType="GZIP",
            S3BucketSource={"S3Bucket": BUCKET, "S3KeyPrefix": data},
        )
        assert counts(description) == (20, 20, 0)
        assert table_items(dynamodb, f"{kind}.{name}") == table_items(dynamodb, source)


def test_table_is_not_ready_before_the_import_ends(
    local_stack, dynamodb: Any, s3: Any, name: str
) -> None:
    put(s3, f"{name}/a", json_line("1"))
    control(local_stack.endpoint_url, import_seconds=1)
    try:
        started = start(dynamodb, name)
    finally:
        control(local_stack.endpoint_url, import_seconds=0)
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["TableStatus"] == "CREATING"
    assert table["TableArn"] == started["TableArn"]
    key = {"k": {"S": "1"}}
    not_found = dynamodb.exceptions.ResourceNotFoundException
    in_use = dynamodb.exceptions.ResourceInUseException
    with pytest.raises(not_found):
        dynamodb.get_item(TableName=name, Key=key)
    with pytest.raises(not_found):
        dynamodb.scan(TableName=started["TableArn"])
    with pytest.raises(not_found):
        dynamodb.batch_write_item(RequestItems={name: [{"DeleteRequest": {"Key": key}}]})
    with pytest.raises(not_found):
        dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": name, "Key": key}}])
    with pytest.raises(not_found):
        dynamodb.execute_statement(Statement=f"""SELECT * FROM "{name}" """)
    with pytest.raises(in_use):
        dynamodb.delete_table(TableName=name)
    with pytest.raises(in_use):
        start(dynamodb, name)
    dynamodb.get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10}
    )
    assert finished(dynamodb, started["ImportArn"])["ImportStatus"] == "COMPLETED"
    assert set(table_items(dynamodb, name)) == {"1"}


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"S3Bucket": "no-such-bucket"}, "S3NoSuchBucket"),
        ({"S3Bucket": BUCKET, "S3KeyPrefix": "no/such/prefix"}, "S3NoSuchKey"),
        ({"S3Bucket": BUCKET, "S3BucketOwner": "999999999999"}, "S3AccessDenied"),
    ],
)
def test_missing_source_makes_no_table(
    dynamodb: Any, s3: Any, name: str, source: dict[str, str], code: str
) -> None:
    description = run(dynamodb, name, S3BucketSource=source)
    assert (description["ImportStatus"], description["FailureCode"]) == ("FAILED", code)
    assert description["FailureMessage"]
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.describe_table(TableName=name)


def test_client_token(dynamodb: Any, s3: Any, name: str) -> None:
    put(s3, f"{name}/a", json_line("1"))
    first = start(dynamodb, name, ClientToken=name)
    finished(dynamodb, first["ImportArn"])
    request = {
        "S3BucketSource": first["S3BucketSource"],
        "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": first["TableCreationParameters"],
        "ClientToken": name,
    }
    again = dynamodb.import_table(**request)["ImportTableDescription"]
    assert (again["ImportArn"], again["ImportStatus"]) == (first["ImportArn"], "COMPLETED")
    with pytest.raises(dynamodb.exceptions.ImportConflictException):
        dynamodb.import_table(**{**request, "InputFormat": "ION"})
    with pytest.raises(dynamodb.exceptions.ResourceInUseException):
        dynamodb.import_table(**{**request, "ClientToken": f"{name}2"})


def test_list_comes_in_pages(dynamodb: Any, s3: Any, name: str) -> None:
    put(s3, f"{name}/a", json_line("1"))
    arns = []
    for _ in range(3):
        description = run(dynamodb, name)
        arns.append(description["ImportArn"])
        dynamodb.delete_table(TableName=name)
    table = description["TableArn"]
    first = dynamodb.list_imports(TableArn=table, PageSize=2)
    check(dynamodb, "ListImports", first)
    rest = dynamodb.list_imports(TableArn=table, PageSize=2, NextToken=first["NextToken"])
    listed = first["ImportSummaryList"] + rest["ImportSummaryList"]
    assert "NextToken" not in rest
    assert [each["ImportArn"] for each in listed] == arns
    assert listed[0]["S3BucketSource"]["S3Bucket"] == BUCKET
    assert listed[0]["EndTime"] >= listed[0]["StartTime"]


def test_what_dynamodb_refuses(local_stack, dynamodb: Any, s3: Any, name: str) -> None:
    with pytest.raises(dynamodb.exceptions.ImportNotFoundException):
        dynamodb.describe_import(
            ImportArn=f"arn:aws:dynamodb:us-east-1:1:table/x/import/{'0' * 37}"
        )
    twice = {"Csv": {"HeaderList": ["k", "k"]}}
    for options in (
        {"InputFormat": "XML"},
        {"InputFormat": "CSV", "InputFormatOptions": {"Csv": {"Delimiter": "#"}}},
        {"InputFormat": "CSV", "InputFormatOptions": twice},
        {"table": {"KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}]}},
    ):
        with pytest.raises(ClientError, match="ValidationException"):
            start(dynamodb, name, **options)
    put(s3, f"{name}/a", json_line("1"))
    control(local_stack.endpoint_url, import_seconds=1, concurrent_imports=1)
    try:
        running = start(dynamodb, name)
        with pytest.raises(dynamodb.exceptions.LimitExceededException):
            start(dynamodb, f"{name}.more")
    finally:
        control(local_stack.endpoint_url, import_seconds=0, concurrent_imports=50)
    assert finished(dynamodb, running["ImportArn"])["ImportStatus"] == "COMPLETED"
