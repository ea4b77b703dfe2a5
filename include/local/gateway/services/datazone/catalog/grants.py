"""Environments, as far as grants need them, and the grants of subscriptions in them."""

from collections.abc import Iterator, Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    conflict,
    invalid,
    not_found,
    page_of,
    picked,
)
from include.local.gateway.services.datazone.catalog.listings import ASSET, listed_item

_ENVIRONMENT = ("id", "name", "description", "domainId", "projectId", "createdBy", "provider")
_GRANT = (
    *("id", "createdBy", "updatedBy", "domainId", "createdAt", "updatedAt"),
    *("environmentId", "subscriptionTargetId", "grantedEntity", "subscriptionId"),
)
_TABLE_ARN_PARTS = 3  # arn:…:table / database / table


class GrantOperations:
    """CreateEnvironment and GetEnvironment; creating, deleting and reading grants.

    An environment has one subscription target. A grant is made when its time has passed. It fails
    for a table that Glue does not have any more.

    :param catalog: what they work on.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_environment(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Make an environment; it is active at once."""
        domain = given["domainIdentifier"]
        project = self._catalog.need(domain, "project", given["projectIdentifier"])
        environment = {
            "id": self._catalog.new_id(),
            "domainId": domain,
            "projectId": project["id"],
            "createdBy": caller.principal,
            "createdAt": self._catalog.clock(),
            "provider": "Amazon DataZone",
            "status": "ACTIVE",
            "targetId": self._catalog.new_id(),
            **picked(given, "name", "description"),
        }
        self._catalog.documents.put(domain, "environment", environment["id"], environment)
        return picked(environment, *_ENVIRONMENT, "createdAt", "status")

    def get_environment(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe an environment."""
        domain, key = given["domainIdentifier"], given["identifier"]
        environment = self._catalog.need(domain, "environment", key)
        return picked(environment, *_ENVIRONMENT, "createdAt", "status")

    def create(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Begin to let an environment in, whose project has a subscription."""
        domain = given["domainIdentifier"]
        environment = self._catalog.need(domain, "environment", given["environmentIdentifier"])
        target = given.get("subscriptionTargetIdentifier", environment["targetId"])
        if target != environment["targetId"]:
            raise not_found(f"subscription target {target}", domain)
        wanted = given["grantedEntity"]["listing"]
        listing = self._catalog.need(domain, "listing", wanted["identifier"])
        if wanted["revision"] != listing["listingRevision"]:
            raise not_found(f"revision {wanted['revision']} of listing {listing['id']}", domain)
        subscription = self._subscription(listing, environment["projectId"])
        for other in self._living(domain):
            if (other["subscriptionTargetId"], other["listingId"]) == (target, listing["id"]):
                raise conflict(f"Grant {other['id']} is for the same listing and target")
        now = self._catalog.clock()
        grant = {
            "id": self._catalog.new_id(),
            "domainId": domain,
            "createdBy": caller.principal,
            "createdAt": now,
            "updatedAt": now,
            "environmentId": environment["id"],
            "subscriptionTargetId": target,
            "subscriptionId": subscription["id"],
            "listingId": listing["id"],
            "owningProjectId": environment["projectId"],
            "grantedEntity": {"listing": {"id": listing["id"], "revision": wanted["revision"]}},
            "assets": list(self._assets(listing, caller)),
        }
        self._catalog.documents.put(domain, "grant", grant["id"], grant)
        return self._view(grant)

    def delete(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Begin to take a grant back; it is listed until that is done."""
        grant = self._need(given)
        if "deletedAt" in grant:
            raise conflict(f"Grant {grant['id']} is being deleted")
        return self._view(end_grant(self._catalog, grant, caller))

    def get(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a grant."""
        return self._view(self._need(given))

    def list_all(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List grants, the latest first."""
        domain = given["domainIdentifier"]
        self._catalog.need_domain(domain)
        names = {
            "environmentId": "environmentId",
            "subscriptionTargetId": "subscriptionTargetId",
            "subscribedListingId": "listingId",
            "subscriptionId": "subscriptionId",
            "owningProjectId": "owningProjectId",
        }
        wanted = {ours: given[theirs] for theirs, ours in names.items() if theirs in given}
        found = [
            self._view(one)
            for one in self._living(domain)
            if all(one[name] == value for name, value in wanted.items())
        ]
        return page_of(found if given.get("sortOrder") == "ASCENDING" else found[::-1], given)

    def _living(self, domain: str) -> Iterator[dict[str, Any]]:
        for grant in self._catalog.documents.all(domain, "grant"):
            if not self._is_over(grant):
                yield grant

    def _need(self, given: Mapping[str, Any]) -> dict[str, Any]:
        domain, key = given["domainIdentifier"], given["identifier"]
        grant = self._catalog.need(domain, "grant", key, "subscription grant")
        if self._is_over(grant):
            raise not_found(f"subscription grant {key}", domain)
        return grant

    def _is_over(self, grant: Mapping[str, Any]) -> bool:
        ended = grant.get("deletedAt")
        return ended is not None and self._catalog.clock() >= ended + self._catalog.delays.grant

    def _subscription(self, listing: Mapping[str, Any], project: str) -> dict[str, Any]:
        for one in self._catalog.documents.all(listing["domainId"], "subscription", listing["id"]):
            subscriber = one["subscribedPrincipal"].get("project", {}).get("id")
            if (one["status"], subscriber) == ("APPROVED", project):
                return one
        raise invalid(f"Project {project} has no approved subscription to {listing['id']}")

    def _assets(self, listing: Mapping[str, Any], caller: Caller) -> Iterator[dict[str, Any]]:
        domain, entity = listing["domainId"], listed_item(self._catalog, listing)
        keys = [entity["id"]]
        if listing["entityType"] != ASSET:
            keys = [item["identifier"] for item in entity.get("items", ())]
        for key in keys:
            asset = self._catalog.need(domain, "asset", key)
            trouble = self._trouble(asset, caller)
            yield {
                "assetId": key,
                "assetRevision": entity["revision"] if key == entity["id"] else "1",
                **({"failureCause": {"message": trouble}} if trouble else {}),
            }

    def _trouble(self, asset: Mapping[str, Any], caller: Caller) -> str | None:
        parts = str(asset.get("externalIdentifier", "")).split("/")
        if len(parts) != _TABLE_ARN_PARTS or not parts[0].startswith("arn:aws:glue:"):
            return None
        _, database, table = parts
        try:
            there = {one["Name"] for one in self._catalog.tables(caller.region, database)}
        except LookupError as error:
            return str(error)
        return None if table in there else f"Table {database}.{table} not found in Glue"

    def _view(self, grant: Mapping[str, Any]) -> dict[str, Any]:
        begun = grant.get("deletedAt") or grant["createdAt"]
        goes_on = self._catalog.clock() < begun + self._catalog.delays.grant
        step = "REVOKE" if "deletedAt" in grant else "GRANT"
        done = {"GRANT": "GRANTED", "REVOKE": "REVOKED"}[step]
        assets = [
            {**picked(one, "assetId", "assetRevision"), "status": f"{step}_IN_PROGRESS"}
            if goes_on
            else {**one, "status": f"{step}_FAILED" if "failureCause" in one else done}
            for one in grant["assets"]
        ]
        is_failed = any("failureCause" in one for one in assets)
        status = "IN_PROGRESS" if goes_on else "GRANT_FAILED" if is_failed else "COMPLETED"
        return {**picked(grant, *_GRANT), "assets": assets, "status": status}


def end_grant(catalog: Catalog, grant: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """Begin to take a grant back.

    :param catalog: the catalog.
    :param grant: the grant.
    :param caller: who wants it.
    :returns: the grant as it is now.
    """
    now = catalog.clock()
    ended = {**grant, "deletedAt": now, "updatedAt": now, "updatedBy": caller.principal}
    catalog.documents.put(grant["domainId"], "grant", grant["id"], ended)
    return ended
