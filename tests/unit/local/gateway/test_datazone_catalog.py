"""What the stand-in for Amazon DataZone does, and what it refuses."""

import json

import pytest

from include.local.gateway.errors import AwsError
from tests.unit.local.gateway.datazone_catalog import LocalCatalog, Shop
from updraft.lineage.catalog_names import rename_dataset
from updraft.lineage.naming import DatasetName


@pytest.fixture
def shop(tmp_path):
    catalog = LocalCatalog(tmp_path)
    yield Shop(catalog)
    catalog.close()


def refused(code, call, *arguments, **parameters):
    with pytest.raises(AwsError) as caught:
        call(*arguments, **parameters)
    assert caught.value.code == code, caught.value.message
    return caught.value.message


def row(column, value):
    expression = {"equalTo": {"columnName": column, "value": value}}
    return {"rowConfiguration": {"rowFilter": {"expression": expression}}}


def columns(*names):
    return {"columnConfiguration": {"includedColumnNames": list(names)}}


def test_a_run_takes_its_time_and_makes_assets_of_the_tables(shop):
    run = shop.ask("StartDataSourceRun", dataSourceIdentifier=shop.source)
    assert run["status"] == "REQUESTED"
    assert shop.ask("GetDataSource", identifier=shop.source)["status"] == "RUNNING"
    shop.catalog.wait(0.5)
    assert shop.ask("GetDataSourceRun", identifier=run["id"])["status"] == "RUNNING"
    message = refused(
        "ConflictException", shop.ask, "StartDataSourceRun", dataSourceIdentifier=shop.source
    )
    assert "RUNNING, not READY" in message
    shop.catalog.wait()
    done = shop.ask("GetDataSourceRun", identifier=run["id"])
    assert done["status"] == "SUCCESS"
    assert done["runStatisticsForAssets"]["added"] == 2
    asset = shop.ask("GetAsset", identifier=shop.asset("orders"))
    forms = {form["formName"]: json.loads(form["content"]) for form in asset["formsOutput"]}
    arn = "arn:aws:glue:us-east-1:123456789012:table/salesdb/orders"
    assert forms["AssetCommonDetailsForm"]["sourceIdentifier"] == asset["externalIdentifier"] == arn
    # Where the forwarder sends the lineage of that table.
    table = DatasetName("arn:aws:glue:us-east-1:123456789012", "table/salesdb/orders")
    assert "/".join(rename_dataset(table)) == arn
    names = [column["columnName"] for column in forms["GlueTableForm"]["columns"]]
    assert names == ["id", "category", "price"]


def test_the_next_run_revises_what_changed_and_keeps_what_people_wrote(shop):
    shop.run()
    key = shop.asset("orders")
    before = shop.ask("GetAsset", identifier=key)
    forms = [
        {"formName": form["formName"], "typeIdentifier": form["typeName"], **form}
        for form in before["formsOutput"]
    ]
    given = [{k: form[k] for k in ("formName", "typeIdentifier", "content")} for form in forms]
    shop.ask("CreateAssetRevision", identifier=key, name="Orders", formsInput=given)
    assert shop.run()["runStatisticsForAssets"]["unchanged"] == 2
    shop.catalog.add_table("salesdb", "orders", "id")
    statistics = shop.run()["runStatisticsForAssets"]
    assert (statistics["updated"], statistics["unchanged"]) == (1, 1)
    asset = shop.ask("GetAsset", identifier=key)
    assert (asset["name"], asset["revision"]) == ("Orders", "3")
    revisions = shop.ask("ListAssetRevisions", identifier=key)["items"]
    assert [one["revision"] for one in revisions] == ["3", "2", "1"]


def test_a_run_over_a_database_that_is_gone_fails(shop):
    shop.catalog.tables.clear()
    run = shop.run()
    assert run["status"] == "FAILED"
    assert run["errorMessage"]["errorType"] == "RESOURCE_NOT_FOUND_EXCEPTION"
    (listed,) = shop.ask("ListDataSourceRuns", dataSourceIdentifier=shop.source)["items"]
    assert listed["status"] == "FAILED"
    assert shop.ask("ListDataSources", projectIdentifier=shop.producer)["items"][0][
        "lastRunErrorMessage"
    ]


def test_runs_have_a_quota_and_remember_their_token(shop):
    first = shop.ask("StartDataSourceRun", dataSourceIdentifier=shop.source, clientToken="a")
    shop.catalog.wait()
    again = shop.ask("StartDataSourceRun", dataSourceIdentifier=shop.source, clientToken="a")
    assert again["id"] == first["id"]
    assert again["status"] == "SUCCESS"
    for _ in range(24):
        shop.run()
    message = refused(
        "ServiceQuotaExceededException",
        shop.ask,
        "StartDataSourceRun",
        dataSourceIdentifier=shop.source,
    )
    assert "25 times" in message
    shop.catalog.wait(86_400)
    assert shop.run()["status"] == "SUCCESS"


