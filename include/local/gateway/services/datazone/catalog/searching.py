"""Search and SearchListings.

Unlike the service's, the index is never behind. Attributes that filters name are the members of the
results, such as ``name``, ``owningProjectId`` and ``typeIdentifier``.
"""

from collections.abc import Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    invalid,
    page_of,
    picked,
)
from include.local.gateway.services.datazone.catalog.listings import (
    ACTIVE,
    ASSET,
    listed_item,
    listing_status,
)

_ASSET = (
    *("domainId", "name", "typeIdentifier", "typeRevision", "externalIdentifier", "description"),
    *("createdAt", "createdBy", "firstRevisionCreatedAt", "firstRevisionCreatedBy"),
    *("glossaryTerms", "owningProjectId"),
)
_DATA_PRODUCT = (
    *("domainId", "id", "name", "owningProjectId", "description", "glossaryTerms", "createdAt"),
    *("createdBy", "firstRevisionCreatedAt", "firstRevisionCreatedBy"),
)
_ATTRIBUTES = frozenset(
    {*_ASSET, *_DATA_PRODUCT, "identifier", "listingId", "entityId", "entityType"}
)


class SearchOperations:
    """What is in the inventory of projects, and what is published.

    :param catalog: what they work on.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def search(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Search assets or data products, the latest first unless sorted."""
        domain, scope = given["domainIdentifier"], given["searchScope"]
        self._catalog.need_domain(domain)
        project = given.get("owningProjectIdentifier")
        if project is not None:
            self._catalog.need(domain, "project", project)
        # Nobody can make glossaries here; a search for them finds none.
        entities = self._catalog.documents.all(domain, scope.lower(), project)
        found = [one for one in entities if _matches(one, given)]
        items = []
        for entity in _sorted(found, given):
            if scope == "ASSET":
                item = {**picked(entity, *_ASSET), "identifier": entity["id"]}
                if "FORMS" in given.get("additionalAttributes", ()):
                    item["additionalAttributes"] = picked(
                        entity, "formsOutput", "readOnlyFormsOutput"
                    )
                items.append({"assetItem": item})
            else:
                items.append({"dataProductItem": picked(entity, *_DATA_PRODUCT)})
        return {**page_of(items, given), "totalMatchCount": len(items)}

    def search_listings(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Search what is published; a listing that is being made is not found yet."""
        domain = given["domainIdentifier"]
        self._catalog.need_domain(domain)
        listings = [
            listing
            for listing in self._catalog.documents.all(domain, "listing")
            if listing_status(self._catalog, listing) == ACTIVE and _matches(listing, given)
        ]
        items = [self._listing(listing) for listing in _sorted(listings, given)]
        return {**page_of(items, given), "totalMatchCount": len(items)}

    def _listing(self, listing: Mapping[str, Any]) -> dict[str, Any]:
        entity = listed_item(self._catalog, listing)
        common = {
            "listingId": listing["id"],
            "listingRevision": listing["listingRevision"],
            "name": entity["name"],
            "entityId": entity["id"],
            "entityRevision": entity["revision"],
            "createdAt": listing["createdAt"],
            "listingCreatedBy": listing["createdBy"],
            "listingUpdatedBy": listing["updatedBy"],
            "owningProjectId": listing["owningProjectId"],
            **picked(listing, "description"),
        }
        if listing["entityType"] == ASSET:
            return {"assetListing": {**common, "entityType": entity["typeIdentifier"]}}
        return {"dataProductListing": common}


def _matches(entity: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    text = given.get("searchText", "").casefold()
    attributes = [one["attribute"] for one in given.get("searchIn", ())]
    if text:
        known = {name: str(value).casefold() for name, value in entity.items()}
        where = attributes or ["name", "description", "externalIdentifier"]
        # Each word counts by itself, as in any search engine.
        if not all(any(word in known.get(name, "") for name in where) for word in text.split()):
            return False
    return "filters" not in given or _satisfies(entity, given["filters"])


def _satisfies(entity: Mapping[str, Any], clause: Mapping[str, Any]) -> bool:
    kind, content = next(iter(clause.items()))
    if kind != "filter":
        combined = all if kind == "and" else any
        return combined(_satisfies(entity, part) for part in content)
    attribute, wanted = content["attribute"], content.get("value", "")
    if attribute not in _ATTRIBUTES:
        raise invalid(f"There is no attribute {attribute!r} to filter by")
    value = str(entity.get("id" if attribute == "identifier" else attribute, ""))
    operator = content.get("operator", "EQ")
    if operator == "EQ":
        return bool(value == wanted)
    if operator == "TEXT_SEARCH":
        return wanted.casefold() in value.casefold()
    raise invalid(f"Attribute {attribute!r} can't be compared by {operator}")


def _sorted(entities: list[dict[str, Any]], given: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "sort" not in given:
        return entities[::-1]
    attribute = given["sort"]["attribute"]
    if attribute not in _ATTRIBUTES:
        raise invalid(f"There is no attribute {attribute!r} to sort by")
    descending = given["sort"].get("order", "ASCENDING") == "DESCENDING"
    return sorted(entities, key=lambda one: str(one.get(attribute, "")), reverse=descending)
