"""DynamoDB's own export and import through the operators: retries, lost answers, deferral."""

import asyncio
import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred

from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator

pytestmark = pytest.mark.integration

ITEMS = 60
PLUGINS = Path(__file__).parents[2] / "plugins"
KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}

LOSE_THE_ANSWER = """
import json, os, signal, sys
from types import SimpleNamespace
from updraft.operators import dynamodb

kind, operation, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
operator = getattr(dynamodb, kind)(task_id="copy", aws_conn_id=None, **arguments)
operator.hook.conn.meta.events.register(
    f"response-received.dynamodb.{operation}", lambda **_: os.kill(os.getpid(), signal.SIGKILL)
)
instance = SimpleNamespace(
    dag_id="d", task_id="copy", map_index=-1, run_id=sys.argv[4], try_number=1
)
operator.execute({"ti": instance})
"""

DAG_FILE = """
import json, sys
from airflow.sdk import DAG
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator

table, s3_uri, new_table, keys = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
with DAG("copy_natively", schedule=None) as dag:
    native = {"engine": "native", "s3_uri": s3_uri, "aws_conn_id": None, "poll_interval": 1}
    DynamoDBExportOperator(task_id="export", table_name=table, **native) >> DynamoDBImportOperator(
        task_id="import", table_name=new_table, table_creation_parameters=keys, **native
    )
if __name__ == "__main__":
    print("run ended:", dag.test().state)
"""

RUN = SimpleNamespace(id="")


def _item(number):
    return {
        "id": {"S": f"item-{number} \u2028 Zürich 😀"},
        "digits": {"N": f"{number + 1}2345678901234567890.12345678901234"},
        "binary": {"B": number.to_bytes(4, "big")},
        "texts": {"SS": ["a", f"b{number}"]},
        "map": {"M": {"list": {"L": [{"N": "1"}, {"NULL": True}, {"M": {"e": {"S": ""}}}]}}},
        "flag": {"BOOL": number % 2 == 0},
    }


@pytest.fixture(autouse=True)
def _run():
    RUN.id = f"manual__{uuid.uuid4()}"


@pytest.fixture
def aws(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)

    def settings(**values):
        request = urllib.request.Request(
            f"{local_stack.endpoint_url}/_local/dynamodb/tasks",
            method="PUT" if values else "DELETE",
            data=json.dumps(values).encode(),
        )
        urllib.request.urlopen(request).close()

    settings(export_seconds=0.2, import_seconds=0.2, shortest_window_seconds=0)
    yield SimpleNamespace(
        dynamodb=boto3.client("dynamodb"),
        s3=boto3.client("s3"),
        logs=boto3.client("logs"),
        environment=local_stack.environment,
        endpoint_url=local_stack.endpoint_url,
        settings=settings,
    )
    settings()


def _create_table(aws, *, recoverable):
    name = f"orders-{uuid.uuid4()}"
    aws.dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    if recoverable:
        _make_recoverable(aws, name)
    return name


def _make_recoverable(aws, name):
    aws.dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def _put(aws, table, numbers):
    requests = [{"PutRequest": {"Item": _item(number)}} for number in numbers]
    for start in range(0, len(requests), 25):
        answer = aws.dynamodb.batch_write_item(RequestItems={table: requests[start : start + 25]})
        assert not answer["UnprocessedItems"]


def _filled_table(aws):
    name = _create_table(aws, recoverable=True)
    _put(aws, name, range(ITEMS))
    return name


@pytest.fixture(scope="module")
def shared_tables():
    return []


@pytest.fixture
def table(aws, shared_tables):
    """Give a table that the tests share and do not change."""
    if not shared_tables:
        shared_tables.append(_filled_table(aws))
    return shared_tables[0]


@pytest.fixture
def own_table(aws):
    """Give a table to a test that changes it."""
    name = _filled_table(aws)
    yield name
    aws.dynamodb.delete_table(TableName=name)


@pytest.fixture
def bucket(aws):
    name = f"backups-{uuid.uuid4()}"
    aws.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def new_table(aws):
    name = f"restored-{uuid.uuid4()}"
    yield name
    if name in aws.dynamodb.list_tables()["TableNames"]:
        aws.dynamodb.delete_table(TableName=name)


def _export(table, bucket, **arguments):
    return DynamoDBExportOperator(
        **{
            "task_id": "copy",
            "table_name": table,
            "s3_uri": f"s3://{bucket}/backup",
            "engine": "native",
            "aws_conn_id": None,
            "deferrable": False,
            "poll_interval": 1,
        }
        | arguments
    )


