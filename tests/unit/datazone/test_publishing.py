"""Plans and applications against the stand-in, which checks each request by AWS's model."""

import json

import pytest

from tests.unit.datazone.local_domain import Killed, LocalDomain
from tests.unit.local.gateway.datazone_catalog import LocalCatalog, Shop
from updraft.datazone import publishing
from updraft.datazone.changes import table
from updraft.datazone.declaration_file import read_declaration
from updraft.datazone.publishing import Publisher
from updraft.errors import PermanentError, UpdraftError

FILE = """\
project: Sales producer
assets:
  - asset: salesdb.orders
    name: Orders
    description: All orders.
    filters:
      - {name: Laptops, description: d, rows: {column: category, value: Laptops}}
      - {name: no prices, columns: [id, category]}
  - {asset: salesdb.reviews, publish: false}
  - {asset: "s3://lake/raw", type: S3Folder, name: Raw}
data_products:
  - {name: Sales, description: For campaigns., assets: [salesdb.orders, salesdb.reviews]}
"""
APPROVED = """
subscriptions:
  - asset: salesdb.orders
    subscriber: Marketing
    decision: approve
    comment: fine
    filters: [Laptops, no prices]
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    yield (shop := make_shop(tmp_path, monkeypatch))
    shop.catalog.close()


def make_shop(directory, monkeypatch):
    shop = Shop(LocalCatalog(directory))
    shop.run()
    monkeypatch.setattr(publishing.time, "sleep", shop.catalog.wait)
    return shop


def publisher(shop, text=FILE, salt="task", **options):
    return Publisher(LocalDomain(shop, **options), read_declaration(text, "f"), salt)


def apply(shop, text=FILE, salt="task"):
    return [str(change) for change in publisher(shop, text, salt).apply().changes]


def state(shop):
    """All that a person sees: without identifiers, revisions and times."""
    found = {}
    for item in shop.ask("Search", searchScope="ASSET")["items"]:
        asset = shop.ask("GetAsset", identifier=item["assetItem"]["identifier"])
        filters = shop.ask("ListAssetFilters", assetIdentifier=asset["id"])["items"]
        found[asset["externalIdentifier"]] = (
            asset["name"],
            asset.get("description"),
            asset.get("listing", {}).get("listingStatus"),
            sorted(one["name"] for one in filters),
        )
    products = shop.ask("Search", searchScope="DATA_PRODUCT")["items"]
    for item in products:
        product = shop.ask("GetDataProduct", identifier=item["dataProductItem"]["id"])
        assert product["name"] not in found, "it is there twice"
        found[product["name"]] = len(product["items"])
    listed = shop.ask("SearchListings")["items"]
    found["listed"] = sorted(next(iter(one.values()))["name"] for one in listed)
    subscriptions = shop.ask("ListSubscriptions")["items"]
    found["subscriptions"] = sorted(one["status"] for one in subscriptions)
    return found


def test_a_plan_changes_nothing_and_shows_what_apply_does(shop):
    before = state(shop)
    planned = publisher(shop).plan()
    assert state(shop) == before
    lines = [str(change) for change in planned.changes]
    assert lines == [
        "revise asset salesdb.orders: name 'orders' -> 'Orders'; description '' -> 'All orders.'",
        "create asset s3://lake/raw: type S3Folder",
        "create filter 'Laptops' of salesdb.orders: rows category = Laptops",
        "create filter 'no prices' of salesdb.orders: columns id, category",
        "publish asset salesdb.orders",
        "publish asset s3://lake/raw",
        "create data product Sales: assets salesdb.orders, salesdb.reviews",
        "publish data product Sales",
    ]
    shown = table(planned.changes)
    assert shown[0].split() == ["change", "of", "details"]
    assert len(shown) == len(lines) + 2
    assert apply(shop) == lines
    assert state(shop)["listed"] == ["Orders", "Raw", "Sales"]


def test_a_second_time_changes_nothing(shop):
    apply(shop)
    revision = shop.ask("GetAsset", identifier=shop.asset("orders"))["revision"]
    assert publisher(shop).plan().changes == []
    assert apply(shop, salt="another run") == []
    assert shop.ask("GetAsset", identifier=shop.asset("orders"))["revision"] == revision


def test_killed_after_any_change_the_next_attempt_does_the_rest(tmp_path, monkeypatch):
    def shop_with_a_request(name):
        shop = make_shop(tmp_path / name, monkeypatch)
        shop.subscribe(shop.publish(shop.asset("orders")))
        return shop

    undisturbed = shop_with_a_request("undisturbed")
    wanted = LocalDomain(undisturbed)
    Publisher(wanted, read_declaration(FILE + APPROVED, "f"), "task").apply()
    assert "AcceptSubscriptionRequest" in wanted.changes
    assert len(wanted.changes) >= 9
    for number in range(len(wanted.changes)):
        shop = shop_with_a_request(str(number))
        with pytest.raises(Killed):
            publisher(shop, FILE + APPROVED, killed_at=number).apply()
        publisher(shop, FILE + APPROVED).apply()
        assert state(shop) == state(undisturbed), wanted.changes[number]
        shop.catalog.close()
    undisturbed.catalog.close()


def test_an_index_that_is_behind_makes_nothing_twice(shop, monkeypatch):
    """What was just made is not found by a search, in this attempt or the next one."""
    real = LocalDomain.request

    def behind(self, operation, resource, **parameters):
        answer = real(self, operation, resource, **parameters)
        if operation == "Search":
            kept = [one for one in answer["items"] if "Raw" not in str(one)]
            return {**answer, "items": [one for one in kept if "dataProductItem" not in one]}
        if operation == "SearchListings":
            return {**answer, "items": []}
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(LocalDomain, "request", behind)
        publisher(shop).apply()
        publisher(shop).apply()
    assert state(shop)["Sales"] == 2
    assert publisher(shop).plan().changes == []


def test_forms_keep_what_is_not_spoken_of(shop):
    key = shop.asset("orders")

    def form(content):
        forms = f"[{{name: Owner, type: OwnerType, content: {content}}}]"
        return f"project: Sales producer\nassets: [{{asset: salesdb.orders, forms: {forms}}}]\n"

    apply(shop, form("{team: sales, level: 1}"))
    assert "revise asset salesdb.orders: form Owner: level" in apply(shop, form("{level: 2}"))
    forms = {
        one["formName"]: json.loads(one["content"])
        for one in shop.ask("GetAsset", identifier=key)["formsOutput"]
    }
    assert forms["Owner"] == {"team": "sales", "level": 2}
    assert len(forms["GlueTableForm"]["columns"]) == 3
    without_type = form("{level: 3}").replace(" type: OwnerType,", "").replace("Owner,", "New,")
    with pytest.raises(PermanentError, match="form 'New' is not there yet, so it needs a 'type'"):
        apply(shop, without_type)


def test_a_filter_is_changed_but_not_into_another_kind(shop):
    apply(shop)
    lines = apply(shop, FILE.replace("value: Laptops", "value: Servers"))
    assert lines == ["change filter 'Laptops' of salesdb.orders: rows category = Servers"]
    other = FILE.replace("rows: {column: category, value: Laptops}", "columns: [id]")
    with pytest.raises(PermanentError, match="can't become one of columns"):
        apply(shop, other)


def test_new_columns_are_published_with_asset_and_product(shop):
    apply(shop)
    shop.catalog.add_table("salesdb", "orders", "id", "category", "price", "colour")
    shop.run()
    assert apply(shop, salt="next run") == [
        "publish asset salesdb.orders: new revision",
        "revise data product Sales: new revision of salesdb.orders",
        "publish data product Sales: new revision",
    ]


def test_an_asset_leaves_a_product(shop):
    apply(shop)
    lines = apply(shop, FILE.replace(", salesdb.reviews]", "]"))
    assert lines[0] == "revise data product Sales: - salesdb.reviews"
    assert state(shop)["Sales"] == 1


def test_nothing_is_taken_back_unless_asked_for(shop):
    apply(shop, FILE + APPROVED)
    shop.subscribe(shop.ask("GetAsset", identifier=shop.asset("orders"))["listing"]["listingId"])
    apply(shop, FILE + APPROVED)
    before = state(shop)
    smaller = """\
