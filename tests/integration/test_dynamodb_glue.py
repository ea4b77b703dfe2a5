"""Tables that a Spark job exports and imports: the scripts really run, on Spark of this machine.

Each run of a job takes some ten seconds, so a test looks at all that can be seen of its runs.
"""

import asyncio
import base64
import json
import os
import re
import signal
import threading
import time
import urllib.request
import uuid
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred
from typer.testing import CliRunner

from include.local import processes
from tests.integration.permission_proxy import Policy, permission_proxy
from updraft.cli.main import app
from updraft.hooks.owned_glue_resources import tags_of_arguments
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator
from updraft.operators.dynamodb_base import task_identity
from updraft.paths import include_directory
from updraft.resource_owner import ResourceOwner
from updraft.triggers.glue import GlueJobCapacityTrigger, GlueJobRunTrigger

pytestmark = pytest.mark.integration

ITEMS = 2500
KEYS = {
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "part", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "id", "KeyType": "HASH"},
        {"AttributeName": "part", "KeyType": "RANGE"},
    ],
}
RUNNING = {"STARTING", "RUNNING", "STOPPING"}


@pytest.fixture(scope="module")
def cloud(local_stack, tmp_path_factory):
    """Clients, two Glue jobs with the scripts, and a bucket of their own for them."""
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    dynamodb, s3, glue, logs = (
        session.client(service, endpoint_url=local_stack.endpoint_url)
        for service in ("dynamodb", "s3", "glue", "logs")
    )
    code = f"code-{uuid.uuid4()}"
    s3.create_bucket(Bucket=code)
    archive = tmp_path_factory.mktemp("package") / "updraft_spark.zip"
    built = CliRunner().invoke(app, ["package", "--spark", "--output", str(archive)])
    assert built.exit_code == 0, built.output
    s3.upload_file(str(archive), code, archive.name)
    for kind in ("export", "import"):
        script = include_directory() / "glue" / f"dynamodb_{kind}.py"
        s3.upload_file(str(script), code, script.name)
        glue.create_job(
            Name=kind,
            Role="arn:aws:iam::123456789012:role/glue",
            Command={"Name": "glueetl", "ScriptLocation": f"s3://{code}/{script.name}"},
            DefaultArguments={
                "--extra-py-files": f"s3://{code}/{archive.name}",
                "--additional-python-modules": "boto3,orjson,pydantic,tenacity,amazon.ion",
            },
            GlueVersion="5.0",
            WorkerType="G.1X",
            NumberOfWorkers=2,
        )

    def delay(seconds):
        request = urllib.request.Request(
            f"{local_stack.endpoint_url}/_local/dynamodb/delay",
            json.dumps({"seconds": seconds}).encode(),
            method="PUT",
        )
        urllib.request.urlopen(request).close()

    return SimpleNamespace(
        dynamodb=dynamodb, s3=s3, glue=glue, logs=logs, delay=delay, stack=local_stack.stack
    )