def _import(table, bucket, **arguments):
    return DynamoDBImportOperator(
        **{
            "task_id": "copy",
            "table_name": table,
            "s3_uri": f"s3://{bucket}/backup",
            "engine": "native",
            "table_creation_parameters": KEYS,
            "aws_conn_id": None,
            "deferrable": False,
            "poll_interval": 1,
        }
        | arguments
    )


def _context(run=None, attempt=1):
    return {
        "ti": SimpleNamespace(
            dag_id="d", task_id="copy", map_index=-1, run_id=run or RUN.id, try_number=attempt
        )
    }


def _execute(operator, **context):
    return operator.execute(_context(**context))


def _objects(aws, bucket):
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    return {key: aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _records(aws, bucket):
    return [
        json.loads(line)
        for key, content in _objects(aws, bucket).items()
        if key.endswith(".json.gz")
        for line in gzip.decompress(content).splitlines()
    ]


def _table_arn(aws, table):
    return aws.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]


def _exports(aws, bucket):
    """Describe the exports to a bucket; those of all tables, but each test has a bucket."""
    arns = []
    more = {}
    while True:
        page = aws.dynamodb.list_exports(**more)
        arns += [summary["ExportArn"] for summary in page["ExportSummaries"]]
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    found = [aws.dynamodb.describe_export(ExportArn=arn)["ExportDescription"] for arn in arns]
    return [each for each in found if each["S3Bucket"] == bucket]


def _imports(aws, table):
    summaries = aws.dynamodb.list_imports()["ImportSummaryList"]
    return [each for each in summaries if each["TableArn"].endswith(f":table/{table}")]


def _items(aws, table):
    pages = aws.dynamodb.get_paginator("scan").paginate(TableName=table)
    items = [item for page in pages for item in page["Items"]]
    for item in items:
        item.get("texts", {}).get("SS", []).sort()
    return sorted(items, key=lambda item: item["id"]["S"])


def _expected(numbers):
    return sorted(map(_item, numbers), key=lambda item: item["id"]["S"])


def _calls(operator, calls):
    """Note the operations that a task calls on DynamoDB through its client."""
    operator.hook.conn.meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    return operator


def _end_of_waiting(trigger):
    """Do what the triggerer does: store the trigger, load it elsewhere, run it."""
    _, arguments = json.loads(json.dumps(trigger.serialize()))

    async def events():
        return [event.payload async for event in type(trigger)(**arguments).run()]

    (event,) = asyncio.run(asyncio.wait_for(events(), 60))
    return event


# Export


def test_a_full_export_is_the_table(aws, table, bucket):
    operator = _export(table, bucket)
    result = _execute(operator)

    folder = f"backup/AWSDynamoDB/{result['export_arn'].rpartition('/')[2]}"
    objects = _objects(aws, bucket)
    data = [key for key in objects if key.startswith(f"{folder}/data/")]
    described = aws.dynamodb.describe_export(ExportArn=result["export_arn"])["ExportDescription"]
    assert result == {
        "manifest": f"s3://{bucket}/{folder}/manifest-summary.json",
        "items": ITEMS,
        "bytes": described["BilledSizeBytes"],
        "files": len(data),
        "table_arn": _table_arn(aws, table),
        "already_exported": False,
        "export_arn": described["ExportArn"],
    }
    assert len(data) > 1
    assert f"{folder}/manifest-summary.json" in objects
    digits = {record["Item"]["digits"]["N"] for record in _records(aws, bucket)}
    assert digits == {_item(number)["digits"]["N"] for number in range(ITEMS)}

    lineage = operator.get_openlineage_facets_on_complete(None)
    assert lineage.run_facets["externalQuery"].externalQueryId == result["export_arn"]
    (described_table,) = lineage.inputs
    assert [field.name for field in described_table.facets["schema"].fields] == ["id"]


@pytest.mark.thorough
def test_a_state_of_the_past_in_ion_below_the_bucket_itself(aws, own_table, bucket):
    moment = datetime.now(UTC) + timedelta(seconds=1)
    time.sleep(2.1)  # times have whole seconds
    _put(aws, own_table, range(ITEMS, ITEMS + 5))

    result = _execute(
        _export(
            own_table,
            bucket,
            s3_uri=f"s3://{bucket}",
            export_format="ION",
            export_time=moment.isoformat(),
        )
    )

    assert result["items"] == ITEMS
    assert result["manifest"].startswith(f"s3://{bucket}/AWSDynamoDB/")
    assert any(key.endswith(".ion.gz") for key in _objects(aws, bucket))


