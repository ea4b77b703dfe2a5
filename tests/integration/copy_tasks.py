"""Runs the operators for CopyActivity outside Airflow, as attempts of one task."""

import uuid
from functools import cache
from types import SimpleNamespace

import boto3


def attempt(number=1, run=None, max_tries=2):
    """Make the context of an attempt."""
    return {
        "ti": SimpleNamespace(
            dag_id="copy",
            task_id="t",
            map_index=-1,
            run_id=run or str(uuid.uuid4()),
            try_number=number,
            max_tries=max_tries,
        )
    }


@cache
def _client(endpoint_url):
    session = boto3.Session("local", "local", region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint_url)


class Bucket:
    """A bucket of its own at the local stack."""

    def __init__(self, endpoint_url):
        self.client = _client(endpoint_url)
        self.name = f"copy-{uuid.uuid4()}"
        self.client.create_bucket(Bucket=self.name)

    def uri(self, key):
        return f"s3://{self.name}/{key}"

    def put(self, key, body, **more):
        self.client.put_object(Bucket=self.name, Key=key, Body=body, **more)
        return self.uri(key)

    def get(self, key):
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def keys(self, prefix=""):
        found = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def uploads(self):
        found = self.client.list_multipart_uploads(Bucket=self.name)
        return [upload["Key"] for upload in found.get("Uploads", [])]


def arguments(**more):
    """Give what every operator needs."""
    return {"task_id": "t", "aws_conn_id": None, "region_name": "us-east-1", **more}