@pytest.fixture
def aws(cloud, local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    cloud.monkeypatch = monkeypatch
    yield cloud
    cloud.delay(0)


@pytest.fixture
def bucket(aws):
    name = f"backups-{uuid.uuid4()}"
    aws.s3.create_bucket(Bucket=name)
    return name


def _new_table(aws):
    name = f"orders-{uuid.uuid4()}"
    aws.dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    return name


@pytest.fixture(scope="module")
def table(cloud):
    """A table with items of many types."""
    name = _new_table(cloud)
    for start in range(0, ITEMS, 25):
        requests = [
            {
                "PutRequest": {
                    "Item": {
                        "id": {"S": f"ö{number:05d}"},
                        "part": {"N": str(number % 7)},
                        "amount": {"N": f"{number}.00000000000000000000000000000001"},
                        "photo": {"B": bytes([number % 256, 0, 255])},
                        "tags": {"SS": ["", "a", str(number)]},
                        "nested": {"M": {"list": {"L": [{"NULL": True}, {"BOOL": False}]}}},
                    }
                }
            }
            for number in range(start, start + 25)
        ]
        cloud.dynamodb.batch_write_item(RequestItems={name: requests})
    return name


def _items(aws, table):
    pages = aws.dynamodb.get_paginator("scan").paginate(TableName=table)
    items = [_comparable(item) for page in pages for item in page["Items"]]
    return {(item["id"]["S"], item["part"]["N"]): item for item in items}


def _comparable(item):
    def plain(value):
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value

    for value in item.values():
        for key in set(value) & {"SS", "NS", "BS"}:
            value[key] = sorted(value[key])
    return json.loads(json.dumps(item, default=plain))


def _arguments(kind, table, bucket, **others):
    return {
        "task_id": kind,
        "table_name": table,
        "s3_uri": f"s3://{bucket}/backup",
        "engine": "glue",
        "glue_job_name": kind,
        "aws_conn_id": None,
        "deferrable": False,
        "poll_interval": 1,
        **others,
    }


def _export(table, bucket, **others):
    return DynamoDBExportOperator(**_arguments("export", table, bucket, **others))


def _import(table, bucket, **others):
    return DynamoDBImportOperator(**_arguments("import", table, bucket, **others))


def _context(operator, bucket, attempt=1, max_tries=0):
    return {
        "ti": SimpleNamespace(
            dag_id="d",
            task_id=operator.task_id,
            map_index=-1,
            run_id=bucket,
            try_number=attempt,
            max_tries=max_tries,
            xcom_push=lambda **_: None,
        )
    }


def _execute(operator, bucket, attempt=1, max_tries=0):
    return operator.execute(_context(operator, bucket, attempt, max_tries))


def _runs(aws, operator, bucket):
    pages = aws.glue.get_paginator("get_job_runs").paginate(JobName=operator.glue_job_name)
    return [
        run
        for page in pages
        for run in page["JobRuns"]
        if bucket in run["Arguments"].get("--s3_uri", "")
    ]


def _names(aws, bucket, prefix="backup/"):
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {
        entry["Key"].removeprefix(prefix) for page in pages for entry in page.get("Contents", ())
    }


def _end_of_waiting(trigger):
    """Do what the triggerer does: store the trigger, load it elsewhere, run it."""
    _, arguments = json.loads(json.dumps(trigger.serialize()))

    async def events():
        return [event.payload async for event in type(trigger)(**arguments).run()]

    (event,) = asyncio.run(asyncio.wait_for(events(), 120))
    return event


def _in_thread(operator, bucket, attempt=1):
    """Run a task aside, and give what came of it once it is asked for."""
    outcome = []

    def run():
        try:
            outcome.append(_execute(operator, bucket, attempt))
        except AirflowException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def result():
        thread.join(120)
        return outcome[0]

    return result


def _wait_until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.1)
    return found


