"""The catalog over HTTP: what only the wire can show."""

import uuid

import boto3
import pytest
from botocore.config import Config

from include.local.gateway.constraints import violations
from tests.integration.datazone_domain import DataZoneDomain
from updraft.hooks.datazone import DataZoneHook
from updraft.hooks.datazone_assets import source_identifiers

pytestmark = pytest.mark.integration


@pytest.fixture
def domain(local_stack):
    return DataZoneDomain(local_stack.endpoint_url)


def test_from_glue_to_a_limited_subscription(domain):
    """Every answer is held against botocore's model on its way."""
    model = domain.datazone.meta.service_model

    def held(operation, **parameters):
        answer = domain.ask(operation, **parameters)
        content = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        shape = model.operation_model(operation).output_shape
        if shape is not None:
            assert set(content) <= set(shape.members), operation
            assert list(violations(shape, content)) == [], operation
        return answer

    run = held("StartDataSourceRun", dataSourceIdentifier=domain.source)
    domain.until(lambda: held("GetDataSourceRun", identifier=run["id"])["status"] == "SUCCESS")
    done = held("ListDataSourceRunActivities", identifier=run["id"])["items"]
    assert {one["technicalName"] for one in done} == {"orders", "reviews"}
    asset = domain.asset("orders")
    limit = held(
        "CreateAssetFilter",
        assetIdentifier=asset,
        name="no prices",
        configuration={"columnConfiguration": {"includedColumnNames": ["id"]}},
    )
    listing = held(
        "CreateListingChangeSet", entityIdentifier=asset, entityType="ASSET", action="PUBLISH"
    )["listingId"]
    domain.until(lambda: held("GetListing", identifier=listing)["status"] == "ACTIVE")
    request = held(
        "CreateSubscriptionRequest",
        subscribedListings=[{"identifier": listing}],
        subscribedPrincipals=[{"project": {"identifier": domain.consumer}}],
        requestReason="campaign",
    )["id"]
    scopes = [{"assetId": asset, "filterIds": [limit["id"]]}]
    held("AcceptSubscriptionRequest", identifier=request, assetScopes=scopes)
    (found,) = held("ListSubscriptions", status="APPROVED", subscribedListingId=listing)["items"]
    assert found["subscribedListing"]["item"]["assetListing"]["assetScope"]["filterIds"]
    with pytest.raises(domain.datazone.exceptions.ConflictException) as caught:
        held("DeleteAssetFilter", assetIdentifier=asset, identifier=limit["id"])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    held("RevokeSubscription", identifier=found["id"])
    held("DeleteAssetFilter", assetIdentifier=asset, identifier=limit["id"])


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        ("create_project", {"name": "a;b"}, "regular expression"),
        ("create_project", {}, "Member must not be null"),
        ("search", {"searchScope": "TABLE"}, "enum value set"),
        ("create_data_product", {"name": "n" * 65, "owningProjectIdentifier": "p"}, "equal to 64"),
    ],
)
def test_what_the_model_forbids_is_refused(local_stack, operation, parameters, message):
    datazone = boto3.client(
        "datazone",
        endpoint_url=local_stack.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )
    with pytest.raises(datazone.exceptions.ValidationException, match=message) as caught:
        getattr(datazone, operation)(domainIdentifier="dzd_a", **parameters)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_lineage_finds_the_assets_of_a_data_source(domain, local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    domain.run()
    found = set(source_identifiers(DataZoneHook(aws_conn_id=None), domain.id))
    glue = "arn:aws:glue:us-east-1:123456789012:table"
    assert found == {f"{glue}/{domain.database}/{table}" for table in ("orders", "reviews")}


def test_history_and_neighbourhood_of_a_lineage_node(domain):
    name = f"dzd_{uuid.uuid4().hex[:20]}"
    domain.post_event(name, "2026-11-23T10:00:00Z", inputs=["raw"], outputs=[])
    domain.post_event(name, "2026-11-23T10:05:00Z", inputs=[], outputs=["clean"])
    client = domain.datazone
    run = client.get_lineage_node(domainIdentifier=name, identifier="s3://lake/raw")[
        "downstreamNodes"
    ][0]["id"]
    about = {"domainIdentifier": name, "identifier": run}
    assert len(client.list_lineage_node_history(**about)["nodes"]) == 2
    (late,) = client.list_lineage_node_history(direction="DOWNSTREAM", **about)["nodes"]
    assert late["eventTimestamp"].minute == 5

    def reached(direction, length):
        match = [
            {"entityPattern": {"entityType": "LINEAGE_NODE", "identifier": "s3://lake/raw"}},
            {
                "relationPattern": {
                    "relationType": "LINEAGE",
                    "relationDirection": direction,
                    "maxPathLength": length,
                }
            },
        ]
        items = client.query_graph(domainIdentifier=name, match=match)["items"]
        return [item["lineageNode"]["typeName"].rsplit(".", 1)[1] for item in items]

    assert reached("OUT", 1) == ["JobRunNodeType"]
    assert reached("OUT", 2) == ["JobRunNodeType", "DatasetNodeType"]
    assert reached("IN", 5) == []
