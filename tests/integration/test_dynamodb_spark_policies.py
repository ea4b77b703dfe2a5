"""The role of a Glue job, and that of the task that runs it, need what their policies allow.

The work of a job is done here without Spark: what it calls is the same.
"""

import uuid
from types import SimpleNamespace

import boto3
import pytest

from tests.integration.permission_proxy import Policy, permission_proxy
from tests.unit.spark.local_context import LocalContext
from updraft.spark.export_job import ExportArguments, export_table
from updraft.spark.import_job import ImportArguments, import_files

pytestmark = pytest.mark.integration

KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


@pytest.fixture
def aws(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    table, bucket = f"orders-{uuid.uuid4()}", f"backups-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    dynamodb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **KEYS)
    for number in range(30):
        dynamodb.put_item(TableName=table, Item={"id": {"S": str(number)}})
    values = {
        "table_arn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}",
        "bucket_arn": f"arn:aws:s3:::{bucket}",
        "prefix": "exports",
    }
    return SimpleNamespace(
        s3=s3,
        arguments={"table_name": table, "s3_uri": f"s3://{bucket}/exports/1"},
        bucket=bucket,
        values=values,
        endpoint_url=local_stack.endpoint_url,
        monkeypatch=monkeypatch,
    )


def _with_rights(aws, name, work):
    policy = Policy(name, **aws.values)
    with permission_proxy(aws.endpoint_url, policy) as proxy, aws.monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", proxy.url)
        result = work()
    assert proxy.denied == []
    return result, policy.actions - proxy.used


def test_both_jobs(aws):
    arguments = ExportArguments(**aws.arguments, total_segments=3, parallelism=2)
    left = f"exports/1/{uuid.uuid4()}_1_00000_00000"
    aws.s3.create_multipart_upload(Bucket=aws.bucket, Key=left)

    def export():
        return export_table(LocalContext(), arguments)

    exported, unused = _with_rights(aws, "dynamodb-export-worker", export)
    assert exported.items == 30
    # There was no other attempt whose upload had to be aborted.
    assert unused == {"s3:AbortMultipartUpload"}

    def both_imports():
        return [
            import_files(
                LocalContext(),
                ImportArguments(**aws.arguments, import_id=conflict, on_conflict=conflict),
            )
            for conflict in ("put", "skip")
        ]

    (put, skipped), unused = _with_rights(aws, "dynamodb-import-glue-job", both_imports)
    assert (put.items, skipped.skipped) == (30, 30)
    assert unused == set()
