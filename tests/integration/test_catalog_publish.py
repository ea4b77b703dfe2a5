"""The end of a pipeline: tables become assets that can be found, by operators and by the DAG."""

import uuid

import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from tests.integration.datazone_domain import DataZoneDomain
from tests.integration.glue_tasks import finish, finish_counting, task_context
from tests.integration.permission_proxy import Policy, permission_proxy
from updraft.datazone import publishing
from updraft.operators.catalog_data_source import CatalogDataSourceOperator
from updraft.operators.catalog_publish import CatalogFileOperator, CatalogPublishOperator

pytestmark = pytest.mark.integration

FILE = """\
project: Sales producer
data_sources: [sales-glue]
prune: true
assets:
  - asset: {database}.orders
    name: Orders
    filters:
      - {{name: Laptops, rows: {{column: category, value: {category}}}}}
  - {{asset: "s3://lake/{database}", type: S3Folder, publish: {publish}}}
data_products:
  - {{name: Sales, assets: [{assets}]}}
subscriptions:
  - {{asset: {database}.orders, subscriber: Marketing, decision: {decision}{grants}}}
"""


@pytest.fixture
def domain(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    domain = DataZoneDomain(local_stack.endpoint_url)
    domain.bucket = f"catalog-{uuid.uuid4().hex[:12]}"
    domain.s3.create_bucket(Bucket=domain.bucket)
    return domain


def write(domain, text, **changes):
    values = {
        "database": domain.database,
        "category": "Laptops",
        "publish": "true",
        "decision": "approve",
        "grants": "",
        "assets": f"{domain.database}.orders, {domain.database}.reviews",
        **changes,
    }
    body = text.format(**values).encode()
    domain.s3.put_object(Bucket=domain.bucket, Key="catalog.yaml", Body=body)
    return f"s3://{domain.bucket}/catalog.yaml"


def source_task(domain, **arguments):
    given = {"project": "Sales producer", "data_source": "sales-glue", **arguments}
    return CatalogDataSourceOperator(
        task_id="work", domain_id=domain.id, aws_conn_id=None, poll_interval=1, **given
    )


def test_a_retry_adopts_the_run_and_a_cleared_task_begins_another(domain):
    result, deferrals = finish_counting(source_task(domain), task_context("one"))
    assert (result["status"], result["added"], deferrals) == ("SUCCESS", 2, 1)
    again = finish(source_task(domain, deferrable=False), task_context("one", 2))
    assert again["run_id"] == result["run_id"]
    cleared = finish(source_task(domain), task_context("one", 3, max_tries=4))
    assert cleared["unchanged"] == 2
    assert len(domain.runs()) == 2


def test_a_run_of_somebody_else_is_waited_for(domain):
    other = domain.ask("StartDataSourceRun", dataSourceIdentifier=domain.source)["id"]
    result = finish(source_task(domain), task_context("one"))
    assert result["run_id"] != other
    assert (result["unchanged"], len(domain.runs())) == (2, 2)


def test_after_a_run_that_failed_a_retry_begins_another(domain):
    domain.drop_database()
    with pytest.raises(AirflowException, match=r"ended as FAILED: Database .* not found"):
        finish(source_task(domain), task_context("one"))
    domain.make_database()
    assert finish(source_task(domain), task_context("one", 2))["status"] == "SUCCESS"
    assert [run["status"] for run in domain.runs()] == ["SUCCESS", "FAILED"]


def test_a_name_that_is_wrong_is_named_and_not_tried_again(domain):
    with pytest.raises(AirflowFailException, match="did you mean 'sales-glue'"):
        finish(source_task(domain, data_source="sales-gleu"), task_context("one"))
    with pytest.raises(AirflowFailException, match="'sales' is not the id of a DataZone domain"):
        CatalogPublishOperator(
            task_id="work", file=write(domain, FILE), domain_id="sales", aws_conn_id=None
        ).execute(task_context("one"))


@pytest.mark.thorough
def test_the_policy_allows_what_is_needed_and_nothing_else(domain, local_stack, monkeypatch):
    policy = Policy(
        "catalog-publish",
        domain_arn=f"arn:aws:datazone:us-east-1:123456789012:domain/{domain.id}",
        file_arn=f"arn:aws:s3:::{domain.bucket}/catalog.yaml",
    )

    place = domain.ask("CreateEnvironment", name="lab", projectIdentifier=domain.consumer)["id"]
    grants = f", grants: [{{environment: {place}}}]"

    def publish(run_id, **changes):
        file = write(domain, FILE, grants=grants, **changes)
        where = {"file": file, "domain_id": domain.id, "aws_conn_id": None, "task_id": "work"}
        for arguments in CatalogFileOperator(**where).execute(task_context(run_id)):
            finish(source_task(domain, **arguments), task_context(run_id))
        return CatalogPublishOperator(**where).execute(task_context(run_id))

    with (
        permission_proxy(local_stack.endpoint_url, policy) as proxy,
        monkeypatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL", proxy.url)
        patch.setattr(publishing, "_PAUSE", 0.2)
        first = publish("one")
        assert first["applied"]
        assert "has to ask" in first["notes"][0]
        domain.subscribe("orders")
        # Changes that need each of the rest: a filter, an asset less, two decisions, a grant that
        # is made and taken back, a failed run.
        assert (
            publish("two", category="Servers", assets=f"{domain.database}.orders")["changes"] == 5
        )
        domain.subscribe("orders")
        assert (
            publish(
                "three",
                category="Servers",
                assets=f"{domain.database}.orders",
                publish="false",
                decision="revoke",
            )["changes"]
            == 4
        )
        less = FILE.split("    filters", maxsplit=1)[0] + "    filters: []\n"
        write(domain, less)
        done = CatalogPublishOperator(
            task_id="work",
            file=f"s3://{domain.bucket}/catalog.yaml",
            domain_id=domain.id,
            aws_conn_id=None,
        ).execute(task_context("four"))
        assert done["lines"] == [f"delete filter 'Laptops' of {domain.database}.orders"]
        domain.ask("StartDataSourceRun", dataSourceIdentifier=domain.source)
        finish(source_task(domain), task_context("five"))
        domain.drop_database()
        with pytest.raises(AirflowException, match="ended as FAILED"):
            finish(source_task(domain), task_context("six"))
        assert proxy.denied == []
        assert proxy.used == policy.actions


def test_by_form(dag_runs, domain):
    form = {"file": write(domain, FILE), "domain_id": domain.id}
    domain.run()
    planned = dag_runs.run("catalog_publish", {**form, "plan": True})
    states = {"read_file": "success", "run_data_source": "skipped", "publish": "success"}
    assert planned.states == states, planned.output[-3000:]
    assert f"filter 'Laptops' of {domain.database}.orders" in planned.output
    assert domain.listing("orders") is None
    assert len(domain.runs()) == 1

    done = dag_runs.run("catalog_publish", form)
    states = {"read_file": "success", "run_data_source[0]": "success", "publish": "success"}
    assert done.states == states, done.output[-3000:]
    assert domain.listing("orders")["listingStatus"] == "ACTIVE"
    assert domain.assets()["orders"]["name"] == "Orders"
    assert len(domain.runs()) == 2
