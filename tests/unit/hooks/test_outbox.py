"""The part of the S3 outbox that needs no S3; the rest is tested with the local stack."""

import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from botocore.stub import Stubber

from updraft.errors import UpdraftError
from updraft.hooks.outbox import S3Outbox, open_outbox
from updraft.lineage.outbox import OutboxError


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.mark.parametrize(
    ("uri", "location", "key"),
    [
        ("s3://bucket", "s3://bucket", "checkpoints/r.json"),
        ("s3://bucket/", "s3://bucket", "checkpoints/r.json"),
        ("s3://bucket/a/b/", "s3://bucket/a/b", "a/b/checkpoints/r.json"),
        ("s3://bucket/team#1?x", "s3://bucket/team#1?x", "team#1?x/checkpoints/r.json"),
    ],
)
def test_objects_lie_below_the_prefix_as_it_is_written(uri: str, location: str, key: str):
    outbox = open_outbox(uri, aws_conn_id=None)
    assert isinstance(outbox, S3Outbox)
    assert outbox.uri == location
    with Stubber(outbox._client) as stub:
        stub.add_response(
            "put_object",
            {},
            {"Bucket": "bucket", "Key": key, "Body": b"{}", "ContentType": "application/json"},
        )
        outbox.save_checkpoint("r", b"{}")
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("uri", ["s3:///x", "s3://", "s3://user@bucket", "http://bucket"])
def test_what_is_no_s3_uri(uri: str):
    with pytest.raises(UpdraftError, match="is not an S3 URI; it looks like s3://bucket/prefix"):
        S3Outbox(uri, S3Hook(aws_conn_id=None))


def test_a_refusal_names_the_rights_that_are_needed_and_no_others():
    outbox = open_outbox("s3://bucket/lineage", aws_conn_id=None)
    with Stubber(outbox._client) as stub:
        stub.add_client_error("get_object", "AccessDenied", "no", 403)
        with pytest.raises(
            OutboxError, match=r"s3://bucket/lineage/events/a: AccessDenied"
        ) as caught:
            outbox.read("events/a")
    for right in ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "kms:GenerateDataKey"):
        assert right in str(caught.value)
    assert "s3:DeleteObject" not in str(caught.value)
