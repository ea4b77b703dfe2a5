"""The verification against servers that speak DynamoDB and S3."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBVerifyOperator

pytestmark = pytest.mark.integration

ITEMS = 600
PLUGINS = Path(__file__).parents[2] / "plugins"

TASK = """
import signal, sys
from types import SimpleNamespace
from updraft.operators.dynamodb import DynamoDBVerifyOperator

operator = DynamoDBVerifyOperator(
    task_id="verify", table_name=sys.argv[1], s3_uri=sys.argv[2], aws_conn_id=None,
    read_throughput_ratio=0.000025,
)
signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
print("ready", flush=True)
instance = SimpleNamespace(dag_id="d", task_id="verify", map_index=-1, run_id="run", try_number=1)
operator.execute({"ti": instance})
"""


def _item(number):
    return {
        "id": {"S": f"item-{number} \u2028 Zürich 😀"},
        "at": {"N": str(number)},
        "digits": {"N": f"{number + 1}2345678901234567890.12345678901234"},
        "binary": {"B": number.to_bytes(4, "big")},
        "texts": {"SS": ["a", f"b{number}"]},
        "numbers": {"NS": ["1", f"{number}.5"]},
        "binaries": {"BS": [b"x", b"y%d" % number]},
        "map": {"M": {"list": {"L": [{"N": "1"}, {"NULL": True}, {"M": {"e": {"S": ""}}}]}}},
        "flag": {"BOOL": number % 2 == 0},
        "nothing": {"NULL": True},
        "empty": {"S": ""},
    }


def _key(number):
    item = _item(number)
    return {"id": item["id"], "at": item["at"]}


@pytest.fixture
def aws(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    return SimpleNamespace(
        dynamodb=boto3.client("dynamodb"),
        s3=boto3.client("s3"),
        environment=local_stack.environment,
    )


@pytest.fixture
def table(aws):
    name = f"orders-{uuid.uuid4()}"
    aws.dynamodb.create_table(
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
    for start in range(0, ITEMS, 25):
        requests = [{"PutRequest": {"Item": _item(n)}} for n in range(start, start + 25)]
        assert not aws.dynamodb.batch_write_item(RequestItems={name: requests})["UnprocessedItems"]
    yield name
    aws.dynamodb.delete_table(TableName=name)


@pytest.fixture
def bucket(aws):
    name = f"backups-{uuid.uuid4()}"
    region = aws.environment["AWS_DEFAULT_REGION"]
    where = {} if region == "us-east-1" else {"LocationConstraint": region}
    aws.s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
    return name


def _execute(operator_class, table, bucket, **arguments):
    operator = operator_class(
        **{
            "task_id": "task",
            "table_name": table,
            "s3_uri": f"s3://{bucket}/backup",
            "aws_conn_id": None,
        }
        | arguments
    )
    instance = SimpleNamespace(dag_id="d", task_id="task", map_index=-1, run_id="run", try_number=1)
    return operator.execute({"ti": instance})


def _export(table, bucket, **arguments):
    return _execute(DynamoDBExportOperator, table, bucket, **arguments)


def _verify(table, bucket, **arguments):
    return _execute(DynamoDBVerifyOperator, table, bucket, **arguments)


@pytest.mark.parametrize(
    "export_format",
    ["DATA_PIPELINE", "DYNAMODB_JSON", "DYNAMODB_JSON_LINES", "ION", "CSV", "PARQUET"],
)
def test_an_export_equals_its_table_in_every_format(table, bucket, export_format):
    _export(table, bucket, export_format=export_format)

    report = _verify(table, bucket, import_format=export_format, consistent_read=True)

    assert report["equal"] == report["table_items"] == report["export_items"] == ITEMS
    assert report["differences"] == 0


def test_every_difference_is_found_named_and_listed(aws, table, bucket):
    _export(table, bucket)
    aws.dynamodb.delete_item(TableName=table, Key=_key(7))
    aws.dynamodb.put_item(TableName=table, Item=_item(ITEMS))
    aws.dynamodb.update_item(
        TableName=table,
        Key=_key(9),
        UpdateExpression="SET #map.#list[2].e = :secret",
        ExpressionAttributeNames={"#map": "map", "#list": "list"},
        ExpressionAttributeValues={":secret": {"S": "secret"}},
    )
    # Written anew in other words, which makes no difference.
    again = _item(11) | {"numbers": {"NS": ["11.50", "1.0"]}, "texts": {"SS": ["b11", "a"]}}
    aws.dynamodb.put_item(TableName=table, Item=again)
    differences = f"s3://{bucket}/differences"

    with pytest.raises(AirflowFailException) as raised:
        _verify(table, bucket, differences_s3_uri=differences)
    report = _verify(table, bucket, differences_s3_uri=differences, on_difference="report")

    assert "differ in 3 places" in str(raised.value)
    assert "secret" not in str(raised.value)
    found = {difference["kind"]: difference["key"] for difference in report["first_differences"]}
    assert found == {
        "only_in_export": _key(7),
        "only_in_table": _key(ITEMS),
        "different": _key(9),
    }
    assert report["equal"] == ITEMS - 2
    (listed,) = aws.s3.list_objects_v2(Bucket=bucket, Prefix="differences/")["Contents"]
    assert report["differences_file"] == f"s3://{bucket}/{listed['Key']}"
    content = aws.s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
    assert [json.loads(line) for line in content.splitlines()] == report["first_differences"]
    different = next(d for d in report["first_differences"] if d["kind"] == "different")
    file = aws.s3.get_object(Bucket=bucket, Key=different["file"].split("/", 3)[3])["Body"].read()
    line = file.decode().split("\n")[different["position"] - 1]
    assert json.loads(line)["at"] == {"n": "9"}


def _native_export(aws, table_arn, bucket, **arguments):
    export = aws.dynamodb.export_table_to_point_in_time(
        TableArn=table_arn, S3Bucket=bucket, **arguments
    )["ExportDescription"]
    deadline = time.monotonic() + 30
    while export["ExportStatus"] == "IN_PROGRESS" and time.monotonic() < deadline:
        time.sleep(0.1)
        answer = aws.dynamodb.describe_export(ExportArn=export["ExportArn"])
        export = answer["ExportDescription"]
    assert export["ExportStatus"] == "COMPLETED", export
    prefix = f"{arguments['S3Prefix']}/AWSDynamoDB/{export['ExportArn'].rpartition('/')[2]}"
    return f"s3://{bucket}/{prefix}"


def _next_second():
    """Wait for it: the service's times have no fractions."""
    time.sleep(1 - time.time() % 1 + 0.05)
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def short_exports(local_stack):
    """Exports that take no time, of windows as short as a second."""
    url = f"{local_stack.endpoint_url}/_local/dynamodb/tasks"
    settings = json.dumps({"export_seconds": 0, "shortest_window_seconds": 1}).encode()
    urllib.request.urlopen(urllib.request.Request(url, settings, method="PUT")).close()
    yield
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()


