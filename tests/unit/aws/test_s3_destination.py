"""What a destination says of a bucket that is not there, or not to be asked about."""

import io

import boto3
import pytest
from botocore.stub import Stubber

from updraft.aws.s3_destination import S3Destination, existing_destination
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.service_errors import ResourceMissingError

LOCATION = S3Prefix("nobucket", "rejected")


@pytest.fixture
def stubbed():
    client = boto3.client(
        "s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        yield client, stubber


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("put_object", lambda place: place.upload("a", io.BytesIO(b"x"))),
        ("put_object", lambda place: place.create("a", b"x", {})),
        ("get_object", lambda place: place.read("a")),
        ("list_objects_v2", lambda place: list(place.objects())),
    ],
    ids=["upload", "create", "read", "list"],
)
def test_a_missing_bucket_is_no_missing_object(stubbed, method, call):
    client, stubber = stubbed
    stubber.add_client_error(method, "NoSuchBucket", http_status_code=404)

    with pytest.raises(ResourceMissingError, match=r"^There is no bucket 'nobucket' "):
        call(S3Destination(client, LOCATION))


def test_a_bucket_is_looked_for_before_long_work(stubbed):
    client, stubber = stubbed
    stubber.add_client_error("head_bucket", "404", http_status_code=404)

    with pytest.raises(ResourceMissingError, match=r"^There is no bucket 'nobucket' "):
        existing_destination(client, LOCATION)


def test_a_role_that_may_only_write_need_not_ask(stubbed):
    client, stubber = stubbed
    stubber.add_client_error("head_bucket", "403", http_status_code=403)

    assert existing_destination(client, LOCATION).uri == "s3://nobucket/rejected"
    assert existing_destination(client, None) is None