@contextmanager
def _rights(aws, kind, table, bucket):
    """Give the task what its policy allows; the set fills with what it has not used of it."""
    account = "us-east-1:123456789012"
    policy = Policy(
        f"dynamodb-{kind}-glue",
        job_arn=f"arn:aws:glue:{account}:job/{kind}",
        table_arn=f"arn:aws:dynamodb:{account}:table/{table}",
        bucket_arn=f"arn:aws:s3:::{bucket}",
        prefix="backup",
    )
    unused = set()
    with (
        permission_proxy(os.environ["AWS_ENDPOINT_URL"], policy) as proxy,
        aws.monkeypatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield unused
    assert proxy.denied == []
    unused |= policy.actions - proxy.used


def test_there_and_back(aws, table, bucket):
    """Deferred, adopted by a second attempt, and restored into another table."""
    exported = _export(table, bucket, deferrable=True, total_segments=6)
    with _rights(aws, "export", table, bucket) as unused:
        with pytest.raises(TaskDeferred) as deferred:
            _execute(exported, bucket)
        second = _execute(_export(table, bucket, total_segments=6), bucket, attempt=2)
        event = _end_of_waiting(deferred.value.trigger)
        first = exported.execute_complete(_context(exported, bucket), event)

    assert unused == {"glue:BatchStopJobRun", "glue:GetJob"}  # for a kill, for a full job
    assert event["status"] == "success"
    assert first == second
    assert (first["items"], first["files"]) == (ITEMS, 6)
    assert len(_runs(aws, exported, bucket)) == 1
    assert len(_names(aws, bucket)) == 7  # nothing but the files and the manifest
    lineage = exported.get_openlineage_facets_on_complete(None)
    fields = {field.name for field in lineage.inputs[0].facets["schema"].fields}
    assert fields == {"id", "part", "amount", "photo", "tags", "nested"}

    copy = _new_table(aws)
    imported = _import(copy, bucket)
    with _rights(aws, "import", copy, bucket) as unused:
        result = _execute(imported, bucket)
        again = _execute(_import(copy, bucket), bucket, attempt=2)

    assert unused == {"glue:BatchStopJobRun", "glue:GetJob"}  # for a kill, for a full job
    assert again == {**result, "already_imported": True}
    assert (result["items"], result["files"], result["rejected"]) == (ITEMS, 6, 0)
    (run,) = _runs(aws, imported, bucket)
    assert _items(aws, copy) == _items(aws, table)

    aws.dynamodb.delete_item(TableName=copy, Key={"id": {"S": "ö00000"}, "part": {"N": "0"}})
    cleared = _execute(_import(copy, bucket), bucket, attempt=3, max_tries=3)
    retried = _execute(_import(copy, bucket), bucket, attempt=4, max_tries=3)

    assert cleared == result
    assert retried == {**result, "already_imported": True}
    assert len(_runs(aws, imported, bucket)) == 2
    assert _items(aws, copy) == _items(aws, table)
    ledgers = {name for name in _names(aws, bucket) if name.startswith("_updraft/")}
    assert ledgers == {f"_updraft/import_{run['Arguments']['--import_id']}.json"}


@pytest.mark.thorough
def test_a_killed_export_goes_on_where_it_was(aws, table, bucket):
    operator = _export(table, bucket, total_segments=40)
    checkpoints = f"_updraft/{task_identity(_context(operator, bucket))}/"
    aws.delay(2)  # there is time to kill before all segments are read
    outcome = _in_thread(operator, bucket)
    _wait_until(lambda: len(_names(aws, bucket, f"backup/{checkpoints}")) >= 3)
    for process in processes.find(aws.stack.state):
        if any("spark" in part for part in process.command):
            with suppress(ProcessLookupError):  # the first takes others with it
                os.kill(process.pid, signal.SIGKILL)
    error = outcome()
    aws.delay(0)
    finished = _names(aws, bucket, f"backup/{checkpoints}")

    assert "ended as FAILED" in str(error)
    assert "/cloudwatch/home?region=us-east-1#logsV2" in str(error)
    assert 3 <= len(finished) < 40

    result = _execute(_export(table, bucket, total_segments=40), bucket, attempt=2)

    assert result["items"] == ITEMS
    runs = _runs(aws, operator, bucket)
    assert [run["JobRunState"] for run in runs] == ["SUCCEEDED", "FAILED"]
    files = _names(aws, bucket) - {"manifest"}
    # What was finished stayed, with the number of the first attempt in its name.
    kept = {name.split("_")[2] for name in files if name.split("_")[1] == "1"}
    assert kept == {name.removesuffix(".json") for name in finished}
    assert {name.split("_")[1] for name in files} == {"1", "2"}
    assert len(files) == result["files"]
    items = [
        json.loads(line)
        for name in files
        for line in aws.s3.get_object(Bucket=bucket, Key=f"backup/{name}")["Body"]
        .read()
        .splitlines()
    ]
    assert len(items) == len({item["id"]["s"] for item in items}) == ITEMS


@pytest.mark.thorough
def test_records_that_are_no_items(aws, bucket):
    copy = _new_table(aws)
    good = '{{"id":{{"s":"{}{}"}},"part":{{"n":"1"}}}}\n'
    for name, bad in (("a", ""), ("b", "no item\n")):
        body = "".join(good.format(name, number) for number in range(5)) + bad
        aws.s3.put_object(Bucket=bucket, Key=f"backup/{name}", Body=body.encode())

    with pytest.raises(AirflowFailException, match=rf"s3://{bucket}/backup/b, line 6: "):
        _execute(_import(copy, bucket), bucket)

    rejected = f"s3://{bucket}/rejected"
    keeping = _import(copy, bucket, on_error="dead_letter", dead_letter_s3_uri=rejected)
    result = _execute(keeping, bucket, attempt=2)

    assert (result["items"], result["rejected"], result["files"]) == (10, 1, 2)
    assert result["rejected_records"] == rejected
    identity = _runs(aws, keeping, bucket)[0]["Arguments"]["--import_id"]
    names = {f"rejected_{identity}_00001_000000000006.jsonl"}
    assert _names(aws, bucket, "rejected/") == names
    assert len(_items(aws, copy)) == 10


def test_a_killed_task_stops_its_run(aws, table, bucket):
    operator = _export(table, bucket, total_segments=40)
    aws.delay(2)
    outcome = _in_thread(operator, bucket)
    (run,) = _wait_until(
        lambda: [run for run in _runs(aws, operator, bucket) if run["JobRunState"] == "RUNNING"]
    )
    _wait_until(lambda: operator._engine._runs._waiting_for)
    operator.on_kill()

    # The kill may come before the task has begun to wait.
    assert re.search("ended as STOPPED|was told to stop while it started", str(outcome()))
    left = processes.find(aws.stack.state)
    assert not any(run["Id"] in part for process in left for part in process.command)


def test_a_full_job_is_waited_for_and_the_run_names_its_owner(aws, table, bucket):
    aws.delay(2)  # so that neither run ends by itself
    other = {"--table_name": table, "--s3_uri": f"s3://{bucket}/other", "--total_segments": "40"}
    before = aws.glue.start_job_run(JobName="export", Arguments=other)["JobRunId"]
    operator = _export(table, bucket, deferrable=True, total_segments=40)
    with pytest.raises(TaskDeferred) as for_room:
        _execute(operator, bucket)
    aws.glue.batch_stop_job_run(JobName="export", JobRunIds=[before])
    event = _end_of_waiting(for_room.value.trigger)
    with pytest.raises(TaskDeferred) as for_the_run:
        operator.execute_complete(_context(operator, bucket), event)
    operator.on_kill()

    assert isinstance(for_room.value.trigger, GlueJobCapacityTrigger)
    assert isinstance(for_the_run.value.trigger, GlueJobRunTrigger)
    run, stopped = _runs(aws, operator, bucket)
    owner = ResourceOwner.of(_context(operator, bucket))
    assert tags_of_arguments(run["Arguments"]) == owner.tags()
    assert (stopped["Id"], stopped["JobRunState"]) == (before, "STOPPED")
    _wait_until(lambda: _runs(aws, operator, bucket)[0]["JobRunState"] == "STOPPED")


def test_the_limits_of_a_job(aws):
    with pytest.raises(aws.glue.exceptions.EntityNotFoundException):
        aws.glue.start_job_run(JobName="missing")
    with pytest.raises(aws.glue.exceptions.EntityNotFoundException):
        aws.glue.get_job_run(JobName="export", RunId="jr_missing")
    answer = aws.glue.batch_stop_job_run(JobName="export", JobRunIds=["jr_missing"])
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    run = aws.glue.start_job_run(JobName="export")["JobRunId"]
    with pytest.raises(aws.glue.exceptions.ConcurrentRunsExceededException):
        aws.glue.start_job_run(JobName="export")
    ended = _wait_until(
        lambda: (
            (found := aws.glue.get_job_run(JobName="export", RunId=run)["JobRun"])["JobRunState"]
            not in RUNNING
            and found
        )
    )
    assert ended["JobRunState"] == "FAILED"
    assert ended["ErrorMessage"] == "UpdraftError: --table_name is missing; --s3_uri is missing"
    events = aws.logs.get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=run)[
        "events"
    ]
    assert any("--table_name is missing" in event["message"] for event in events)
    newest = aws.glue.get_job_runs(JobName="export", MaxResults=1)
    assert newest["JobRuns"][0]["Id"] == run
