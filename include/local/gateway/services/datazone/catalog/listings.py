"""Listings: what is published of assets and data products."""

from collections.abc import Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    conflict,
    invalid,
    not_found,
    picked,
)

ASSET, DATA_PRODUCT = "ASSET", "DATA_PRODUCT"
_KINDS = {ASSET: "asset", DATA_PRODUCT: "data_product"}
ACTIVE, CREATING, INACTIVE = "ACTIVE", "CREATING", "INACTIVE"
_LONGEST_NAME = 64  # of a listing; the name of an asset may be longer


def listing_of(catalog: Catalog, domain: str, entity: str) -> dict[str, Any] | None:
    """Find the listing of an asset or a data product.

    :param catalog: the catalog.
    :param domain: its domain.
    :param entity: identifier of the asset or data product.
    :returns: the listing, whatever its state; None when it was never published.
    """
    found = catalog.documents.all(domain, "listing", entity)
    return found[0] if found else None


def listing_status(catalog: Catalog, listing: Mapping[str, Any]) -> str:
    """Say where a listing is.

    :param catalog: the catalog.
    :param listing: the listing.
    :returns: ``CREATING``, ``ACTIVE`` or ``INACTIVE``.
    """
    if not listing["published"]:
        return INACTIVE
    is_made = catalog.clock() >= listing["updatedAt"] + catalog.delays.listing
    return ACTIVE if is_made else CREATING


def listed_item(catalog: Catalog, listing: Mapping[str, Any]) -> dict[str, Any]:
    """Find what a listing shows.

    :param catalog: the catalog.
    :param listing: the listing.
    :returns: the published revision of the asset or data product.
    """
    kind = f"{_KINDS[listing['entityType']]}_revision"
    key = f"{listing['entityId']}/{listing['entityRevision']}"
    found = catalog.documents.get(listing["domainId"], kind, key)
    if found is None:
        raise not_found(f"revision {key}", listing["domainId"])
    return found


def publish(
    catalog: Catalog, kind: str, entity: Mapping[str, Any], principal: str
) -> dict[str, Any]:
    """Make a revision the one that is found.

    :param catalog: the catalog.
    :param kind: :data:`ASSET` or :data:`DATA_PRODUCT`.
    :param entity: the revision.
    :param principal: who publishes it.
    :returns: the listing.
    """
    domain, now = entity["domainId"], catalog.clock()
    before = listing_of(catalog, domain, entity["id"])
    if before is not None and before["published"]:
        if before["entityRevision"] == entity["revision"]:
            return before
        now = max(now, before["updatedAt"])
    listing = {
        "domainId": domain,
        "id": before["id"] if before else catalog.new_id(),
        "listingRevision": str(int(before["listingRevision"]) + 1 if before else 1),
        "entityType": kind,
        "entityId": entity["id"],
        "entityRevision": entity["revision"],
        "owningProjectId": entity["owningProjectId"],
        "name": entity["name"][:_LONGEST_NAME],
        "description": entity.get("description", "")[:2048],
        "createdAt": before["createdAt"] if before else now,
        "createdBy": before["createdBy"] if before else principal,
        "updatedAt": now,
        "updatedBy": principal,
        "published": True,
    }
    catalog.documents.put(domain, "listing", listing["id"], listing, entity["id"])
    return listing


class ListingOperations:
    """CreateListingChangeSet and GetListing.

    :param catalog: what they work on.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def change(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Publish a revision, or take the listing out of the catalog."""
        domain, key = given["domainIdentifier"], given["entityIdentifier"]
        kind = _KINDS[given["entityType"]]
        entity = self._catalog.need(domain, kind, key)
        revision = given.get("entityRevision")
        if revision is not None:
            found = self._catalog.documents.get(domain, f"{kind}_revision", f"{key}/{revision}")
            if found is None:
                raise not_found(f"revision {revision} of {kind.replace('_', ' ')} {key}", domain)
            entity = found
        if given["action"] == "PUBLISH":
            if given["entityType"] == DATA_PRODUCT and not entity.get("items"):
                raise invalid(f"Data product {key} has no assets to publish")
            listing = publish(self._catalog, given["entityType"], entity, caller.principal)
        else:
            listing = self._unpublish(domain, key, caller)
        status = listing_status(self._catalog, listing)
        return {
            "listingId": listing["id"],
            "listingRevision": listing["listingRevision"],
            "status": status,
        }

    def get(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a listing."""
        domain, key = given["domainIdentifier"], given["identifier"]
        listing = self._catalog.need(domain, "listing", key)
        revision = given.get("listingRevision")
        if revision not in {None, listing["listingRevision"]}:
            raise not_found(f"revision {revision} of listing {key}", domain)
        entity = listed_item(self._catalog, listing)
        return {
            **picked(listing, "domainId", "id", "listingRevision", "createdAt", "updatedAt"),
            **picked(listing, "createdBy", "updatedBy", "name", "description"),
            "status": listing_status(self._catalog, listing),
            "item": self._item(listing, entity),
        }

    def _item(self, listing: Mapping[str, Any], entity: Mapping[str, Any]) -> dict[str, Any]:
        common = {"createdAt": entity["createdAt"], "owningProjectId": entity["owningProjectId"]}
        if listing["entityType"] == ASSET:
            item = {
                **common,
                "assetId": entity["id"],
                "assetRevision": entity["revision"],
                "assetType": entity["typeIdentifier"],
            }
            return {"assetListing": item}
        item = {
            **common,
            "dataProductId": entity["id"],
            "dataProductRevision": entity["revision"],
        }
        return {"dataProductListing": item}

    def _unpublish(self, domain: str, key: str, caller: Caller) -> dict[str, Any]:
        listing = listing_of(self._catalog, domain, key)
        if listing is None or not listing["published"]:
            raise conflict(f"{key} is not published")
        listing = {
            **listing,
            "published": False,
            "listingRevision": str(int(listing["listingRevision"]) + 1),
            "updatedAt": self._catalog.clock(),
            "updatedBy": caller.principal,
        }
        self._catalog.documents.put(domain, "listing", listing["id"], listing, key)
        return listing
