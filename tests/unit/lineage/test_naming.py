"""Names of datasets."""

import pytest

from updraft.errors import UpdraftError
from updraft.lineage.naming import DatasetName, dynamodb_table, glue_table, s3_prefix


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("s3://bucket/a/b/", "a/b"),
        ("s3n://bucket/a", "a"),
        ("s3://bucket", "/"),
        ("s3://bucket/run#5/what?/100%25", "run#5/what?/100%25"),
    ],
)
def test_a_prefix_is_named_as_it_is_in_s3(uri, name):
    assert s3_prefix(uri) == DatasetName("s3://bucket", name)


def test_a_table_of_glue_is_named_by_its_catalog():
    assert glue_table("aws", "eu-west-1", "123456789012", "sales", "orders") == (
        "arn:aws:glue:eu-west-1:123456789012",
        "table/sales/orders",
    )


def test_a_table_is_named_by_the_parts_of_its_arn():
    assert dynamodb_table("arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders") == (
        "arn:aws-cn:dynamodb:cn-north-1:123456789012",
        "table/orders",
    )


@pytest.mark.parametrize(
    "arn", ["orders", "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/by-date"]
)
def test_what_is_no_table_is_refused(arn):
    with pytest.raises(UpdraftError, match="is not the ARN of a DynamoDB table"):
        dynamodb_table(arn)
