"""Errors of AWS in one sentence each."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from updraft.dynamodb.service_errors import (
    AccessDeniedError,
    ResourceMissingError,
    ServiceError,
    explained,
)


def _fail(code, message="said AWS"):
    with explained("dynamodb:Scan", "table 'orders' in eu-west-1"):
        raise ClientError({"Error": {"Code": code, "Message": message}}, "Scan")


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [
        ("ResourceNotFoundException", ResourceMissingError, "Check the name, the region"),
        ("NoSuchBucket", ResourceMissingError, "Check the name, the region"),
        ("AccessDeniedException", AccessDeniedError, "Allow dynamodb:Scan"),
        ("AccessDenied", AccessDeniedError, "Allow dynamodb:Scan"),
        ("ExpiredTokenException", ServiceError, "have expired"),
        ("UnrecognizedClientException", ServiceError, "does not know the credentials"),
        ("ProvisionedThroughputExceededException", ServiceError, "lower the throughput ratio"),
        ("ValidationException", ServiceError, "API reference"),
    ],
)
def test_each_reason_has_its_advice(code, kind, advice):
    with pytest.raises(ServiceError, match=advice) as error:
        _fail(code)

    assert type(error.value) is kind
    assert f"({code}: said AWS)" in str(error.value)
    assert "table 'orders' in eu-west-1" in str(error.value)


def test_the_advice_against_throttling_fits_the_service():
    with (
        pytest.raises(ServiceError, match="run fewer tasks at the same time"),
        explained("glue:StartJobRun", "job 'x'"),
    ):
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "StartJobRun")


def test_what_never_reached_aws_is_said_too():
    with (
        pytest.raises(ServiceError, match=r"s3:PutObject on bucket 'b' .*credentials"),
        explained("s3:PutObject", "bucket 'b'"),
    ):
        raise NoCredentialsError


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), explained("s3:PutObject", "bucket 'b'"):
        _ = 1 / 0
