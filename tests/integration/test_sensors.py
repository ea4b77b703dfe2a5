"""Sensors in place of preconditions: they look from the worker and from the triggerer."""

import asyncio
import threading
import time
import uuid

import boto3
import pytest

from updraft.compat import AirflowException, AirflowFailException, AirflowSensorTimeout
from updraft.sensors.dynamodb import DynamoDBDataExistsSensor, DynamoDBTableExistsSensor
from updraft.sensors.s3 import S3PrefixNotEmptySensor

try:
    from airflow.sdk.exceptions import TaskDeferred
except ImportError:  # Airflow 3.0 and 2.11
    from airflow.exceptions import TaskDeferred

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, dynamodb = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("s3", "dynamodb")
    )
    bucket = f"sensors-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    return s3, dynamodb, bucket


@pytest.fixture(autouse=True)
def worker(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")


@pytest.fixture
def table(cloud):
    _, dynamodb, _ = cloud
    name = f"sensors-{uuid.uuid4()}"

    def create():
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    return name, create


def _wait(sensor, appear=lambda: None):
    """Run a sensor as Airflow does; what it waits for appears once its trigger looks."""
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute({})
    path, arguments = deferred.value.trigger.serialize()
    assert (
        path == f"{type(deferred.value.trigger).__module__}.{type(deferred.value.trigger).__name__}"
    )
    trigger = type(deferred.value.trigger)(**arguments)
    timer = threading.Timer(0.5, appear)
    timer.start()
    event = asyncio.run(anext(trigger.run()))
    timer.join()
    return getattr(sensor, deferred.value.method_name)({}, event.payload)


def test_a_prefix_is_a_text(cloud):
    s3, _, bucket = cloud
    key = "in/day=1[*]#?%20 é/part"
    uri = f"s3://{bucket}/in/day=1[*]#?%20"
    sensor = S3PrefixNotEmptySensor(task_id="ready", s3_uri=uri, poke_interval=1, timeout=60)
    s3.put_object(Bucket=bucket, Key="in/day=1x", Body=b"")
    _wait(sensor, lambda: s3.put_object(Bucket=bucket, Key=key, Body=b""))
    sensor.deferrable = False
    sensor.execute({})


def test_the_time_runs_out(cloud):
    _, _, bucket = cloud
    uri = f"s3://{bucket}/nothing/"
    sensor = S3PrefixNotEmptySensor(task_id="ready", s3_uri=uri, poke_interval=1, timeout=0.2)
    with pytest.raises(AirflowSensorTimeout, match="not there after"):
        _wait(sensor)
    began = time.monotonic()
    sensor.deferrable = False
    with pytest.raises(AirflowSensorTimeout):
        sensor.execute({})
    assert time.monotonic() - began < 5


def test_what_can_not_be_looked_at_is_an_error(cloud):
    wrong = S3PrefixNotEmptySensor(task_id="ready", s3_uri="bucket/prefix")
    with pytest.raises(AirflowFailException, match="not an S3 URI"):
        wrong.execute({})
    _, _, bucket = cloud
    sensor = S3PrefixNotEmptySensor(task_id="ready", s3_uri=f"s3://{bucket}/nothing/")
    with pytest.raises(AirflowException, match="no connection"):
        sensor.execute_complete({}, {"status": "error", "message": "no connection"})


def test_a_table_appears_and_gets_an_item(cloud, table):
    _, dynamodb, _ = cloud
    name, create = table
    exists = DynamoDBTableExistsSensor(
        task_id="exists", table_name=name, poke_interval=1, timeout=60
    )
    _wait(exists, create)
    exists.execute({})
    data = DynamoDBDataExistsSensor(task_id="data", table_name=name, poke_interval=1, timeout=60)
    _wait(data, lambda: dynamodb.put_item(TableName=name, Item={"id": {"S": "a"}}))
    data.execute({})
    missing = DynamoDBDataExistsSensor(
        task_id="missing", table_name=f"{name}-x", poke_interval=1, timeout=0.2
    )
    with pytest.raises(AirflowSensorTimeout):
        _wait(missing)
