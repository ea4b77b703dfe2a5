"""Data products: assets that are found and subscribed to together."""

from collections.abc import Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.assets import Assets
from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    invalid,
    not_found,
    page_of,
    picked,
)
from include.local.gateway.services.datazone.catalog.forms import stored_forms

_ANSWER = (
    *("domainId", "id", "revision", "owningProjectId", "name", "status", "description"),
    *("glossaryTerms", "items", "formsOutput", "createdAt", "createdBy"),
    *("firstRevisionCreatedAt", "firstRevisionCreatedBy"),
)


class DataProductOperations:
    """CreateDataProduct, CreateDataProductRevision, GetDataProduct and ListDataProductRevisions.

    :param catalog: what they work on.
    :param assets: the assets.
    """

    def __init__(self, catalog: Catalog, assets: Assets) -> None:
        self._catalog = catalog
        self._assets = assets

    def create(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Make a data product."""
        domain, project = given["domainIdentifier"], given["owningProjectIdentifier"]
        self._catalog.need(domain, "project", project)
        now = self._catalog.clock()
        first = {
            "domainId": domain,
            "id": self._catalog.new_id(),
            "revision": "1",
            "owningProjectId": project,
            "firstRevisionCreatedAt": now,
            "firstRevisionCreatedBy": caller.principal,
        }
        return self._write(first, given, caller)

    def revise(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Make the next revision, which has what is given and nothing else."""
        domain, key = given["domainIdentifier"], given["identifier"]
        before = self._catalog.need(domain, "data_product", key)
        kept = picked(before, "domainId", "id", "owningProjectId")
        first = picked(before, "firstRevisionCreatedAt", "firstRevisionCreatedBy")
        revision = str(int(before["revision"]) + 1)
        return self._write({**kept, **first, "revision": revision}, given, caller)

    def get(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a revision."""
        domain, key = given["domainIdentifier"], given["identifier"]
        found: dict[str, Any] | None = self._catalog.need(domain, "data_product", key)
        if "revision" in given:
            revision = f"{key}/{given['revision']}"
            found = self._catalog.documents.get(domain, "data_product_revision", revision)
            if found is None:
                raise not_found(f"revision {given['revision']} of data product {key}", domain)
        return picked(found or {}, *_ANSWER)

    def list_revisions(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List the revisions of a data product, the latest first."""
        domain, key = given["domainIdentifier"], given["identifier"]
        self._catalog.need(domain, "data_product", key)
        revisions = [
            picked(one, "domainId", "id", "revision", "createdBy", "createdAt")
            for one in self._catalog.documents.all(domain, "data_product_revision", key)
        ]
        return page_of(revisions[::-1], given)

    def _write(
        self, identity: Mapping[str, Any], given: Mapping[str, Any], caller: Caller
    ) -> dict[str, Any]:
        domain, key, project = identity["domainId"], identity["id"], identity["owningProjectId"]
        product = {
            **identity,
            **picked(given, "name", "description", "glossaryTerms"),
            "status": "CREATED",
            "items": self._items(domain, project, given),
            "formsOutput": stored_forms(given.get("formsInput", ())),
            "createdAt": self._catalog.clock(),
            "createdBy": caller.principal,
        }
        if not product["items"]:
            del product["items"]
        documents = self._catalog.documents
        documents.put(domain, "data_product", key, product, project)
        revision = f"{key}/{product['revision']}"
        documents.put(domain, "data_product_revision", revision, product, key)
        return picked(product, *_ANSWER)

    def _items(self, domain: str, project: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for item in given.get("items", ()):
            asset = self._assets.revision(domain, item["identifier"], item.get("revision"))
            if asset["owningProjectId"] != project:
                raise invalid(f"Asset {asset['id']} is not in project {project}")
            if asset["id"] in {other["identifier"] for other in items}:
                raise invalid(f"Asset {asset['id']} is given twice")
            items.append({**item, "revision": item.get("revision", asset["revision"])})
        return items