@pytest.mark.parametrize("export_format", ["DYNAMODB_JSON", "ION"])
def test_exports_that_dynamodb_itself_makes(aws, table, bucket, short_exports, export_format):
    arn = aws.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    aws.dynamodb.update_continuous_backups(
        TableName=table,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    options = {"ExportFormat": export_format, "S3Prefix": "native"}
    full = _native_export(aws, arn, bucket, **options)
    assert _verify(table, bucket, s3_uri=full)["equal"] == ITEMS

    start = _next_second()
    aws.dynamodb.delete_item(TableName=table, Key=_key(1))
    aws.dynamodb.delete_item(TableName=table, Key=_key(2))
    aws.dynamodb.put_item(TableName=table, Item=_item(3) | {"new": {"S": "x"}})
    end = _next_second()
    changes = _native_export(
        aws,
        arn,
        bucket,
        ExportType="INCREMENTAL_EXPORT",
        IncrementalExportSpecification={
            "ExportFromTime": start,
            "ExportToTime": end,
            "ExportViewType": "NEW_AND_OLD_IMAGES",
        },
        **options,
    )
    aws.dynamodb.put_item(TableName=table, Item=_item(2))

    of_full = _verify(table, bucket, s3_uri=full, on_difference="report")
    of_changes = _verify(table, bucket, s3_uri=changes, on_difference="report")

    assert (of_full["different"], of_full["only_in_export"]) == (1, 1)
    assert [
        (difference["kind"], difference["key"]) for difference in of_changes["first_differences"]
    ] == [("not_deleted", _key(2))]
    assert (of_changes["equal"], of_changes["deleted"], of_changes["differences"]) == (1, 2, 1)


def test_a_part_of_a_table(aws, table, bucket):
    aws.s3.put_object(
        Bucket=bucket,
        Key="backup/part.jsonl",
        Body=json.dumps({"id": {"S": "new"}, "at": {"N": "1"}}).encode(),
    )
    aws.dynamodb.put_item(TableName=table, Item={"id": {"S": "new"}, "at": {"N": "1.0"}})

    report = _verify(table, bucket, allow_other_items=True)

    assert (report["equal"], report["only_in_table"], report["differences"]) == (1, ITEMS, 0)


def test_a_truncated_file_is_named(aws, table, bucket):
    _export(table, bucket, export_format="DYNAMODB_JSON")
    objects = aws.s3.list_objects_v2(Bucket=bucket, Prefix="backup/")["Contents"]
    key = next(found["Key"] for found in objects if found["Key"].endswith(".gz"))
    body = aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    aws.s3.put_object(Bucket=bucket, Key=key, Body=body[: len(body) // 2])

    report = _verify(table, bucket, on_difference="report")

    assert report["unreadable"] == 2
    assert [found["file"] for found in report["first_differences"][:2]] == [
        f"s3://{bucket}/backup/manifest",
        f"s3://{bucket}/{key}",
    ]
    assert "Data files were shortened" in report["first_differences"][0]["reason"]
    assert report["only_in_table"] == ITEMS - report["equal"] > 0


def test_a_table_and_a_prefix_that_are_not_there(aws, table, bucket):
    with pytest.raises(AirflowException, match="There is no table 'nowhere'"):
        _verify("nowhere", bucket)
    with pytest.raises(AirflowException, match="nothing to import below"):
        _verify(table, bucket)


def test_the_list_of_differences_does_not_go_among_the_files(aws, table, bucket):
    _export(table, bucket)

    with pytest.raises(AirflowException, match=r"differences_s3_uri: .* beside it"):
        _verify(table, bucket, differences_s3_uri=f"s3://{bucket}/backup/differences")


@pytest.mark.parametrize(
    "sent", [pytest.param(signal.SIGTERM, marks=pytest.mark.thorough), signal.SIGKILL]
)
def test_a_stopped_task_ends_promptly_and_leaves_no_files(aws, table, bucket, tmp_path, sent):
    _export(table, bucket)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = os.environ | {"TMPDIR": str(scratch), "PYTHONPATH": str(PLUGINS)}
    with subprocess.Popen(
        [sys.executable, "-c", TASK, table, f"s3://{bucket}/backup"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(3)  # one read unit per second keeps it busy for a minute
        assert process.poll() is None
        process.send_signal(sent)
        started = time.monotonic()
        errors = process.communicate(timeout=30)[1].decode()

    assert time.monotonic() - started < 10
    assert process.returncode not in {0, None}
    if sent == signal.SIGTERM:
        assert "stopped on request" in errors
    assert list(scratch.iterdir()) == []
