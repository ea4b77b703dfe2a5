"""What is taken back of what a file does not speak of, if it asks for that.

A section that the file does not have is not spoken of at all, and nothing is taken back there: a
file without ``subscriptions`` revokes none.
"""

from updraft.datazone.changes import Change, Plan, Tokens
from updraft.datazone.declaration import Declaration
from updraft.datazone.inventory import PUBLISHED, Inventory
from updraft.datazone.listing_plans import (
    ASSET,
    DATA_PRODUCT,
    Publishable,
    declared_entities,
    unpublish,
)
from updraft.datazone.subscribers import find_subscriber, subscriber_id, subscriber_name
from updraft.datazone.subscription_plans import approved_subscriptions, revoke, subject_of


def plan_pruning(declaration: Declaration, inventory: Inventory, tokens: Tokens) -> Plan:
    """Find what is there and not declared.

    :param declaration: what is wanted.
    :param inventory: what there is.
    :param tokens: makes client tokens.
    :returns: what revokes subscriptions, deletes filters and unpublishes, in this order.
    """
    if not declaration.prune:
        return Plan()
    sections = declaration.model_fields_set
    plan = Plan()
    if "subscriptions" in sections:
        plan.add(_subscriptions(declaration, inventory))
    plan.add(_filters(declaration, inventory))
    if "assets" in sections:
        plan.add(_assets(declaration, inventory, tokens))
    if "data_products" in sections:
        plan.add(_products(declaration, inventory, tokens))
    return plan


def _subscriptions(declaration: Declaration, inventory: Inventory) -> Plan:
    """Revoke what others have of what the file names, by whichever of its names."""
    subjects: dict[str, str] = {}
    spoken_of: dict[str, set[str]] = {}
    for entity, _ in declared_entities(declaration):
        _note_listing(entity, inventory, subjects)
    for one in declaration.subscriptions:
        listing_id = _note_listing(subject_of(one), inventory, subjects)
        if listing_id is not None:
            subscriber = find_subscriber(inventory, one.subscriber)
            spoken_of.setdefault(listing_id, set()).add(subscriber)
    plan = Plan()
    for listing_id, subject in subjects.items():
        for subscription in approved_subscriptions(inventory, listing_id):
            if subscriber_id(subscription) not in spoken_of.get(listing_id, ()):
                name = f"subscription of {subscriber_name(subscription)} to {subject}"
                plan.changes.append(revoke(inventory, subscription, name))
    return plan


def _note_listing(
    entity: Publishable, inventory: Inventory, subjects: dict[str, str]
) -> str | None:
    entity_id = entity.find(inventory)
    listing = entity.listing(inventory, entity_id) if entity_id else None
    if listing is None:
        return None
    subjects.setdefault(listing["id"], entity.subject)
    return str(listing["id"])


def _filters(declaration: Declaration, inventory: Inventory) -> Plan:
    plan = Plan()
    for asset in declaration.assets:
        asset_id = inventory.find_asset(asset.asset)
        if asset_id is None or "filters" not in asset.model_fields_set:
            continue
        wanted = {one.name for one in asset.filters}
        for name, found in inventory.filters(asset_id).items():
            if name not in wanted:
                subject = f"filter {name!r} of {asset.asset}"
                plan.changes.append(_delete_filter(inventory, asset_id, found["id"], subject))
    return plan


def _delete_filter(inventory: Inventory, asset_id: str, filter_id: str, subject: str) -> Change:
    def perform() -> None:
        inventory.service.request(
            "DeleteAssetFilter", subject, assetIdentifier=asset_id, identifier=filter_id
        )

    return Change("delete", subject, "", perform)


def _assets(declaration: Declaration, inventory: Inventory, tokens: Tokens) -> Plan:
    """Unpublish assets that are neither declared nor part of a declared data product."""
    references = [one.asset for one in declaration.assets]
    references += [name for one in declaration.data_products for name in one.assets]
    spoken_of = {inventory.find_asset(reference) for reference in references}
    plan = Plan()
    for item in inventory.asset_items:
        asset_id = item["identifier"]
        if asset_id in spoken_of:
            continue
        listed = inventory.asset(asset_id).get("listing")
        if listed and listed["listingStatus"] in PUBLISHED:
            name = item.get("externalIdentifier") or asset_id
            plan.changes.append(unpublish(Publishable(ASSET, name), inventory, tokens))
    return plan


def _products(declaration: Declaration, inventory: Inventory, tokens: Tokens) -> Plan:
    wanted = {one.name for one in declaration.data_products}
    plan = Plan()
    for item in inventory.product_items:
        if item["name"] in wanted:
            continue
        entity = Publishable(DATA_PRODUCT, item["name"])
        listing = entity.listing(inventory, item["id"])
        if listing and listing.get("status") in PUBLISHED:
            plan.changes.append(unpublish(entity, inventory, tokens))
    return plan