def test_all_of_it_survives_the_process(shop, tmp_path):
    run = shop.ask("StartDataSourceRun", dataSourceIdentifier=shop.source, clientToken="a")
    shop.catalog.close()
    again = LocalCatalog(tmp_path)
    again.tables, again.now = shop.catalog.tables, shop.catalog.now
    again.wait()
    shop.catalog = again
    answer = shop.ask("StartDataSourceRun", dataSourceIdentifier=shop.source, clientToken="a")
    assert (answer["id"], answer["status"]) == (run["id"], "SUCCESS")
    assert shop.asset("reviews")


def test_a_token_stands_for_one_request(shop):
    made = shop.ask("CreateProject", name="A")
    assert shop.ask("GetProject", identifier=made["id"])["name"] == "A"
    product = {"name": "P", "owningProjectIdentifier": shop.producer, "clientToken": "t"}
    first = shop.ask("CreateDataProduct", **product)
    assert shop.ask("CreateDataProduct", **product) == first
    refused("ConflictException", shop.ask, "CreateDataProduct", **{**product, "name": "Q"})


def test_a_listing_is_created_active_and_taken_out(shop):
    shop.run()
    key = shop.asset("orders")
    answer = shop.ask(
        "CreateListingChangeSet", entityIdentifier=key, entityType="ASSET", action="PUBLISH"
    )
    assert answer["status"] == "CREATING"
    assert shop.ask("SearchListings", searchText="orders")["items"] == []
    shop.catalog.wait()
    listing = shop.ask("GetListing", identifier=answer["listingId"])
    assert listing["status"] == "ACTIVE"
    assert listing["item"]["assetListing"]["assetRevision"] == "1"
    (found,) = shop.ask("SearchListings", searchText="orders")["items"]
    assert found["assetListing"]["entityId"] == key
    assert shop.ask("GetAsset", identifier=key)["listing"]["listingStatus"] == "ACTIVE"
    assert shop.publish(key) == answer["listingId"]
    assert shop.ask("GetListing", identifier=answer["listingId"])["listingRevision"] == "1"
    shop.publish(key, action="UNPUBLISH")
    assert shop.ask("GetListing", identifier=answer["listingId"])["status"] == "INACTIVE"
    refused("ConflictException", shop.publish, key, action="UNPUBLISH")
    refused("ResourceNotFoundException", shop.publish, "nothing")


def test_filters_are_checked_against_the_columns(shop):
    shop.run()
    key = shop.asset("orders")

    def make(name, configuration):
        return shop.ask(
            "CreateAssetFilter", assetIdentifier=key, name=name, configuration=configuration
        )

    laptops = make("Laptops", row("category", "it's"))
    assert laptops["effectiveRowFilter"] == "\"category\" = 'it''s'"
    assert make("no prices", columns("id"))["effectiveColumnNames"] == ["id"]
    refused("ConflictException", make, "Laptops", columns("id"))
    assert "no column cost" in refused("ValidationException", make, "x", columns("cost"))
    refused("ValidationException", make, "x", {**row("id", "1"), **columns("id")})
    empty = {"rowConfiguration": {"rowFilter": {"and": []}}}
    refused("ValidationException", make, "x", empty)
    refused("ValidationException", make, "x;y", columns("id"))
    refused(
        "ValidationException",
        shop.ask,
        "UpdateAssetFilter",
        assetIdentifier=key,
        identifier=laptops["id"],
        configuration=columns("id"),
    )
    shop.catalog.add_table("salesdb", "orders", "id")
    shop.run()
    found = shop.ask("ListAssetFilters", assetIdentifier=key, status="INVALID")["items"]
    assert [one["name"] for one in found] == ["Laptops"]
    shop.ask("DeleteAssetFilter", assetIdentifier=key, identifier=laptops["id"])
    refused(
        "ResourceNotFoundException",
        shop.ask,
        "GetAssetFilter",
        assetIdentifier=key,
        identifier=laptops["id"],
    )


