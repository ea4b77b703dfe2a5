"""What has to be published, and what taken out of the catalog."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from updraft.datazone.changes import Change, Plan, Tokens
from updraft.datazone.declaration import Declaration
from updraft.datazone.inventory import PUBLISHED, Inventory, listed_revision

ASSET, DATA_PRODUCT = "ASSET", "DATA_PRODUCT"


class Publishable(NamedTuple):
    """An asset or a data product.

    :param kind: :data:`ASSET` or :data:`DATA_PRODUCT`.
    :param name: what the declaration calls it.
    """

    kind: str
    name: str

    @property
    def subject(self) -> str:
        """Its name in plans."""
        return f"{'asset' if self.kind == ASSET else 'data product'} {self.name}"

    def find(self, inventory: Inventory) -> str | None:
        """Find it.

        :param inventory: what there is.
        :returns: its identifier, None when it is not there.
        """
        if self.kind == ASSET:
            return inventory.find_asset(self.name)
        return inventory.find_product(self.name)

    def revision(self, inventory: Inventory, entity_id: str) -> str:
        """Give its latest revision.

        :param inventory: what there is.
        :param entity_id: its identifier.
        :returns: the revision.
        """
        read = inventory.asset if self.kind == ASSET else inventory.product
        return str(read(entity_id)["revision"])

    def listing(self, inventory: Inventory, entity_id: str) -> dict[str, Any] | None:
        """Give its listing.

        :param inventory: what there is.
        :param entity_id: its identifier.
        :returns: output of GetListing, None when it was never published.
        """
        read = inventory.asset_listing if self.kind == ASSET else inventory.product_listing
        return read(entity_id)


def declared_entities(declaration: Declaration) -> Iterator[tuple[Publishable, bool]]:
    """List what a declaration speaks of.

    :param declaration: the declaration.
    :returns: each asset and data product, and whether it is to be published.
    """
    for asset in declaration.assets:
        yield Publishable(ASSET, asset.asset), asset.publish
    for product in declaration.data_products:
        yield Publishable(DATA_PRODUCT, product.name), product.publish


def plan_listings(
    declaration: Declaration, kind: str, inventory: Inventory, tokens: Tokens, before: Plan
) -> Plan:
    """Find what is not published as it should be.

    :param declaration: what is wanted.
    :param kind: :data:`ASSET` or :data:`DATA_PRODUCT`.
    :param inventory: what there is.
    :param tokens: makes client tokens.
    :param before: what is planned already, after which there are new revisions.
    :returns: what publishes and unpublishes.
    """
    plan = Plan()
    for entity, is_wanted in declared_entities(declaration):
        if entity.kind != kind:
            continue
        entity_id = entity.find(inventory)
        listing = entity.listing(inventory, entity_id) if entity_id else None
        is_listed = listing is not None and listing.get("status") in PUBLISHED
        if not is_wanted:
            if is_listed:
                plan.changes.append(unpublish(entity, inventory, tokens))
            continue
        is_coming = before.revises(entity.subject)
        if entity_id is None and not is_coming:
            continue  # a note says so
        if listing is None or not is_listed:
            plan.changes.append(_publish(entity, inventory, tokens, ""))
        elif is_coming or listed_revision(listing) != entity.revision(inventory, str(entity_id)):
            plan.changes.append(_publish(entity, inventory, tokens, "new revision"))
    return plan


def unpublish(entity: Publishable, inventory: Inventory, tokens: Tokens) -> Change:
    """Plan to take something out of the catalog.

    :param entity: what.
    :param inventory: what there is.
    :param tokens: makes client tokens.
    :returns: the change.
    """
    return _change(entity, inventory, tokens, "UNPUBLISH", "")


def _publish(entity: Publishable, inventory: Inventory, tokens: Tokens, details: str) -> Change:
    return _change(entity, inventory, tokens, "PUBLISH", details)


def _change(
    entity: Publishable, inventory: Inventory, tokens: Tokens, action: str, details: str
) -> Change:
    def perform() -> None:
        entity_id = str(entity.find(inventory))
        listing = entity.listing(inventory, entity_id) or {}
        parameters = {
            "entityIdentifier": entity_id,
            "entityType": entity.kind,
            "action": action,
            "entityRevision": (
                entity.revision(inventory, entity_id) if action == "PUBLISH" else None
            ),
        }
        token = tokens.make(
            "listing", parameters, listing.get("listingRevision"), listing.get("status")
        )
        answer = inventory.service.request(
            "CreateListingChangeSet", entity.subject, clientToken=token, **parameters
        )
        inventory.known.listings[entity_id] = answer["listingId"]

    return Change(action.lower(), entity.subject, details, perform)
