"""Requests for subscriptions, and the subscriptions that come of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    conflict,
    invalid,
    not_found,
    over_quota,
    page_of,
    picked,
)
from include.local.gateway.services.datazone.catalog.forms import stored_forms
from include.local.gateway.services.datazone.catalog.grants import end_grant
from include.local.gateway.services.datazone.catalog.listings import (
    ACTIVE,
    ASSET,
    listed_item,
    listing_status,
)

MOST_FILTERS = 5
"""Most filters of a subscription (user guide, "Quotas for Amazon DataZone")."""

_REQUEST = (
    *("id", "createdBy", "updatedBy", "domainId", "status", "createdAt", "updatedAt"),
    *("requestReason", "subscribedPrincipals", "subscribedListings", "reviewerId"),
    *("decisionComment", "existingSubscriptionId"),
)
_SUBSCRIPTION = (
    *("id", "createdBy", "updatedBy", "domainId", "status", "createdAt", "updatedAt"),
    *("subscribedPrincipal", "subscriptionRequestId", "retainPermissions"),
)
_PRINCIPALS = {"project": "owningProjectId", "user": "owningUserId", "group": "owningGroupId"}


class SubscriptionOperations:
    """What has to do with subscriptions and the requests for them.

    :param catalog: what they work on.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def request(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Ask for a subscription to what is published."""
        domain = given["domainIdentifier"]
        listing = self._catalog.need(
            domain, "listing", given["subscribedListings"][0]["identifier"]
        )
        if listing_status(self._catalog, listing) != ACTIVE:
            raise invalid(f"Listing {listing['id']} is not active")
        principal = self._principal(domain, given["subscribedPrincipals"][0])
        if principal.get("project", {}).get("id") == listing["owningProjectId"]:
            raise invalid("A project can't subscribe to what it owns")
        about = [
            one
            for kind in ("subscription_request", "subscription")
            for one in self._catalog.documents.all(domain, kind, listing["id"])
            if one["subscribedPrincipal"] == principal
        ]
        if any(one["status"] == "PENDING" for one in about):
            raise conflict("The principal has a pending request for this listing")
        existing = [one["id"] for one in about if one["status"] == "APPROVED"]
        now = self._catalog.clock()
        request = {
            "id": self._catalog.new_id(),
            "domainId": domain,
            "status": "PENDING",
            "createdBy": caller.principal,
            "createdAt": now,
            "updatedAt": now,
            "requestReason": given["requestReason"],
            "subscribedPrincipal": principal,
            "subscribedPrincipals": [principal],
            "subscribedListings": [self._listing(listing, None)],
            "listingId": listing["id"],
            "approverProjectId": listing["owningProjectId"],
            "metadataForms": stored_forms(given.get("metadataForms", ())),
            **({"existingSubscriptionId": existing[0]} if existing else {}),
        }
        self._catalog.documents.put(
            domain, "subscription_request", request["id"], request, listing["id"]
        )
        return picked(request, *_REQUEST, "metadataForms")

    def accept(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Grant a pending request, limited to filters if any are given."""
        request = self._pending(given)
        domain = request["domainId"]
        listing = self._catalog.need(domain, "listing", request["listingId"])
        scopes = self._scopes(listing, given.get("assetScopes", ()))
        now = self._catalog.clock()
        existing = request.get("existingSubscriptionId")
        before = self._catalog.documents.get(domain, "subscription", existing) if existing else None
        subscription = {
            "id": self._catalog.new_id(),
            "domainId": domain,
            "createdBy": caller.principal,
            "createdAt": now,
            "subscribedPrincipal": request["subscribedPrincipal"],
            "listingId": listing["id"],
            "approverProjectId": listing["owningProjectId"],
            **(before or {}),
            "status": "APPROVED",
            "updatedBy": caller.principal,
            "updatedAt": now,
            "subscriptionRequestId": request["id"],
            "scopes": scopes,
        }
        self._catalog.documents.put(
            domain, "subscription", subscription["id"], subscription, listing["id"]
        )
        return self._decide(request, "ACCEPTED", given, caller)

    def reject(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Refuse a pending request."""
        return self._decide(self._pending(given), "REJECTED", given, caller)

    def cancel(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """End a subscription, as its subscriber does."""
        return self._end(given, "CANCELLED", caller)

    def revoke(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """End a subscription, as the owner of the data does."""
        return self._end(given, "REVOKED", caller)

    def get(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a subscription."""
        domain, key = given["domainIdentifier"], given["identifier"]
        return self._view(self._catalog.need(domain, "subscription", key))

    def get_request(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a request."""
        domain, key = given["domainIdentifier"], given["identifier"]
        request = self._catalog.need(domain, "subscription_request", key)
        return picked(request, *_REQUEST, "metadataForms")

    def list_all(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List subscriptions, the latest first."""
        found = self._filtered("subscription", given)
        request = given.get("subscriptionRequestIdentifier")
        if request is not None:
            found = [one for one in found if one["subscriptionRequestId"] == request]
        return page_of([self._view(one) for one in found], given)

    def list_requests(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List requests, the latest first."""
        found = self._filtered("subscription_request", given)
        return page_of([picked(one, *_REQUEST) for one in found], given)

    def _filtered(self, kind: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        domain = given["domainIdentifier"]
        self._catalog.need_domain(domain)
        documents = self._catalog.documents.all(domain, kind, given.get("subscribedListingId"))
        wanted = picked(given, "status", "approverProjectId")
        by = "updatedAt" if given.get("sortBy") == "UPDATED_AT" else "createdAt"
        found = [
            one
            for one in documents
            if all(one[name] == value for name, value in wanted.items()) and _owns(one, given)
        ]
        # Sorting keeps the order of equals; those of one moment are to come latest first, too.
        ascending = sorted(found, key=lambda one: one[by])
        return ascending if given.get("sortOrder") == "ASCENDING" else ascending[::-1]

    def _pending(self, given: Mapping[str, Any]) -> dict[str, Any]:
        domain, key = given["domainIdentifier"], given["identifier"]
        request = self._catalog.need(domain, "subscription_request", key)
        if request["status"] != "PENDING":
            raise conflict(f"Subscription request {key} is {request['status']}, not PENDING")
        return request

    def _decide(
        self, request: Mapping[str, Any], status: str, given: Mapping[str, Any], caller: Caller
    ) -> dict[str, Any]:
        decided = {
            **request,
            "status": status,
            "updatedAt": self._catalog.clock(),
            "updatedBy": caller.principal,
            "reviewerId": caller.principal,
            **picked(given, "decisionComment"),
        }
        self._catalog.documents.put(
            request["domainId"], "subscription_request", request["id"], decided
        )
        return picked(decided, *_REQUEST, "metadataForms")

    def _end(self, given: Mapping[str, Any], status: str, caller: Caller) -> dict[str, Any]:
        domain, key = given["domainIdentifier"], given["identifier"]
        found = self._catalog.need(domain, "subscription", key)
        if found["status"] != "APPROVED":
            raise conflict(f"Subscription {key} is {found['status']}, not APPROVED")
        ended = {
            **found,
            "status": status,
            "updatedAt": self._catalog.clock(),
            "updatedBy": caller.principal,
            **picked(given, "retainPermissions"),
        }
        self._catalog.documents.put(domain, "subscription", key, ended)
        for grant in self._catalog.documents.all(domain, "grant"):
            is_kept = "deletedAt" in grant or given.get("retainPermissions", False)
            if grant["subscriptionId"] == key and not is_kept:
                end_grant(self._catalog, grant, caller)
        return self._view(ended)

    def _principal(self, domain: str, given: Mapping[str, Any]) -> dict[str, Any]:
        kind, principal = next(iter(given.items()))
        if "identifier" not in principal:
            raise invalid(f"The subscribed {kind} has no identifier")
        if kind == "project":
            project = self._catalog.need(domain, "project", principal["identifier"])
            return {"project": picked(project, "id", "name")}
        name = "principalArn" if kind == "iam" else "id"
        return {kind: {name: principal["identifier"]}}

    def _scopes(self, listing: Mapping[str, Any], given: Iterable[Any]) -> list[dict[str, Any]]:
        """Check that the filters belong to the assets of the listing."""
        domain, entity = listing["domainId"], listed_item(self._catalog, listing)
        assets = (
            {entity["id"]}
            if listing["entityType"] == ASSET
            else {item["identifier"] for item in entity.get("items", ())}
        )
        scopes = [dict(scope) for scope in given]
        for scope in scopes:
            if scope["assetId"] not in assets:
                raise invalid(f"Asset {scope['assetId']} is not in listing {listing['id']}")
            if len(scope["filterIds"]) > MOST_FILTERS:
                raise over_quota(f"A subscription takes at most {MOST_FILTERS} filters")
            for key in scope["filterIds"]:
                found = self._catalog.documents.get(domain, "asset_filter", key)
                if found is None or found["assetId"] != scope["assetId"]:
                    raise not_found(f"filter {key} of asset {scope['assetId']}", domain)
        return scopes

    def _view(self, found: Mapping[str, Any]) -> dict[str, Any]:
        listing = self._catalog.need(found["domainId"], "listing", found["listingId"])
        shown = self._listing(listing, found["scopes"])
        return {**picked(found, *_SUBSCRIPTION), "subscribedListing": shown}

    def _listing(
        self, listing: Mapping[str, Any], scopes: Iterable[Mapping[str, Any]] | None
    ) -> dict[str, Any]:
        entity = listed_item(self._catalog, listing)
        owner = self._catalog.need(listing["domainId"], "project", listing["owningProjectId"])
        item: dict[str, Any] = {"entityId": entity["id"], "entityRevision": entity["revision"]}
        if listing["entityType"] == ASSET:
            item["entityType"] = entity["typeIdentifier"]
            for scope in scopes or ():
                item["assetScope"] = {**scope, "status": "APPLIED"}
        return {
            "id": listing["id"],
            "revision": listing["listingRevision"],
            "name": listing["name"],
            "description": listing["description"],
            "ownerProjectId": owner["id"],
            "ownerProjectName": owner["name"],
            "item": {"assetListing" if listing["entityType"] == ASSET else "productListing": item},
        }


def _owns(found: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    principal = found["subscribedPrincipal"]
    for kind, name in _PRINCIPALS.items():
        if name in given and principal.get(kind, {}).get("id") != given[name]:
            return False
    arn = given.get("owningIamPrincipalArn")
    return arn in {None, principal.get("iam", {}).get("principalArn")}
