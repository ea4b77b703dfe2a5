"""`updraft dynamodb` in processes of its own, against the local stack."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

pytestmark = pytest.mark.integration

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table"
ITEMS = 3_000


class Shell:
    """A shell whose AWS is the local stack."""

    def __init__(self, environment, home):
        self.environment = {
            **os.environ,
            **environment,
            "AIRFLOW_HOME": str(home),
            "COLUMNS": "300",
        }

    def begin(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "updraft.cli", "dynamodb", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments):
        process = self.begin(*arguments)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors


@pytest.fixture
def aws(local_stack, tmp_path):
    arguments = {
        "endpoint_url": local_stack.endpoint_url,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    dynamodb, s3 = boto3.client("dynamodb", **arguments), boto3.client("s3", **arguments)
    bucket = f"command-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    return dynamodb, s3, bucket, Shell(local_stack.environment, tmp_path / "airflow")


def _table(dynamodb, items=0):
    name = f"command-{uuid.uuid4()}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )

    def write(start):
        dynamodb.batch_write_item(
            RequestItems={
                name: [
                    {"PutRequest": {"Item": {"id": {"S": f"item-{n}"}, "v": {"N": str(n)}}}}
                    for n in range(start, start + 25)
                ]
            }
        )

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(write, range(0, items, 25)))
    return name


def test_a_table_goes_to_s3_and_back(aws):
    dynamodb, _, bucket, shell = aws
    source, target = _table(dynamodb, ITEMS), _table(dynamodb)
    uri = f"s3://{bucket}/backup"

    code, output, errors = shell.run("export", source, uri, "--format", "CSV", "--json")
    assert (code, json.loads(output)["items"]) == (0, ITEMS), errors
    assert json.loads(output)["already_exported"] is False
    code, output, errors = shell.run("import", target, uri, "--json")
    assert (code, json.loads(output)["items"]) == (0, ITEMS), errors
    code, output, errors = shell.run("verify", target, uri)
    assert (code, output) == (0, ""), errors
    assert f"hold the same {ITEMS:,} items" in errors

    dynamodb.delete_item(TableName=target, Key={"id": {"S": "item-7"}})
    dynamodb.put_item(TableName=target, Item={"id": {"S": "item-8"}, "v": {"N": "9"}})
    code, output, errors = shell.run("verify", target, uri)
    assert code == 1
    assert sorted(
        (entry["kind"], entry["key"]["id"]["S"]) for entry in map(json.loads, output.splitlines())
    ) == [("different", "item-8"), ("only_in_export", "item-7")]


@pytest.mark.thorough
def test_what_is_done_is_not_done_again(aws):
    dynamodb, _, bucket, shell = aws
    source, target = _table(dynamodb, ITEMS), _table(dynamodb)
    uri = f"s3://{bucket}/backup"
    shell.run("export", source, uri, "--format", "CSV", "--json")
    code, output, errors = shell.run("export", source, uri, "--format", "CSV", "--json")
    assert (code, json.loads(output)["already_exported"]) == (0, True), errors
    assert f"Nothing was read; {uri}/manifest was complete before: {ITEMS:,} items" in errors
    shell.run("import", target, uri)
    dynamodb.delete_item(TableName=target, Key={"id": {"S": "item-7"}})

    code, output, errors = shell.run("import", target, uri)
    assert code == 0
    assert re.search(
        r"Nothing is written: the command of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC has imported "
        r"everything. To import again, add --again\n",
        errors,
    )
    assert f"Nothing was written; {uri} was imported before: {ITEMS:,} items put" in errors
    assert output.endswith("  already_imported: yes\n")
    code, output, errors = shell.run("import", target, uri, "--json")
    assert (code, json.loads(output)["already_imported"]) == (0, True)
    code, output, errors = shell.run("import", target, uri, "--again", "--keep-existing", "--json")
    assert code == 0, errors
    assert {name: json.loads(output)[name] for name in ("items", "skipped")} == {
        "items": 1,
        "skipped": ITEMS - 1,
    }


def _count(s3, bucket, prefix):
    return s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"]


@pytest.mark.thorough
def test_a_command_that_was_stopped_goes_on(aws):
    dynamodb, s3, bucket, shell = aws
    source = _table(dynamodb, ITEMS)
    uri = f"s3://{bucket}/backup"
    # A hundredth of the default pace, so that there is time to press Ctrl-C.
    slowly = ["export", source, uri, "--ratio", "0.0001", "--segments", "12"]
    finished = 0
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = shell.begin(*slowly)
        deadline = time.monotonic() + 60
        while _count(s3, bucket, "backup/_updraft/") <= finished:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        finished = _count(s3, bucket, "backup/_updraft/")

        assert process.returncode == code
        assert "The same command goes on where this one stopped" in errors
    code, output, errors = shell.run("export", source, uri, "--segments", "12", "--json")
    assert (code, json.loads(output)["items"]) == (0, ITEMS), errors
    assert "going on with the others" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "orders", "backups"], "s3_uri: 'backups' is not an S3 URI"),
        (["verify", "missing-table", "s3://backups/p"], "There is no table 'missing-table'"),
    ],
)
def test_what_is_wrong_is_one_sentence(aws, arguments, message):
    _wrong(aws, arguments, message)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "a/b", "s3://backups/p"], "table_name: 'a/b' is neither the name nor the ARN"),
        (["export", "orders", "s3://backups/p", "--format", "CVS"], "did you mean 'CSV'?"),
        (
            ["import", "orders", "s3://backups/p", "--ratio", "2"],
            "--ratio: 2.0 is not a number above 0",
        ),
        (
            ["import", "orders", "s3://backups/p", "--option", "x"],
            "--option: 'x' is not NAME=VALUE",
        ),
        (
            ["export", f"{ARN}/orders", "s3://backups/p", "--region", "us-east-1"],
            "'us-east-1' contradicts the ARN",
        ),
    ],
)
def test_each_wrong_argument_is_one_sentence(aws, arguments, message):
    _wrong(aws, arguments, message)


def _wrong(aws, arguments, message):
    _, _, _, shell = aws
    code, output, errors = shell.run(*arguments)

    assert (code, output) == (1, "")
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert message in errors


@pytest.mark.parametrize("number", [-3, 0, 1_000_001])
def test_number_of_segments_is_one_that_dynamodb_takes(aws, number):
    _, _, _, shell = aws
    code, output, errors = shell.run("export", "orders", "s3://b/p", "--segments", str(number))

    assert (code, output) == (2, "")
    assert "1<=x<=1000000" in errors


def test_without_a_region_it_says_so(aws):
    _, _, _, shell = aws
    del shell.environment["AWS_DEFAULT_REGION"]
    code, _, errors = shell.run("export", "orders", "s3://backups/p")

    assert code == 1
    assert "You must specify a region" in errors
