"""The stand-in for Amazon DataZone without a server: the same checks of each request and answer.

Parameters and answers are held against botocore's model as the gateway and the tests over HTTP do.
"""

from datetime import UTC, datetime, timedelta

import botocore.session
from botocore.validate import ParamValidator

from include.local.gateway.constraints import violations
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import OperationRequest
from include.local.gateway.services.datazone.catalog.operations import CatalogOperations

REGION, ACCOUNT = "us-east-1", "123456789012"


class LocalCatalog:
    """Calls the operations of the catalog, whose clock moves as it is told.

    :param directory: where the catalog is kept.
    :param options: further arguments of the catalog.
    """

    def __init__(self, directory, **options):
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        self.tables = {}
        self.calls = []
        options = {"throttling": False, **options}
        self._model = botocore.session.get_session().get_service_model("datazone")
        self._catalog = CatalogOperations(
            directory, self._read_tables, clock=lambda: self.now, **options
        )

    def __call__(self, operation, **parameters):
        model = self._model.operation_model(operation)
        found = list(violations(model.input_shape, parameters))
        if found:
            raise AwsError("ValidationException", "; ".join(found))
        self.calls.append(operation)
        request = OperationRequest(operation, parameters, REGION, "test")
        answer = self._catalog.operations()[operation](request)
        if model.output_shape is not None:
            assert set(answer) <= set(model.output_shape.members), operation
            report = ParamValidator().validate(answer, model.output_shape)
            assert not report.has_errors(), f"{operation}: {report.generate_report()}"
            assert list(violations(model.output_shape, answer)) == [], operation
        return answer

    def wait(self, seconds=5.0):
        self.now += timedelta(seconds=seconds)

    def close(self):
        self._catalog.close()

    def add_table(self, database, table, *columns):
        described = {
            "Name": table,
            "StorageDescriptor": {
                "Columns": [{"Name": name, "Type": "string"} for name in columns],
                "Location": f"s3://lake/{database}/{table}/",
            },
        }
        self.tables.setdefault(database, {})[table] = described

    def _read_tables(self, region, database):
        assert region == REGION
        if database not in self.tables:
            raise LookupError(f"Database {database} not found.")
        return list(self.tables[database].values())


class Shop:
    """A domain with a project that has a data source over Glue tables, and one that reads."""

    def __init__(self, catalog):
        self.catalog = catalog
        self.domain = catalog("CreateDomain", name="shop", domainExecutionRole=ROLE)["id"]
        self.producer = self.project("Sales producer")
        self.consumer = self.project("Marketing")
        catalog.add_table("salesdb", "orders", "id", "category", "price")
        catalog.add_table("salesdb", "reviews", "id", "text")
        self.source = self.ask(
            "CreateDataSource",
            name="sales-glue",
            projectIdentifier=self.producer,
            type="GLUE",
            configuration={
                "glueRunConfiguration": {
                    "relationalFilterConfigurations": [{"databaseName": "salesdb"}]
                }
            },
        )["id"]
        catalog.wait()

    def ask(self, operation, **parameters):
        return self.catalog(operation, domainIdentifier=self.domain, **parameters)

    def project(self, name):
        return self.ask("CreateProject", name=name)["id"]

    def run(self):
        run = self.ask("StartDataSourceRun", dataSourceIdentifier=self.source)
        self.catalog.wait()
        return self.ask("GetDataSourceRun", identifier=run["id"])

    def asset(self, table):
        found = self.ask(
            "Search", searchScope="ASSET", owningProjectIdentifier=self.producer, searchText=table
        )["items"]
        return found[0]["assetItem"]["identifier"]

    def publish(self, entity, kind="ASSET", action="PUBLISH"):
        listing = self.ask(
            "CreateListingChangeSet", entityIdentifier=entity, entityType=kind, action=action
        )
        self.catalog.wait()
        return listing["listingId"]

    def subscribe(self, listing, project=None):
        return self.ask(
            "CreateSubscriptionRequest",
            subscribedListings=[{"identifier": listing}],
            subscribedPrincipals=[{"project": {"identifier": project or self.consumer}}],
            requestReason="campaign",
        )["id"]


ROLE = f"arn:aws:iam::{ACCOUNT}:role/datazone"