def test_changes_of_a_period(aws, own_table, bucket):
    time.sleep(1.1)
    start = datetime.now(UTC).replace(microsecond=0)
    _put(aws, own_table, [ITEMS])
    aws.dynamodb.delete_item(TableName=own_table, Key={"id": _item(3)["id"]})
    time.sleep(2.1)
    end = datetime.now(UTC).replace(microsecond=0)

    result = _execute(
        _export(
            own_table,
            bucket,
            export_type="INCREMENTAL_EXPORT",
            export_from_time=start.isoformat(),
            export_to_time=end,
            export_view_type="NEW_IMAGE",
        )
    )

    assert result["items"] == 2
    records = {record["Keys"]["id"]["S"]: record for record in _records(aws, bucket)}
    assert set(records) == {_item(ITEMS)["id"]["S"], _item(3)["id"]["S"]}
    assert "NewImage" in records[_item(ITEMS)["id"]["S"]]
    assert "NewImage" not in records[_item(3)["id"]["S"]]


def test_a_table_without_recovery_is_told_how_to_get_it(aws, bucket):
    name = _create_table(aws, recoverable=False)

    with pytest.raises(AirflowException) as error:
        _execute(_export(name, bucket))

    command = (
        f"aws dynamodb update-continuous-backups --table-name {name} --region us-east-1 "
        "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    )
    assert command in str(error.value)
    assert "engine='worker'" in str(error.value)
    _make_recoverable(aws, name)
    assert _execute(_export(name, bucket), attempt=2)["items"] == 0


def test_a_time_that_cannot_be_recovered(aws, table, bucket):
    with pytest.raises(AirflowException, match="cannot be exported as of that time") as error:
        _execute(_export(table, bucket, export_time="2020-01-01"))
    assert "describe-continuous-backups" in str(error.value)


def _killed_when_answered(aws, kind, operation, **arguments):
    """Kill a task between AWS's start of the work and its answer."""
    process = subprocess.run(
        [sys.executable, "-c", LOSE_THE_ANSWER, kind, operation, json.dumps(arguments), RUN.id],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PLUGINS), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == -signal.SIGKILL, process.stdout


@pytest.mark.parametrize("seconds", [0, pytest.param(4, marks=pytest.mark.thorough)])
def test_an_export_whose_answer_was_lost_is_adopted(aws, table, bucket, seconds):
    aws.settings(export_seconds=seconds)
    _killed_when_answered(
        aws,
        "DynamoDBExportOperator",
        "ExportTableToPointInTime",
        table_name=table,
        s3_uri=f"s3://{bucket}/backup",
        engine="native",
    )
    (begun,) = _exports(aws, bucket)
    calls = []

    result = _execute(_calls(_export(table, bucket), calls), attempt=2)

    assert result["export_arn"] == begun["ExportArn"]
    assert len(_exports(aws, bucket)) == 1
    # Found by looking, since AWS forgets tokens after eight hours.
    assert "ExportTableToPointInTime" not in calls


@pytest.mark.thorough
def test_the_first_attempt_tried_again_gets_its_export_by_the_token(aws, table, bucket):
    first = _execute(_export(table, bucket))

    assert _execute(_export(table, bucket)) == first
    assert len(_exports(aws, bucket)) == 1


@pytest.mark.thorough
def test_another_run_is_another_export(aws, table, bucket):
    first = _execute(_export(table, bucket))
    second = _execute(_export(table, bucket), run="another", attempt=2)

    assert first["export_arn"] != second["export_arn"]
    assert len(_exports(aws, bucket)) == 2


@pytest.mark.thorough
def test_the_export_is_found_among_many(aws, own_table, bucket):
    aws.settings(export_seconds=0)
    mine = _execute(_export(own_table, bucket))
    for _ in range(27):  # a page of ListExports has 25
        aws.dynamodb.export_table_to_point_in_time(
            TableArn=_table_arn(aws, own_table), S3Bucket=bucket, S3Prefix="others"
        )
    calls = []

    assert _execute(_calls(_export(own_table, bucket), calls), attempt=2) == mine
    assert calls.count("ListExports") == 2
    assert "ExportTableToPointInTime" not in calls


def test_a_failed_export_is_made_again(aws, table):
    bucket = f"not-yet-{uuid.uuid4()}"
    with pytest.raises(AirflowException, match=r"ended as FAILED: S3NoSuchBucket: \S+"):
        _execute(_export(table, bucket))
    with pytest.raises(AirflowException, match="S3NoSuchBucket"):
        _execute(_export(table, bucket), attempt=2)
    aws.s3.create_bucket(Bucket=bucket)

    result = _execute(_export(table, bucket), attempt=3)

    assert result["items"] == ITEMS
    states = [summary["ExportStatus"] for summary in _exports(aws, bucket)]
    assert sorted(states) == ["COMPLETED", "FAILED", "FAILED"]


@pytest.mark.parametrize("attempt", [pytest.param(1, marks=pytest.mark.thorough), 2])
def test_an_export_that_was_deleted_is_made_again(aws, table, bucket, attempt):
    first = _execute(_export(table, bucket))
    for key in _objects(aws, bucket):
        aws.s3.delete_object(Bucket=bucket, Key=key)

    second = _execute(_export(table, bucket), attempt=attempt)

    assert second["export_arn"] != first["export_arn"]
    assert len(_records(aws, bucket)) == ITEMS


def test_an_export_that_lacks_a_manifest_is_not_taken_for_complete(aws, table, bucket):
    result = _execute(_export(table, bucket))
    key = result["manifest"].removeprefix(f"s3://{bucket}/")
    aws.s3.delete_object(Bucket=bucket, Key=key.replace("-summary", "-files"))

    with pytest.raises(AirflowException, match=r"manifest-files\.json is not there"):
        _execute(_export(table, bucket), attempt=2)


def test_other_arguments_while_an_export_is_in_progress(aws, table, bucket):
    aws.settings(export_seconds=5)
    with pytest.raises(TaskDeferred):
        _execute(_export(table, bucket, deferrable=True))
    elsewhere = {"s3_uri": f"s3://{bucket}/elsewhere"}

    with pytest.raises(AirflowException, match="started an export with other arguments"):
        _execute(_export(table, bucket, **elsewhere))
    with pytest.raises(AirflowException, match="S3Prefix 'backup' instead of 'elsewhere'"):
        _execute(_export(table, bucket, **elsewhere), attempt=2)
    assert len(_exports(aws, bucket)) == 1


@pytest.mark.thorough
def test_other_arguments_after_an_export_are_another_export(aws, table, bucket):
    _execute(_export(table, bucket))

    second = _execute(_export(table, bucket, s3_uri=f"s3://{bucket}/elsewhere"), attempt=2)

    assert second["manifest"].startswith(f"s3://{bucket}/elsewhere/AWSDynamoDB/")


def _deferred(operator, **context):
    with pytest.raises(TaskDeferred) as deferred:
        _execute(operator, **context)
    assert deferred.value.method_name == "execute_complete"
    assert timedelta(hours=24) < deferred.value.timeout < timedelta(hours=26)
    return deferred.value.trigger


def test_the_task_gives_its_slot_back_while_aws_exports(aws, table, bucket):
    configuration = {"retries": {"mode": "standard", "total_max_attempts": 3}}
    arguments = {
        "deferrable": True,
        "region_name": "us-east-1",
        "verify": False,
        "botocore_config": configuration,
    }
    trigger = _deferred(_export(table, bucket, **arguments))
    hook = trigger.hook()
    assert (hook.region_name, hook.verify) == ("us-east-1", False)
    assert hook.config.retries == configuration["retries"]
    event = _end_of_waiting(trigger)
    assert event["status"] == "success"

    operator = _export(table, bucket, **arguments)  # what resumes is another process
    result = operator.execute_complete(_context(), event)

    assert result == _execute(_export(table, bucket), attempt=2)
    assert result["items"] == ITEMS


def test_without_aiobotocore_the_task_says_so_and_waits_itself(
    aws, table, bucket, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "aiobotocore", None)

    assert _execute(_export(table, bucket, deferrable=True))["items"] == ITEMS
    assert "The task waits in its slot, since the package aiobotocore is not" in caplog.text


def test_a_failure_after_the_deferral_has_the_reason(aws, table):
    bucket = f"not-there-{uuid.uuid4()}"
    trigger = _deferred(_export(table, bucket, deferrable=True))
    event = _end_of_waiting(trigger)
    assert event["status"] == "error"

    with pytest.raises(AirflowException, match=r"ended as FAILED: S3NoSuchBucket: \S+"):
        _export(table, bucket, deferrable=True).execute_complete(_context(), event)


def test_the_event_of_a_trigger_is_not_trusted(aws, table, bucket):
    aws.settings(export_seconds=3)
    operator = _export(table, bucket, deferrable=True)
    trigger = _deferred(operator)
    lost = {
        "status": "error",
        "message": "Could not connect",
        "export_arn": trigger.return_value,
        "give_up_at": trigger.give_up_at,
    }

    with pytest.raises(TaskDeferred) as again:
        operator.execute_complete(_context(), lost)
    assert again.value.trigger.give_up_at == trigger.give_up_at
    assert _end_of_waiting(again.value.trigger)["status"] == "success"
    assert operator.execute_complete(_context(), lost)["items"] == ITEMS


def test_waiting_ends_some_day(aws, table, bucket):
    aws.settings(export_seconds=5)
    operator = _export(table, bucket, deferrable=True)
    trigger = _deferred(operator)
    late = {"status": "error", "export_arn": trigger.return_value, "give_up_at": time.time() - 1}

    with pytest.raises(AirflowException, match="is still in progress after 1 day") as error:
        operator.execute_complete(_context(), late)
    assert trigger.return_value in str(error.value)


def test_a_killed_task_says_what_goes_on(aws, table, bucket, caplog):
    aws.settings(export_seconds=2)
    _export(table, bucket).on_kill()  # there is nothing yet that could go on
    operator = _export(table, bucket)
    waiting = operator.hook.conn.meta.events
    waiting.register("before-call.dynamodb.DescribeExport", lambda **_: operator.on_kill())

    result = _execute(operator)

    assert f"{result['export_arn']} goes on in DynamoDB" in caplog.text


# Import


def test_a_native_export_becomes_a_new_table(aws, table, bucket, new_table):
    _execute(_export(table, bucket))
    operator = _import(new_table, bucket)

    result = _execute(operator)

    (begun,) = _imports(aws, new_table)
    assert result == {
        "table_arn": _table_arn(aws, new_table),
        "files": 4,
        "items": ITEMS,
        "deleted": 0,
        "skipped": 0,
        "superseded": 0,
        "rejected": 0,
        "rejected_records": None,
        "already_imported": False,
        "import_arn": begun["ImportArn"],
    }
    assert _items(aws, new_table) == _items(aws, table) == _expected(range(ITEMS))
    description = aws.dynamodb.describe_table(TableName=new_table)["Table"]
    assert description["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    lineage = operator.get_openlineage_facets_on_complete(None)
    assert lineage.run_facets["externalQuery"].externalQueryId == begun["ImportArn"]


@pytest.mark.parametrize("export_format", ["DYNAMODB_JSON", "ION"])
def test_an_export_of_the_worker_becomes_a_new_table(aws, table, bucket, new_table, export_format):
    _execute(_export(table, bucket, engine="worker", export_format=export_format))

    result = _execute(_import(new_table, bucket))

    assert result["items"] == ITEMS
    assert _items(aws, new_table) == _expected(range(ITEMS))


def test_csv_without_header(aws, bucket, new_table):
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([["a", "1"], ["b", "two; three"]])
    aws.s3.put_object(Bucket=bucket, Key="backup/x.csv", Body=text.getvalue())

    result = _execute(
        _import(
            new_table,
            bucket,
            import_format="CSV",
            format_options={"delimiter": ";", "header_list": ["id", "amount"]},
            table_creation_parameters={
                **KEYS,
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
            },
        )
    )

    assert (result["items"], result["files"]) == (2, 1)
    assert [item["amount"] for item in _items(aws, new_table)] == [{"S": "1"}, {"S": "two; three"}]
    description = aws.dynamodb.describe_table(TableName=new_table)["Table"]
    assert description["ProvisionedThroughput"]["WriteCapacityUnits"] == 6


@pytest.mark.parametrize("seconds", [0, pytest.param(4, marks=pytest.mark.thorough)])
def test_an_import_whose_answer_was_lost_is_adopted(aws, table, bucket, new_table, seconds):
    _execute(_export(table, bucket))
    aws.settings(import_seconds=seconds)
    _killed_when_answered(
        aws,
        "DynamoDBImportOperator",
        "ImportTable",
        table_name=new_table,
        s3_uri=f"s3://{bucket}/backup",
        engine="native",
        table_creation_parameters=KEYS,
    )
    (begun,) = _imports(aws, new_table)
    calls = []

    result = _execute(_calls(_import(new_table, bucket), calls), attempt=2)

    assert result["import_arn"] == begun["ImportArn"]
    assert "ImportTable" not in calls
    assert _items(aws, new_table) == _expected(range(ITEMS))


def test_a_table_that_exists_already(aws, table, bucket):
    _execute(_export(table, bucket))

    with pytest.raises(AirflowException, match="exists already, and ImportTable only fills a new"):
        _execute(_import(table, bucket))
    assert _items(aws, table) == _expected(range(ITEMS))


@pytest.mark.thorough
def test_after_the_table_was_deleted_it_is_imported_again(aws, table, bucket, new_table):
    _execute(_export(table, bucket))
    first = _execute(_import(new_table, bucket))
    aws.dynamodb.delete_table(TableName=new_table)

    second = _execute(_import(new_table, bucket), attempt=2)

    assert second["import_arn"] != first["import_arn"]
    assert _items(aws, new_table) == _expected(range(ITEMS))


def test_items_that_aws_refuses_fail_the_task_for_good(aws, bucket, new_table):
    lines = [{"Item": {"id": {"S": "good"}}}, {"Item": {"other": {"S": "no key"}}}]
    body = "\n".join(map(json.dumps, lines)).encode()
    aws.s3.put_object(Bucket=bucket, Key="backup/x.json.gz", Body=gzip.compress(body))

    with pytest.raises(AirflowFailException, match="DynamoDB refused 1 of 2 items") as error:
        _execute(_import(new_table, bucket))

    assert "log-group:/aws-dynamodb/imports" in str(error.value)
    assert [item["id"] for item in _items(aws, new_table)] == [{"S": "good"}]


def test_objects_that_are_no_part_of_the_export_are_not_imported_by_mistake(
    aws, table, bucket, new_table
):
    _execute(_export(table, bucket))
    data = next(key for key in _objects(aws, bucket) if "/data/" in key)
    stray = f"{data.rpartition('/')[0]}/stray.json"
    aws.s3.put_object(Bucket=bucket, Key=stray, Body=b"{}")

    with pytest.raises(AirflowException, match=r"data/stray\.json"):
        _execute(_import(new_table, bucket))
    assert _imports(aws, new_table) == []


def test_an_incremental_export_is_for_the_worker(aws, table, bucket, new_table):
    time.sleep(1.1)
    start = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1.1)
    _execute(
        _export(
            table,
            bucket,
            export_type="INCREMENTAL_EXPORT",
            export_from_time=start,
            export_to_time=start + timedelta(seconds=1),
        )
    )

    with pytest.raises(AirflowException, match="is an incremental export"):
        _execute(_import(new_table, bucket))


def test_the_task_gives_its_slot_back_while_aws_imports(aws, table, bucket, new_table):
    _execute(_export(table, bucket))
    operator = _import(new_table, bucket, deferrable=True)
    event = _end_of_waiting(_deferred(operator))
    assert event["status"] == "success"

    result = _import(new_table, bucket, deferrable=True).execute_complete(_context(), event)

    assert result["items"] == ITEMS
    assert _items(aws, new_table) == _expected(range(ITEMS))


def test_a_dag_defers_both_and_goes_on(aws, table, bucket, new_table, tmp_path):
    """Airflow itself stores the triggers, runs them and resumes the tasks."""
    strange = ("AIRFLOW", "_AIRFLOW", "OPENLINEAGE")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(strange)},
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "PYTHONPATH": os.pathsep.join([str(PLUGINS), *sys.path]),
    }
    (tmp_path / "dags").mkdir()
    dag_file = tmp_path / "dags" / "copy_natively.py"
    dag_file.write_text(DAG_FILE)
    arguments = [table, f"s3://{bucket}/backup", new_table, json.dumps(KEYS)]
    for command in (["-m", "airflow", "db", "migrate"], [str(dag_file), *arguments]):
        process = subprocess.run(
            [sys.executable, *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=180,
        )
        assert process.returncode == 0, process.stdout

    assert "run ended: success" in process.stdout
    assert process.stdout.count("running trigger in line") == 2
    assert _items(aws, new_table) == _expected(range(ITEMS))
