"""Clients that cannot be made."""

import pytest

from updraft.dynamodb.service_errors import ServiceError
from updraft.hooks.clients import connected_client
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.s3 import s3_client


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def test_without_a_region():
    with pytest.raises(
        ServiceError, match=r"The AWS environment .* dynamodb: You must specify a r"
    ):
        connected_client(DynamoDBClientHook(aws_conn_id=None))


def test_without_the_profile_of_the_connection(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_BACKUPS", "aws://?profile_name=gone&region_name=eu-west-1")

    with pytest.raises(ServiceError, match=r"connection 'backups' .* profile \(gone\)"):
        connected_client(DynamoDBClientHook(aws_conn_id="backups"))


def test_with_an_endpoint_that_is_none(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nowhere")

    with pytest.raises(ServiceError, match=r"for s3: Invalid endpoint: nowhere\. Check"):
        s3_client(aws_conn_id=None, region_name="eu-west-1")


def test_the_client_is_that_of_the_hook():
    hook = DynamoDBClientHook(aws_conn_id=None, region_name="eu-west-1")

    assert connected_client(hook) is hook.conn