def test_a_data_product_holds_assets_of_its_project(shop):
    shop.run()
    orders, reviews = shop.asset("orders"), shop.asset("reviews")

    def items(*assets):
        return [{"itemType": "ASSET", "identifier": asset} for asset in assets]

    made = shop.ask(
        "CreateDataProduct",
        name="Sales",
        owningProjectIdentifier=shop.producer,
        items=items(orders, reviews),
    )
    assert [item["revision"] for item in made["items"]] == ["1", "1"]
    key = made["id"]
    revised = {"identifier": key, "name": "Sales"}
    refused(
        "ValidationException",
        shop.ask,
        "CreateDataProductRevision",
        **revised,
        items=items(orders, orders),
    )
    shop.ask("CreateDataProductRevision", **revised, items=items(orders))
    assert len(shop.ask("GetDataProduct", identifier=key)["items"]) == 1
    assert len(shop.ask("GetDataProduct", identifier=key, revision="1")["items"]) == 2
    listing = shop.publish(key, "DATA_PRODUCT")
    item = shop.ask("GetListing", identifier=listing)["item"]["dataProductListing"]
    assert item["dataProductRevision"] == "2"
    empty = shop.ask("CreateDataProduct", name="E", owningProjectIdentifier=shop.producer)["id"]
    refused("ValidationException", shop.publish, empty, "DATA_PRODUCT")


def test_a_subscription_from_request_to_revocation(shop):
    shop.run()
    key = shop.asset("orders")
    listing = shop.publish(key)
    limit = shop.ask(
        "CreateAssetFilter", assetIdentifier=key, name="F", configuration=columns("id")
    )["id"]
    refused("ValidationException", shop.subscribe, listing, shop.producer)
    request = shop.subscribe(listing)
    refused("ConflictException", shop.subscribe, listing)
    scopes = [{"assetId": key, "filterIds": [limit]}]
    wrong = [{"assetId": shop.asset("reviews"), "filterIds": [limit]}]
    accept = {"identifier": request, "decisionComment": "fine"}
    refused(
        "ValidationException", shop.ask, "AcceptSubscriptionRequest", **accept, assetScopes=wrong
    )
    done = shop.ask("AcceptSubscriptionRequest", **accept, assetScopes=scopes)
    assert done["status"] == "ACCEPTED"
    refused("ConflictException", shop.ask, "RejectSubscriptionRequest", identifier=request)
    mine = {"approverProjectId": shop.producer, "subscribedListingId": listing}
    (subscription,) = shop.ask("ListSubscriptions", status="APPROVED", **mine)["items"]
    scope = subscription["subscribedListing"]["item"]["assetListing"]["assetScope"]
    assert scope["filterIds"] == [limit]
    refused(
        "ConflictException",
        shop.ask,
        "DeleteAssetFilter",
        assetIdentifier=key,
        identifier=limit,
    )
    # A further request of the same project changes the subscription it has.
    again = shop.subscribe(listing)
    shop.ask("AcceptSubscriptionRequest", identifier=again)
    (same,) = shop.ask("ListSubscriptions", **mine)["items"]
    assert same["id"] == subscription["id"]
    assert "assetScope" not in same["subscribedListing"]["item"]["assetListing"]
    shop.ask("RevokeSubscription", identifier=same["id"])
    refused("ConflictException", shop.ask, "CancelSubscription", identifier=same["id"])
    assert shop.ask("GetSubscription", identifier=same["id"])["status"] == "REVOKED"
    assert shop.ask("ListSubscriptionRequests", status="PENDING", **mine)["items"] == []


def test_pages_and_filters_of_a_search(shop):
    shop.run()
    scope = {"searchScope": "ASSET", "owningProjectIdentifier": shop.producer}
    first = shop.ask("Search", maxResults=1, **scope)
    second = shop.ask("Search", maxResults=1, nextToken=first["nextToken"], **scope)
    assert "nextToken" not in second
    names = {page["items"][0]["assetItem"]["name"] for page in (first, second)}
    assert names == {"orders", "reviews"}
    chosen = {"filter": {"attribute": "name", "value": "orders"}}
    assert shop.ask("Search", filters=chosen, **scope)["totalMatchCount"] == 1
    unknown = {"filter": {"attribute": "colour", "value": "red"}}
    refused("ValidationException", shop.ask, "Search", filters=unknown, **scope)
    refused("ValidationException", shop.ask, "Search", nextToken="x", **scope)
    refused("ResourceNotFoundException", shop.catalog, "ListProjects", domainIdentifier="dzd-no")


def test_quotas_of_requests(tmp_path):
    catalog = LocalCatalog(tmp_path, throttling=True)
    domain = catalog(
        "CreateDomain", name="d", domainExecutionRole="arn:aws:iam::123456789012:role/r"
    )
    for _ in range(8):
        catalog("ListSubscriptions", domainIdentifier=domain["id"])
    with pytest.raises(AwsError, match="8 requests per second") as caught:
        catalog("ListSubscriptions", domainIdentifier=domain["id"])
    assert (caught.value.code, caught.value.status) == ("ThrottlingException", 429)
    catalog.close()
