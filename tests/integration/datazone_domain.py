"""A domain of Amazon DataZone on the local stack with two projects and tables in Glue."""

import json
import time
import uuid

import boto3
from botocore import xform_name

ROLE = "arn:aws:iam::123456789012:role/datazone"
_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"


class DataZoneDomain:
    """What a person has made in the console before any DAG runs.

    :param endpoint_url: address of the local stack.
    """

    def __init__(self, endpoint_url):
        options = {
            "endpoint_url": endpoint_url,
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        self.datazone = boto3.client("datazone", **options)
        self.s3 = boto3.client("s3", **options)
        self._glue = boto3.client("glue", **options)
        made = self.datazone.create_domain(name="shop", domainExecutionRole=ROLE)
        self.id = made["id"]
        self.producer = self.ask("CreateProject", name="Sales producer")["id"]
        self.consumer = self.ask("CreateProject", name="Marketing")["id"]
        self.database = f"sales_{uuid.uuid4().hex[:8]}"
        self.make_database()
        self.source = self.ask(
            "CreateDataSource",
            name="sales-glue",
            projectIdentifier=self.producer,
            type="GLUE",
            configuration={
                "glueRunConfiguration": {
                    "relationalFilterConfigurations": [{"databaseName": self.database}]
                }
            },
        )["id"]
        self.until(lambda: self.ask("GetDataSource", identifier=self.source)["status"] == "READY")

    def ask(self, operation, **parameters):
        call = getattr(self.datazone, xform_name(operation))
        return call(domainIdentifier=self.id, **parameters)

    def until(self, condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it takes too long"
            time.sleep(0.1)

    def make_database(self):
        self._glue.create_database(DatabaseInput={"Name": self.database})
        self.add_table("orders", "id", "category", "price")
        self.add_table("reviews", "id", "text")

    def drop_database(self):
        self._glue.delete_database(Name=self.database)

    def add_table(self, name, *columns):
        storage = {
            "Columns": [{"Name": column, "Type": "string"} for column in columns],
            "Location": f"s3://lake/{self.database}/{name}/",
        }
        table = {"Name": name, "StorageDescriptor": storage}
        self._glue.create_table(DatabaseName=self.database, TableInput=table)

    def run(self):
        run = self.ask("StartDataSourceRun", dataSourceIdentifier=self.source)["id"]
        self.until(lambda: self.ask("GetDataSourceRun", identifier=run)["status"] == "SUCCESS")

    def runs(self):
        return self.ask("ListDataSourceRuns", dataSourceIdentifier=self.source)["items"]

    def asset(self, name):
        return self.assets()[name]["identifier"]

    def assets(self):
        found = self.ask("Search", searchScope="ASSET", owningProjectIdentifier=self.producer)[
            "items"
        ]
        return {
            item["assetItem"]["externalIdentifier"].rsplit("/", 1)[-1]: item["assetItem"]
            for item in found
        }

    def listing(self, table):
        return self.ask("GetAsset", identifier=self.asset(table)).get("listing")

    def subscribe(self, table):
        return self.ask(
            "CreateSubscriptionRequest",
            subscribedListings=[{"identifier": self.listing(table)["listingId"]}],
            subscribedPrincipals=[{"project": {"identifier": self.consumer}}],
            requestReason="campaign",
        )["id"]

    def post_event(self, domain, moment, inputs, outputs):
        def datasets(names):
            return [{"namespace": "s3://lake", "name": name} for name in names]

        event = {
            "eventType": "RUNNING",
            "eventTime": moment,
            "producer": "https://example.com/test",
            "schemaURL": _SCHEMA,
            "run": {"runId": "01941f29-7c00-7087-8940-40e5d762e32d"},
            "job": {"namespace": "airflow", "name": "clean"},
            "inputs": datasets(inputs),
            "outputs": datasets(outputs),
        }
        self.datazone.post_lineage_event(domainIdentifier=domain, event=json.dumps(event).encode())
