"""Catalog tasks, harmed at every call of AWS: the catalog becomes what the file declares, once."""

import uuid

import pytest

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_sweep import IS_FULL, KILLS, USER_ACTIONS, WAYS, Sweep
from tests.integration.datazone_domain import DataZoneDomain
from updraft.compat import DAG
from updraft.operators.catalog_data_source import CatalogDataSourceOperator
from updraft.operators.catalog_publish import CatalogPublishOperator

pytestmark = pytest.mark.integration

RUN = r"datazone:POST .*/runs$"
CHANGES = r"datazone:(POST|PUT) .*/(filters|revisions|data-products|change-set|accept)$"
if not IS_FULL:  # unit tests end the publisher after each of the others
    CHANGES = r"datazone:(POST|PUT) .*/(filters|data-products|accept)$"
FILE = """\
project: Sales producer
assets:
  - asset: {database}.orders
    name: Orders
    filters: [{{name: no prices, columns: [id]}}]
data_products:
  - {{name: Sales, assets: [{database}.orders]}}
subscriptions:
  - {{asset: {database}.orders, subscriber: Marketing, decision: approve, filters: [no prices]}}
"""


def source_dag(domain_id, deferrable):
    with DAG("crash", schedule=None) as dag:
        CatalogDataSourceOperator(
            task_id="run",
            domain_id=domain_id,
            project="Sales producer",
            data_source="sales-glue",
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
        )
    return dag


def publish_dag(domain_id, file):
    with DAG("crash", schedule=None) as dag:
        CatalogPublishOperator(task_id="run", domain_id=domain_id, file=file, aws_conn_id=None)
    return dag


@pytest.fixture
def domains(local_stack):
    """Domains by id: each run has one of its own."""
    made = {}

    def make():
        domain = DataZoneDomain(local_stack.endpoint_url)
        made[domain.id] = domain
        return domain

    make.made = made
    return make


@pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(KILLS, id="killed"),
        pytest.param(USER_ACTIONS, marks=pytest.mark.thorough, id="by a user"),
    ],
)
def test_a_data_source_runs_once(domains, local_stack, tmp_path, deferrable, faults):
    def fresh():
        return {"domain_id": domains().id, "deferrable": deferrable}

    def check(arguments, outcome):
        domain = domains.made[arguments["domain_id"]]
        runs = len(domain.runs())
        if faults is KILLS:
            assert outcome.states == {"run": "success"}
            assert runs == 1
        if outcome.states["run"] == "success":
            assert set(domain.assets()) == {"orders", "reviews"}
        assert runs <= 1 + outcome.happened

    subject = Subject(source_dag, ("run",))
    Sweep(subject, local_stack.environment, tmp_path, fresh, check, RUN).run(faults)


@pytest.mark.thorough  # unit tests stop it after each change, too
def test_what_is_declared_is_published_once(domains, local_stack, tmp_path):
    def fresh():
        domain = domains()
        domain.run()
        listing = domain.ask(
            "CreateListingChangeSet",
            entityIdentifier=domain.asset("orders"),
            entityType="ASSET",
            action="PUBLISH",
        )["listingId"]
        domain.until(lambda: domain.ask("GetListing", identifier=listing)["status"] == "ACTIVE")
        domain.subscribe("orders")
        bucket = f"catalog-{uuid.uuid4().hex[:12]}"
        domain.s3.create_bucket(Bucket=bucket)
        body = FILE.format(database=domain.database).encode()
        domain.s3.put_object(Bucket=bucket, Key="sales.yaml", Body=body)
        return {"domain_id": domain.id, "file": f"s3://{bucket}/sales.yaml"}

    def check(arguments, outcome):
        assert outcome.states == {"run": "success"}
        domain = domains.made[arguments["domain_id"]]
        asset = domain.ask("GetAsset", identifier=domain.asset("orders"))
        assert (asset["name"], asset["revision"]) == ("Orders", "2")
        filters = domain.ask("ListAssetFilters", assetIdentifier=asset["id"])["items"]
        assert [one["name"] for one in filters] == ["no prices"]
        mine = {"owningProjectIdentifier": domain.producer}
        (product,) = domain.ask("Search", searchScope="DATA_PRODUCT", **mine)["items"]
        key = product["dataProductItem"]["id"]
        assert domain.ask("GetDataProduct", identifier=key)["revision"] == "1"
        listed = domain.ask("SearchListings")["items"]
        assert len(listed) == 2
        (granted,) = domain.ask("ListSubscriptions")["items"]
        item = granted["subscribedListing"]["item"]["assetListing"]
        assert item["assetScope"]["filterIds"] == [filters[0]["id"]]

    subject = Subject(publish_dag, ("run",))
    faults = KILLS if IS_FULL else KILLS[1:2]
    Sweep(subject, local_stack.environment, tmp_path, fresh, check, CHANGES).run(faults)
