"""Exports and imports by DynamoDB itself, harmed at every call of AWS.

Whatever happens, one export or import takes place, the task finds it, and nothing is left running
that nobody waits for: DynamoDB offers no call that ends an export.
"""

import json
import urllib.request
import uuid

import boto3
import pytest

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_faults import Fault
from tests.chaos.crash_sweep import KILLS, USER_ACTIONS, WAYS, Sweep
from updraft.compat import DAG
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator

pytestmark = pytest.mark.integration

KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
ITEMS = 5


def export_dag(table, s3_uri, deferrable):
    with DAG("crash", schedule=None) as dag:
        DynamoDBExportOperator(
            task_id="export",
            table_name=table,
            s3_uri=s3_uri,
            engine="native",
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
        )
    return dag


def import_dag(table, s3_uri, deferrable):
    with DAG("crash", schedule=None) as dag:
        DynamoDBImportOperator(
            task_id="import",
            table_name=table,
            s3_uri=s3_uri,
            engine="native",
            table_creation_parameters=KEYS,
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
        )
    return dag


class Cloud:
    """The local stack, whose exports and imports take long enough to be waited for."""

    def __init__(self, stack):
        self.endpoint_url, self.environment = stack.endpoint_url, stack.environment
        session = boto3.Session("local", "local", region_name="us-east-1")
        self.dynamodb, self.s3 = (
            session.client(service, endpoint_url=stack.endpoint_url)
            for service in ("dynamodb", "s3")
        )
        self.bucket = f"crash-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.bucket)

    def settings(self, **values):
        request = urllib.request.Request(
            f"{self.endpoint_url}/_local/dynamodb/tasks",
            method="PUT" if values else "DELETE",
            data=json.dumps(values).encode(),
        )
        urllib.request.urlopen(request).close()

    def table(self):
        name = f"crash-{uuid.uuid4()}"
        self.dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
        self.dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        for number in range(ITEMS):
            self.dynamodb.put_item(TableName=name, Item={"id": {"S": str(number)}})
        return name

    def location(self):
        return f"s3://{self.bucket}/{uuid.uuid4()}"

    def source(self):
        """Store a file as DynamoDB's own export writes it."""
        uri = self.location()
        lines = [json.dumps({"Item": {"id": {"S": str(number)}}}) for number in range(ITEMS)]
        key = f"{uri.rpartition('/')[2]}/data.json"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body="\n".join(lines).encode())
        return uri

    def exports(self, table):
        arn = self.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
        found = self.dynamodb.list_exports(TableArn=arn)["ExportSummaries"]
        return [self.dynamodb.describe_export(ExportArn=one["ExportArn"]) for one in found]

    def imports(self, table):
        arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}"
        return self.dynamodb.list_imports(TableArn=arn)["ImportSummaryList"]


@pytest.fixture(scope="module")
def cloud(local_stack):
    cloud = Cloud(local_stack)
    cloud.settings(export_seconds=0.5, import_seconds=0.5, shortest_window_seconds=0)
    yield cloud
    cloud.settings()


@pytest.fixture
def harm(cloud, tmp_path):
    """Harm a DAG of one task at all its calls."""

    def harm(make_dag, fresh, check, faults, changes):
        (task_id,) = make_dag("t", "s3://bucket/prefix", deferrable=True).task_ids
        subject = Subject(make_dag, (task_id,))
        Sweep(subject, cloud.environment, tmp_path, fresh, check, changes).run(faults)

    return harm


SLOTS = pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")
EXPORT, IMPORT = "dynamodb:ExportTable", "dynamodb:ImportTable"


@SLOTS
def test_an_export_takes_place_once(cloud, harm, deferrable):
    def fresh():
        return {"table": cloud.table(), "s3_uri": cloud.location(), "deferrable": deferrable}

    def check(arguments, outcome):
        assert outcome.states == {"export": "success"}
        (export,) = cloud.exports(arguments["table"])
        description = export["ExportDescription"]
        assert description["ExportStatus"] == "COMPLETED"
        result = outcome.returned("export")
        assert (result["items"], result["export_arn"]) == (ITEMS, description["ExportArn"])

    harm(export_dag, fresh, check, KILLS, EXPORT)


@SLOTS
def test_an_import_takes_place_once(cloud, harm, deferrable):
    source = cloud.source()

    def fresh():
        return {"table": f"new-{uuid.uuid4()}", "s3_uri": source, "deferrable": deferrable}

    def check(arguments, outcome):
        assert outcome.states == {"import": "success"}
        (only,) = cloud.imports(arguments["table"])
        assert only["ImportStatus"] == "COMPLETED"
        assert outcome.returned("import")["items"] == ITEMS
        assert cloud.dynamodb.scan(TableName=arguments["table"])["Count"] == ITEMS

    harm(import_dag, fresh, check, KILLS, IMPORT)


@pytest.mark.thorough
@SLOTS
def test_a_user_who_ends_an_export_gets_no_second_one(cloud, harm, deferrable):
    def fresh():
        return {"table": cloud.table(), "s3_uri": cloud.location(), "deferrable": deferrable}

    def check(arguments, outcome):
        exports = [export["ExportDescription"] for export in cloud.exports(arguments["table"])]
        marked = outcome.happened and outcome.injection.fault is Fault.MARK_FAILED
        assert outcome.states == {"export": "failed" if marked else "success"}
        # DynamoDB has no call that ends one, so one that has begun goes on.
        assert len(exports) <= 1
        if not marked:
            assert exports[0]["ExportArn"] == outcome.returned("export")["export_arn"]

    harm(export_dag, fresh, check, USER_ACTIONS, EXPORT)
