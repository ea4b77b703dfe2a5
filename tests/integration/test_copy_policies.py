"""The policies for copies hold what the operators need, and no more."""

import pytest
from airflow.exceptions import AirflowException

from tests.integration import sql_databases
from tests.integration.copy_tasks import Bucket, arguments, attempt
from tests.integration.permission_proxy import Policy, permission_proxy
from updraft.operators.s3_to_s3 import CopyS3ToS3Operator
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

pytestmark = pytest.mark.integration

OF_TAGS = {"s3:GetObjectTagging", "s3:PutObjectTagging"}
"""What S3 itself asks for where an object that it copies has tags."""


@pytest.fixture
def bucket(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    return Bucket(local_stack.endpoint_url)


@pytest.fixture
def policies(bucket):
    arn = f"arn:aws:s3:::{bucket.name}"
    return (
        Policy("copy-read", bucket_arn=arn, prefix="in"),
        Policy("copy-write", bucket_arn=arn, prefix="out"),
    )


def between(bucket, **more):
    """Make a copy of a directory within S3."""
    places = {"source_s3_uri": bucket.uri("in/"), "dest_s3_uri": bucket.uri("out/")}
    return CopyS3ToS3Operator(**arguments(**places, **more))


def test_copies(bucket, policies, local_stack, monkeypatch, tmp_path):
    bucket.put("in/a", b"1,a\n")
    # An upload that a killed attempt has left.
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="out/b")
    with (
        sql_databases.sqlite(tmp_path) as database,
        permission_proxy(local_stack.endpoint_url, *policies) as proxy,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        between(bucket).execute(attempt())
        between(bucket, dest_compression="gzip").execute(attempt())
        table, uri = {"sql_conn_id": database.conn_id}, bucket.uri("in/")
        create = "create table t (id int, v varchar(9))"
        load = {"s3_uri": uri, "table": "t", "create_table_sql": create}
        CopyS3ToSqlOperator(**arguments(**table, **load)).execute(attempt())
        unload = {"query": "select * from t", "s3_uri": bucket.uri("out/b")}
        CopySqlToS3Operator(**arguments(**table, **unload)).execute(attempt())
    assert proxy.denied == []
    assert proxy.used == set.union(*(one.actions for one in policies)) - OF_TAGS
    assert bucket.keys("out/") == ["out/a", "out/a.gz", "out/b"]
    assert bucket.uploads() == []


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:PutObject"])
def test_a_missing_right_is_named(bucket, policies, local_stack, monkeypatch, action):
    bucket.put("in/a", b"1,a\n")
    for policy in policies:
        for statement in policy.statements:
            statement["Action"] = [one for one in statement["Action"] if one != action]
    with permission_proxy(local_stack.endpoint_url, *policies) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        with pytest.raises(AirflowException, match=f"{action} on "):
            between(bucket).execute(attempt())
    assert proxy.denied