project: Sales producer
assets: [{asset: salesdb.orders, filters: []}]
data_products: []
"""
    assert apply(shop, smaller) == []
    assert state(shop) == before
    # A filter that limits a subscription has to stay as long as that is not spoken of.
    with pytest.raises(UpdraftError, match="limits subscription"):
        apply(shop, f"{smaller}prune: true\n")
    lines = apply(shop, f"{smaller}subscriptions: []\nprune: true\n", salt="later")
    assert lines == [
        "revoke subscription of Marketing to asset salesdb.orders",
        "delete filter 'Laptops' of salesdb.orders",
        "delete filter 'no prices' of salesdb.orders",
        "unpublish asset s3://lake/raw",
        "unpublish data product Sales",
    ]
    again = state(shop)
    assert again["subscriptions"] == ["REVOKED"]
    assert again["listed"] == ["Orders"]
    # What was taken back is made again, though the requests are those of before.
    apply(shop, FILE, salt="after that")
    assert state(shop)["listed"] == ["Orders", "Raw", "Sales"]


def test_decisions_about_subscriptions(shop):
    publish = FILE.replace("publish: false", "publish: true")
    unasked = publisher(shop, publish + APPROVED).plan()
    assert "is not published yet" in unasked.notes[0]
    apply(shop, publish)
    listing = shop.ask("GetAsset", identifier=shop.asset("orders"))["listing"]["listingId"]
    assert "has to ask" in publisher(shop, publish + APPROVED).plan().notes[0]
    shop.subscribe(listing)
    (line,) = apply(shop, publish + APPROVED)
    assert line.endswith("asset salesdb.orders: filters Laptops, no prices")
    (found,) = shop.ask("ListSubscriptions", status="APPROVED")["items"]
    scope = found["subscribedListing"]["item"]["assetListing"]["assetScope"]
    assert len(scope["filterIds"]) == 2
    fewer = publish + APPROVED.replace("[Laptops, no prices]", "[Laptops]")
    assert "only a new request" in publisher(shop, fewer).plan().notes[0]
    shop.subscribe(listing)
    assert len(apply(shop, fewer)) == 1
    assert publisher(shop, fewer).plan().notes == []
    rejected = APPROVED.split("    comment", maxsplit=1)[0].replace("approve", "reject")
    assert apply(shop, publish + rejected) == []
    shop.subscribe(listing)
    assert apply(shop, publish + rejected)[0].startswith("reject subscription of Marketing")
    revoked = rejected.replace("reject", "revoke")
    assert apply(shop, publish + revoked) == [
        "revoke subscription of Marketing to asset salesdb.orders"
    ]


def test_a_subscription_to_a_product_with_filters(shop):
    apply(shop)
    product = shop.ask("SearchListings", searchText="Sales")["items"][0]["dataProductListing"]
    shop.subscribe(product["listingId"])
    text = (
        FILE
        + """
