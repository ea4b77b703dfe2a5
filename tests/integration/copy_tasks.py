"""Runs the operators for CopyActivity outside Airflow, as attempts of one task, or of a DAG's."""

import uuid
from functools import cache
from types import SimpleNamespace

import boto3

from updraft.compat import BaseOperator
from updraft.migration.conversion import convert_file


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


def converted_tasks(definition):
    """Convert a definition, and give the tasks of its DAG in their order."""
    conversion = convert_file(definition, "converted")
    assert all(task.migrated for task in conversion.report.tasks)
    namespace = {}
    exec(compile(conversion.dag_source, "converted.py", "exec"), namespace)
    dag = next(one.dag for one in namespace.values() if isinstance(one, BaseOperator))
    return dag.topological_sort()
