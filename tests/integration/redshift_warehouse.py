"""A cluster of the local stack's Redshift for tests, and short ways to talk to it."""

import json
import time
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

import boto3

ROLE = "arn:aws:iam::123456789012:role/redshift-load"
OVER = {"FINISHED", "FAILED", "ABORTED"}


class StatementFailedError(Exception):
    """A statement failed; the text is its error."""


@dataclass
class Warehouse:
    """A cluster with a user, and clients for all that surrounds it."""

    url: str
    cluster: str

    def client(self, service: str) -> Any:
        session = boto3.Session(
            aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
        )
        return session.client(service, endpoint_url=self.url)

    def __post_init__(self) -> None:
        self.redshift = self.client("redshift")
        self.data = self.client("redshift-data")
        self.s3 = self.client("s3")
        self.bucket = f"redshift-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.bucket)

    @property
    def place(self) -> dict[str, str]:
        return {"ClusterIdentifier": self.cluster, "Database": "dev", "DbUser": "awsuser"}

    def create(self, **more: Any) -> None:
        self.redshift.create_cluster(
            **{
                "ClusterIdentifier": self.cluster,
                "NodeType": "ra3.xlplus",
                "NumberOfNodes": 2,
                "MasterUsername": "awsuser",
                "MasterUserPassword": "Secret-1234",
                "IamRoles": [ROLE],
                **more,
            }
        )
        self.wait("available")

    def describe(self) -> dict[str, Any]:
        found: dict[str, Any] = self.redshift.describe_clusters(ClusterIdentifier=self.cluster)
        return found["Clusters"][0]

    def wait(self, status: str) -> None:
        until = time.monotonic() + 10
        while self.describe()["ClusterStatus"] != status:
            assert time.monotonic() < until, self.describe()["ClusterStatus"]
            time.sleep(0.03)

    def finish(self, statement_id: str) -> dict[str, Any]:
        until = time.monotonic() + 60
        while True:
            found: dict[str, Any] = self.data.describe_statement(Id=statement_id)
            if found["Status"] in OVER:
                return found
            assert time.monotonic() < until, found
            time.sleep(0.01)

    def submit(self, sql: str, parameters: dict[str, str] | None = None, **more: Any) -> Any:
        given = [{"name": name, "value": value} for name, value in (parameters or {}).items()]
        place = {} if "SessionId" in more else self.place
        extra = {"Parameters": given} if given else {}
        found = self.data.execute_statement(Sql=sql, **place, **extra, **more)
        return found["Id"]

    def run(self, sql: str, parameters: dict[str, str] | None = None, **more: Any) -> Any:
        """Run a statement and raise its error."""
        done = self.finish(self.submit(sql, parameters, **more))
        if done["Status"] != "FINISHED":
            raise StatementFailedError(done.get("Error"))
        return done

    def batch(self, *sqls: str, parameters: dict[str, str] | None = None) -> dict[str, Any]:
        given = [{"name": name, "value": value} for name, value in (parameters or {}).items()]
        extra = {"Parameters": given} if given else {}
        found = self.data.batch_execute_statement(Sqls=sqls, **self.place, **extra)
        return self.finish(found["Id"])

    def rows(self, sql: str, parameters: dict[str, str] | None = None, **more: Any) -> list[Any]:
        """Run a query and give its rows as plain values."""
        done = self.run(sql, parameters, **more)
        return self.result(done["Id"])

    def result(self, statement_id: str) -> list[Any]:
        pages = self.data.get_paginator("get_statement_result").paginate(Id=statement_id)
        return [[_plain(field) for field in row] for page in pages for row in page["Records"]]

    def put(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def files(self, prefix: str) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {
            one["Key"].removeprefix(prefix): self.s3.get_object(Bucket=self.bucket, Key=one["Key"])[
                "Body"
            ].read()
            for one in listed
        }

    def control(self, resource: str, method: str, **body: Any) -> None:
        request = urllib.request.Request(
            f"{self.url}/_local/redshift/{resource}", json.dumps(body).encode(), method=method
        )
        urllib.request.urlopen(request, timeout=5).close()


def _plain(field: dict[str, Any]) -> Any:
    [(kind, value)] = field.items()
    return None if kind == "isNull" else value


def new_warehouse(url: str, **more: Any) -> Warehouse:
    warehouse = Warehouse(url, f"test-{uuid.uuid4().hex[:8]}")
    warehouse.create(**more)
    return warehouse


def new_workgroup(warehouse: Warehouse) -> str:
    """Make a workgroup of Redshift Serverless with a namespace of its own; returns its name."""
    serverless = warehouse.client("redshift-serverless")
    name = f"w-{uuid.uuid4().hex[:8]}"
    serverless.create_namespace(
        namespaceName=name,
        adminUsername="admin",
        adminUserPassword="Secret-1234",
        iamRoles=[ROLE],
    )
    serverless.create_workgroup(workgroupName=name, namespaceName=name, baseCapacity=8)
    return name