subscriptions:
  - data_product: Sales
    subscriber: Marketing
    decision: approve
    filters: {salesdb.orders: [Laptops]}
"""
    )
    assert apply(shop, text)[0].startswith("approve subscription of Marketing to data product")
    assert apply(shop, text) == []


def test_a_request_is_never_granted_in_full_for_want_of_its_filters(shop, monkeypatch):
    apply(shop)
    listing = shop.ask("GetAsset", identifier=shop.asset("orders"))["listing"]["listingId"]
    shop.subscribe(listing)
    real = LocalDomain.pages

    def behind(self, operation, *arguments, **parameters):
        found = real(self, operation, *arguments, **parameters)
        return iter(()) if operation == "ListAssetFilters" else found

    text = (FILE + APPROVED).replace("Laptops", "Fast ones")
    with monkeypatch.context() as patch:
        patch.setattr(LocalDomain, "pages", behind)
        with pytest.raises(UpdraftError, match="not all of its filters are listed yet"):
            Publisher(
                LocalDomain(shop), read_declaration(text.replace("no prices", "few"), "f"), "task"
            ).apply()
    assert shop.ask("ListSubscriptions")["items"] == []
    shop.catalog.add_table("salesdb", "orders", "id", "price")
    shop.run()
    with pytest.raises(PermanentError, match="is invalid: The asset has no column category"):
        apply(shop, FILE + APPROVED)
    assert shop.ask("ListSubscriptions")["items"] == []


def test_a_name_lets_only_the_project_in(shop):
    apply(shop)
    listing = shop.ask("GetAsset", identifier=shop.asset("orders"))["listing"]["listingId"]
    shop.subscribe(listing, shop.project("Marketin"))
    assert apply(shop, FILE + APPROVED) == []
    with pytest.raises(PermanentError, match="no project that can be seen; did you mean 'Market"):
        apply(shop, FILE + APPROVED.replace("Marketing", "Marketng"))
    role = "arn:aws:iam::123456789012:role/analyst"
    shop.ask(
        "CreateSubscriptionRequest",
        subscribedListings=[{"identifier": listing}],
        subscribedPrincipals=[{"iam": {"identifier": role}}],
        requestReason="analysis",
    )
    (line,) = apply(shop, FILE + APPROVED.replace("Marketing", role))
    assert line.startswith(f"approve subscription of {role}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("project: Sales produce\n", "did you mean 'Sales producer'"),
        (
            "project: Sales producer\nassets: [{asset: salesdb.order}]\n",
            "no asset 'salesdb.order'; did you mean 'salesdb.orders'? Give it a 'type'",
        ),
        (
            "project: Sales producer\ndata_products: [{name: P, assets: [salesdb.revews]}]\n",
            "has no asset 'salesdb.revews'; did you mean 'salesdb.reviews'",
        ),
        (
            "project: Sales producer\nsubscriptions:\n"
            "- {data_product: Sale, subscriber: M, decision: approve}\n",
            "has no 'data product Sale'",
        ),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest(shop, text, message):
    with pytest.raises(PermanentError) as caught:
        apply(shop, text)
    assert message in str(caught.value)


def test_a_plan_expects_what_a_data_source_will_bring(shop):
    text = "project: Sales producer\ndata_sources: [sales-glue]\nassets: [{asset: salesdb.new}]\n"
    assert "run of the data sources may bring it" in publisher(shop, text).plan().notes[0]
    more = """\
