"""Names of datasets."""

import pytest

from updraft.errors import UpdraftError
from updraft.lineage.naming import (
    DatasetName,
    dynamodb_table,
    emr_files,
    glue_table,
    redshift_table,
    s3_prefix,
)


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


def test_a_table_of_redshift_is_named_by_its_cluster():
    table = {"database": "dev", "schema": "public", "table": "orders"}
    assert redshift_table("analytics", "eu-west-1", port=5439, **table) == (
        "redshift://analytics.eu-west-1:5439",
        "dev.public.orders",
    )


@pytest.mark.parametrize(
    ("uri", "name"),
    [("emr://j-1/out/part-*", "out/part-*"), ("emr://j-1/", "/"), ("emr://j-1", "/")],
)
def test_files_of_a_cluster_are_named_by_it(uri, name):
    assert emr_files(uri) == DatasetName("emr://j-1", name)


@pytest.mark.parametrize("uri", ["emr://", "s3://bucket/x", "j-1/x"])
def test_what_is_no_file_of_a_cluster_is_refused(uri):
    with pytest.raises(UpdraftError, match="does not name files on an EMR cluster"):
        emr_files(uri)
