"""DynamoDB services with connections of the tests' own."""

from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config

from tests.unit.hooks.scripted_dynamodb import ATTEMPTS
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service


class Calls:
    """What a service did beside answering: its waits and the throttled answers."""

    def __init__(self):
        self.waits = []
        self.throttled = 0

    def on_throttled(self):
        self.throttled += 1


@pytest.fixture
def aws_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def open_service(monkeypatch, aws_environment):
    calls = Calls()

    def opened(url, *, raw=True, sleep=calls.waits.append, verify=None, **config):
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
        hook = DynamoDBClientHook(
            aws_conn_id=None,
            region_name="eu-west-1",
            verify=verify,
            config={"retries": retries, **config},
        )
        return dynamodb_service(hook, sleep=sleep, on_throttled=calls.on_throttled, raw=raw)

    opened.calls = calls
    return opened


@pytest.fixture
def plain_client(monkeypatch, aws_environment):
    """Make boto3's client with retries of its own, which do not really wait."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))

    def made(url, **config):
        retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
        # A session of its own: the default one keeps the credentials of whoever asked first.
        return boto3.Session().client(
            "dynamodb",
            region_name="eu-west-1",
            endpoint_url=url,
            config=Config(**{"retries": retries, **config}),
        )

    return made