data_products: [{name: P, assets: [salesdb.other]}]
subscriptions: [{asset: salesdb.other, subscriber: Marketing, decision: approve}]
"""
    planned = publisher(shop, text + more).plan()
    assert [change.action for change in planned.changes] == ["create", "publish"]
    assert "is not published yet" in planned.notes[1]
    with pytest.raises(UpdraftError, match=r"no asset 'salesdb\.new'.* a retry finds it") as caught:
        apply(shop, text)
    assert not isinstance(caught.value, PermanentError)


def test_one_asset_under_two_names(shop):
    arn = "arn:aws:glue:us-east-1:123456789012:table/salesdb/orders"
    twice = f"project: Sales producer\nassets: [{{asset: salesdb.orders}}, {{asset: '{arn}'}}]\n"
    with pytest.raises(PermanentError, match="are one asset"):
        apply(shop, twice)
    product = FILE.replace("[salesdb.orders, salesdb.reviews]", f"[salesdb.orders, '{arn}']")
    with pytest.raises(PermanentError, match="are one asset"):
        apply(shop, product)
    apply(shop)
    shop.subscribe(shop.ask("GetAsset", identifier=shop.asset("orders"))["listing"]["listingId"])
    # What is declared under one name is not revoked under the other.
    approved = APPROVED.replace("asset: salesdb.orders", f"asset: '{arn}'")
    (line,) = apply(shop, f"{FILE}{approved}prune: true\n")
    assert line.startswith("approve")
    assert apply(shop, f"{FILE}{approved}prune: true\n") == []


def test_a_name_that_fits_several_assets_is_refused(shop):
    shop.ask(
        "CreateAsset",
        name="x",
        owningProjectIdentifier=shop.producer,
        typeIdentifier="T",
        externalIdentifier="arn:aws:glue:eu-west-1:123456789012:table/salesdb/orders",
    )
    with pytest.raises(PermanentError, match="can be any of"):
        apply(shop)


def granting(shop, decision):
    """Declare a subscription that is granted in an environment, and name that."""
    place = shop.ask("CreateEnvironment", name="lab", projectIdentifier=shop.consumer)["id"]
    text = (
        "project: Sales producer\nsubscriptions:\n- asset: salesdb.orders\n"
        f"  subscriber: Marketing\n  decision: {decision}\n  grants: [{{environment: {place}}}]\n"
    )
    return text, place


def grants_of(shop):
    return {one["status"] for one in shop.ask("ListSubscriptionGrants")["items"]}


def test_a_declared_grant_is_made_and_taken_back(shop):
    shop.subscribe(shop.publish(shop.asset("orders")))
    approved, place = granting(shop, "approve")
    name = "subscription of Marketing to asset salesdb.orders"

    assert apply(shop, approved) == [
        f"approve {name}: all rows and columns",
        f"grant {name}: in environment {place}",
    ]
    assert grants_of(shop) == {"COMPLETED"}
    assert apply(shop, approved, salt="another run") == []
    assert apply(shop, approved.replace("approve", "revoke")) == [
        f"take back grant {name}: in environment {place}",
        f"revoke {name}",
    ]
    shop.catalog.wait()
    assert grants_of(shop) == set()


def test_a_grant_that_fails_is_said_with_its_reason_and_made_anew_by_the_next_attempt(shop):
    shop.subscribe(shop.publish(shop.asset("orders")))
    text, place = granting(shop, "approve")
    without = text[: text.index("  grants")]
    table = shop.catalog.tables["salesdb"].pop("orders")
    reason = f"in environment {place}: GRANT_FAILED, Table salesdb.orders not found in Glue"

    for salt in ("first", "second"):
        with pytest.raises(UpdraftError, match=f"Not granted: .* {reason}. A retry"):
            apply(shop, text, salt=salt)
    notes = publisher(shop, without).apply().notes
    assert [note.endswith(reason) for note in notes] == [True]

    shop.catalog.tables["salesdb"]["orders"] = table
    (line,) = apply(shop, text)
    assert line.startswith("renew grant subscription of Marketing")
    assert grants_of(shop) == {"COMPLETED"}


def test_killed_while_a_grant_is_renewed(shop):
    shop.subscribe(shop.publish(shop.asset("orders")))
    text, _ = granting(shop, "approve")
    table = shop.catalog.tables["salesdb"].pop("orders")
    with pytest.raises(UpdraftError, match="Not granted"):
        apply(shop, text)
    shop.catalog.tables["salesdb"]["orders"] = table
    with pytest.raises(Killed):
        publisher(shop, text, killed_at=0).apply()  # after the failed one is deleted
    apply(shop, text)
    assert grants_of(shop) == {"COMPLETED"}


def test_a_list_of_grants_that_is_behind_makes_none_twice(shop, monkeypatch):
    shop.subscribe(shop.publish(shop.asset("orders")))
    text, _ = granting(shop, "approve")
    ask = shop.ask
    behind = {"ListSubscriptionGrants": {"items": []}}
    monkeypatch.setattr(shop, "ask", lambda name, **given: behind.get(name) or ask(name, **given))
    assert [line.split()[0] for line in apply(shop, text)] == ["approve", "grant"]
    behind.clear()
    shop.catalog.wait()
    assert grants_of(shop) == {"COMPLETED"}
    assert apply(shop, text) == []


def test_grants_do_not_go_with_a_rejection():
    text = "{asset: a.b, subscriber: M, decision: reject, grants: [{environment: e1}]}"
    with pytest.raises(UpdraftError, match="'grants' go with the decisions 'approve' and 'revoke'"):
        read_declaration(f"project: P\nsubscriptions: [{text}]\n", "f")
