"""The export operator against servers that speak DynamoDB and S3, kills and refusals included."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException
from botocore.awsrequest import AWSResponse

from updraft.aws.s3_destination import S3Destination
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.formats import create_format
from updraft.dynamodb.manifest import parse_manifest
from updraft.operators import dynamodb_export_worker as engine
from updraft.operators.dynamodb import DynamoDBExportOperator

pytestmark = pytest.mark.integration

ITEMS = 2_000
LONG_ITEMS = 400
PLUGINS = Path(__file__).parents[2] / "plugins"

TASK = """
import signal, sys
from types import SimpleNamespace
from updraft.operators.dynamodb import DynamoDBExportOperator

operator = DynamoDBExportOperator(
    task_id="export", table_name=sys.argv[1], s3_uri=sys.argv[2], aws_conn_id=None, total_segments=6
)
signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
instance = SimpleNamespace(dag_id="d", task_id="export", map_index=-1, run_id="run", try_number=1)
operator.execute({"ti": instance})
"""


def _item(number):
    item = {
        "id": {"S": f"item-{number} \u2028 Zürich 😀"},
        "at": {"N": str(number)},
        "digits": {"N": f"{number + 1}2345678901234567890.12345678901234"},
        "binary": {"B": number.to_bytes(4, "big")},
        "texts": {"SS": ["a", f"b{number}"]},
        "numbers": {"NS": ["1", f"{number}.5"]},
        "binaries": {"BS": [b"x", b"y%d" % number]},
        "map": {"M": {"list": {"L": [{"N": "1"}, {"NULL": True}, {"M": {"e": {"S": ""}}}]}}},
        "list": {"L": []},
        "flag": {"BOOL": number % 2 == 0},
        "nothing": {"NULL": True},
        "empty": {"S": ""},
    }
    if number < LONG_ITEMS:
        item["long"] = {"S": "x" * 100_000}  # so that each segment needs a multipart upload
    return item


@pytest.fixture
def aws(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    return SimpleNamespace(
        dynamodb=boto3.client("dynamodb"),
        s3=boto3.client("s3"),
        environment=local_stack.environment,
    )


@pytest.fixture(scope="module")
def table(local_stack):
    environment = local_stack.environment
    client = boto3.client(
        "dynamodb",
        endpoint_url=environment.get("AWS_ENDPOINT_URL_DYNAMODB", local_stack.endpoint_url),
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    name = f"orders-{uuid.uuid4()}"
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

    def write(start):
        requests = [{"PutRequest": {"Item": _item(n)}} for n in range(start, start + 25)]
        assert not client.batch_write_item(RequestItems={name: requests})["UnprocessedItems"]

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(write, range(0, ITEMS, 25)))
    yield name
    client.delete_table(TableName=name)


@pytest.fixture
def bucket(aws):
    name = f"backups-{uuid.uuid4()}"
    region = aws.environment["AWS_DEFAULT_REGION"]
    where = {} if region == "us-east-1" else {"LocationConstraint": region}
    aws.s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
    return name


def _operator(table, bucket, **arguments):
    return DynamoDBExportOperator(
        **{
            "task_id": "export",
            "table_name": table,
            "s3_uri": f"s3://{bucket}/backup",
            "aws_conn_id": None,
        }
        | arguments
    )


def _execute(operator, run="run", attempt=1):
    instance = SimpleNamespace(
        dag_id="d", task_id="export", map_index=-1, run_id=run, try_number=attempt
    )
    return operator.execute({"ti": instance})


def _keys(aws, bucket):
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


def _uploads(aws, bucket):
    return aws.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])


def _read(aws, bucket, key):
    return aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _canonical(value):
    ((key, payload),) = value.items()
    if key == "M":
        return [key, {name: _canonical(member) for name, member in payload.items()}]
    if key == "L":
        return [key, [_canonical(member) for member in payload]]
    if key in {"SS", "NS", "BS"}:
        members = [_canonical({key.removesuffix("S"): member})[1] for member in payload]
        return [key, sorted(members)]
    if isinstance(payload, bytes):  # boto3 decodes what the service and our files have in base64
        payload = base64.b64encode(payload).decode()
    return [key, repr(payload)]


def _fingerprints(items):
    return Counter(
        json.dumps({name: _canonical(value) for name, value in item.items()}, sort_keys=True)
        for item in items
    )


def _assert_export_is_the_table(aws, table, bucket):
    urls = parse_manifest(_read(aws, bucket, "backup/manifest"), "manifest")
    keys = [url.removeprefix(f"s3://{bucket}/") for url in urls]
    assert sorted([*keys, "backup/manifest"]) == sorted(_keys(aws, bucket))
    assert _uploads(aws, bucket) == []
    item_format = create_format("DATA_PIPELINE", {})
    exported = _fingerprints(
        record.item
        for key in keys
        for record in item_format.decode(io.BytesIO(_read(aws, bucket, key)), key)
    )
    pages = aws.dynamodb.get_paginator("scan").paginate(TableName=table)
    assert exported == _fingerprints(item for page in pages for item in page["Items"])
    assert exported == _fingerprints(map(_item, range(ITEMS)))


def test_export_equals_the_table_item_by_item(aws, table, bucket):
    operator = _operator(table, bucket)
    result = _execute(operator)

    _assert_export_is_the_table(aws, table, bucket)
    sizes = [
        aws.s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        for key in _keys(aws, bucket)
        if key != "backup/manifest"
    ]
    assert result == {
        "manifest": f"s3://{bucket}/backup/manifest",
        "items": ITEMS,
        "bytes": sum(sizes),
        "files": len(sizes),
        "table_arn": aws.dynamodb.describe_table(TableName=table)["Table"]["TableArn"],
        "already_exported": False,
    }
    assert max(sizes) > 5 * 1024**2  # so some of it went by multipart upload
    (described,) = operator.get_openlineage_facets_on_complete(None).inputs
    types = {field.name: field.type for field in described.facets["schema"].fields}
    assert types == {name: next(iter(value)) for name, value in _item(0).items()}


@pytest.mark.thorough
def test_a_table_can_be_named_by_its_arn(aws, table, bucket):
    arn = aws.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    _execute(_operator(arn, bucket))

    _assert_export_is_the_table(aws, table, bucket)


def test_a_second_attempt_finds_the_result(aws, table, bucket):
    first = _execute(_operator(table, bucket))
    before = {
        key: aws.s3.head_object(Bucket=bucket, Key=key)["LastModified"]
        for key in _keys(aws, bucket)
    }
    time.sleep(1.1)  # the resolution of LastModified

    assert _execute(_operator(table, bucket), attempt=2) == {**first, "already_exported": True}
    assert before == {
        key: aws.s3.head_object(Bucket=bucket, Key=key)["LastModified"]
        for key in _keys(aws, bucket)
    }


def test_another_run_is_refused_and_touches_nothing(aws, table, bucket):
    _execute(_operator(table, bucket))
    before = {key: _read(aws, bucket, key) for key in _keys(aws, bucket)}

    with pytest.raises(AirflowException, match=r"already holds .* this run did not write"):
        _execute(_operator(table, bucket), run="another")
    assert before == {key: _read(aws, bucket, key) for key in _keys(aws, bucket)}


def _signal_in_the_middle(aws, table, bucket, number):
    """Start an export in a process of its own, and send it a signal while it uploads."""
    process = subprocess.Popen(
        [sys.executable, "-c", TASK, table, f"s3://{bucket}/backup"],
        env={**os.environ, **aws.environment, "PYTHONPATH": str(PLUGINS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not _uploads(aws, bucket):
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "backup/manifest" not in _keys(aws, bucket)
    return process.returncode, output


def test_killed_in_the_middle_the_next_attempt_is_complete_and_tidy(aws, table, bucket):
    code, _ = _signal_in_the_middle(aws, table, bucket, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert _uploads(aws, bucket)  # what the next attempt has to clear away

    _execute(_operator(table, bucket), attempt=2)

    _assert_export_is_the_table(aws, table, bucket)


@pytest.mark.parametrize(
    ("outer", "inner"), [(1, 2), pytest.param(2, 1, marks=pytest.mark.thorough)]
)
def test_of_two_attempts_at_the_same_time_one_result_remains(aws, table, bucket, outer, inner):
    operator = _operator(table, bucket)
    results = []

    def finish_other(**_):
        if not results and _uploads(aws, bucket):
            results.append(None)
            results[:] = [_execute(_operator(table, bucket), attempt=inner)]

    operator.hook.conn.meta.events.register("before-send.dynamodb.Scan", finish_other)

    assert _execute(operator, attempt=outer) == results[0]
    _assert_export_is_the_table(aws, table, bucket)
    names = {key.removeprefix("backup/") for key in _keys(aws, bucket)} - {"manifest"}
    # A segment that the outer attempt had finished by then is part of the inner one's result.
    assert {name.split("_")[1] for name in names} <= {str(inner), str(outer)}


def test_an_upload_that_somebody_else_aborted_is_no_obstacle(aws, bucket):
    for key in ("backup/a", "backup/b"):
        aws.s3.create_multipart_upload(Bucket=bucket, Key=key)
    destination = S3Destination(engine.s3_client(aws_conn_id=None), S3Prefix(bucket, "backup"))
    calls = []

    def abort_first(request, **_):
        calls.append(request.url)
        if len(calls) == 1:
            (upload,) = [u for u in _uploads(aws, bucket) if u["Key"] == "backup/a"]
            aws.s3.abort_multipart_upload(
                Bucket=bucket, Key="backup/a", UploadId=upload["UploadId"]
            )

    events = destination._client.meta.events
    events.register("before-send.s3.AbortMultipartUpload", abort_first)

    assert destination.abort_uploads("") == 1
    assert _uploads(aws, bucket) == []


def test_an_abort_that_is_not_permitted_is_named_once_and_harmless(aws, bucket, caplog):
    aws.s3.create_multipart_upload(Bucket=bucket, Key="backup/a")
    destination = S3Destination(engine.s3_client(aws_conn_id=None), S3Prefix(bucket, "backup"))
    body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    denied = _answer(403, body, "application/xml")
    destination._client.meta.events.register("before-send.s3.AbortMultipartUpload", denied)

    for _ in range(2):
        assert destination.abort_uploads("") == 0
    assert caplog.text.count("s3:AbortMultipartUpload on object 'backup/a'") == 1


def _assert_only_finished_segments(aws, bucket):
    keys = _keys(aws, bucket)
    checkpoints = [key for key in keys if "/_updraft/" in key]
    finished = [json.loads(_read(aws, bucket, key))["sizes"] for key in checkpoints]
    files = [f"backup/{name}" for sizes in finished for name in sizes]
    assert sorted([*checkpoints, *files]) == sorted(keys)
    assert _uploads(aws, bucket) == []


@pytest.mark.thorough
def test_terminated_in_the_middle_only_finished_segments_are_left(aws, table, bucket):
    code, output = _signal_in_the_middle(aws, table, bucket, signal.SIGTERM)

    assert code == 1
    assert "stopped on request" in output
    _assert_only_finished_segments(aws, bucket)


def test_a_table_that_is_missing(aws, bucket):
    with pytest.raises(AirflowException, match="There is no table 'missing' in"):
        _execute(_operator("missing", bucket))
    assert _keys(aws, bucket) == []


def test_a_bucket_that_is_missing(aws, table):
    with pytest.raises(AirflowException, match="There is no bucket 'missing-bucket'"):
        _execute(_operator(table, "missing-bucket"))


class _Body(io.BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, **_):
        yield self.read()


def _answer(status, body, content_type, after=0):
    """Replace the answers of AWS from the given call on, below the retries of botocore."""
    calls = []

    def before_send(request, **_):
        calls.append(request.url)
        if len(calls) <= after:
            return None
        return AWSResponse(request.url, status, {"content-type": content_type}, _Body(body))

    return before_send


def test_after_a_scan_that_is_not_permitted_a_retry_succeeds(aws, table, bucket):
    operator = _operator(table, bucket)
    body = json.dumps(
        {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "not authorized"}
    ).encode()
    denied = _answer(400, body, "application/x-amz-json-1.0", after=6)
    operator.hook.conn.meta.events.register("before-send.dynamodb.Scan", denied)

    with pytest.raises(AirflowException, match=r"dynamodb:Scan on table .* is not permitted"):
        _execute(operator)
    _assert_only_finished_segments(aws, bucket)

    operator.hook.conn.meta.events.unregister("before-send.dynamodb.Scan", denied)
    _execute(operator)
    _assert_export_is_the_table(aws, table, bucket)


def test_an_upload_that_is_not_permitted_leaves_finished_segments(aws, table, bucket, monkeypatch):
    make_client = engine.s3_client
    body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    denied = _answer(403, body, "application/xml", after=2)

    def refusing_client(**parameters):
        client = make_client(**parameters)
        client.meta.events.register("before-send.s3.UploadPart", denied)
        return client

    monkeypatch.setattr(engine, "s3_client", refusing_client)

    with pytest.raises(AirflowException, match=r"s3:PutObject on object .* is not permitted"):
        _execute(_operator(table, bucket))
    _assert_only_finished_segments(aws, bucket)


@pytest.mark.thorough
def test_throttled_calls_are_repeated(aws, table, bucket):
    operator = _operator(table, bucket)
    body = json.dumps(
        {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}
    ).encode()
    seen = []

    def throttle_every_third(request, **_):
        seen.append(request.url)
        if len(seen) % 3:
            return None
        return AWSResponse(
            request.url, 400, {"content-type": "application/x-amz-json-1.0"}, _Body(body)
        )

    operator.hook.conn.meta.events.register("before-send.dynamodb.Scan", throttle_every_third)
    _execute(operator)

    assert len(seen) > 3
    _assert_export_is_the_table(aws, table, bucket)
