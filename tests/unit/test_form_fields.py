"""What a user may type into the fields that several forms have."""

import pytest
from airflow.exceptions import ParamValidationError

from updraft import form_fields
from updraft.compat import Param


def _takes(field, value):
    try:
        field.resolve(value)
    except ParamValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (None, True),
        ("eu-west-1", True),
        ("us-gov-east-1", True),
        ("", False),
        ("eu-west-1a", False),
        ("eu-west", False),
        ("EU-WEST-1", False),
    ],
)
def test_a_region_may_be_left_empty(value, fits):
    assert _takes(form_fields.region("Region of the table"), value) is fits


@pytest.mark.parametrize(
    ("value", "fits"), [(0.25, True), (1, True), (0.001, True), (0, False), (1.1, False)]
)
def test_a_share_is_above_nothing_and_at_most_all(value, fits):
    assert _takes(form_fields.share_of_capacity("Share"), value) is fits


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("TABLE", "orders", True),
        ("TABLE", "arn:aws:dynamodb:eu-west-1:123456789012:table/orders", True),
        ("TABLE", "no", False),
        ("TABLE", "arn:aws:dynamodb:eu-west-1:123456789012:orders", False),
        ("S3_URI", "s3://backups", True),
        ("S3_URI", "s3://backups/orders", True),
        ("S3_URI", "backups/orders", False),
        ("S3_PREFIX", "s3://backups/orders", True),
        ("S3_PREFIX", "s3://backups/", False),
        ("S3_PREFIX", "s3://-backups/orders", False),
    ],
)
def test_a_pattern(pattern, value, fits):
    field = Param(type="string", pattern=getattr(form_fields, pattern))
    assert _takes(field, value) is fits
