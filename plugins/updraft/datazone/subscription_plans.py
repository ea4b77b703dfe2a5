"""What has to be decided about subscriptions and the requests for them."""

import logging
from collections.abc import Mapping
from typing import Any

from updraft.datazone.changes import Change, Plan
from updraft.datazone.declaration import Declaration, Subscription
from updraft.datazone.inventory import Inventory
from updraft.datazone.listing_plans import (
    ASSET,
    DATA_PRODUCT,
    Publishable,
    declared_entities,
)
from updraft.datazone.names import nearest
from updraft.datazone.subscribers import find_subscriber, subscriber_id
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import ArgumentError, UpdraftError

_log = logging.getLogger(__name__)


def plan_subscriptions(declaration: Declaration, inventory: Inventory, *, is_preview: bool) -> Plan:
    """Find requests and subscriptions about which something else is declared.

    :param declaration: what is wanted.
    :param inventory: what there is.
    :param is_preview: whether data sources have not run, which may bring assets.
    :returns: what accepts, rejects and revokes; and in notes what waits for the subscriber.
    :raises UpdraftError: when an asset, a data product or a filter is not there.
    """
    plan = Plan()
    may_come = is_preview and bool(declaration.data_sources)
    for declared in declaration.subscriptions:
        listing_id = find_listing(declared, declaration, inventory, may_come=may_come)
        if listing_id is None:
            plan.notes.append(
                f"{named(declared)}: {declared.subject} is not published yet, so nobody can "
                "have asked for it."
            )
            continue
        plan.add(_Decision(declared, listing_id, declaration, inventory).plan())
    return plan


def subject_of(declared: Subscription) -> Publishable:
    """Say what is subscribed to.

    :param declared: the subscription.
    :returns: the asset or data product.
    """
    if declared.asset is not None:
        return Publishable(ASSET, declared.asset)
    return Publishable(DATA_PRODUCT, str(declared.data_product))


def find_listing(
    declared: Subscription, declaration: Declaration, inventory: Inventory, *, may_come: bool
) -> str | None:
    """Find the listing that is subscribed to.

    :param declared: the subscription.
    :param declaration: the file that has it.
    :param inventory: what there is.
    :param may_come: whether a data source may still bring the asset.
    :returns: its identifier; None when there is none yet.
    :raises UpdraftError: when there is nothing of that name.
    """
    entity = subject_of(declared)
    entity_id = entity.find(inventory)
    if entity_id is not None:
        listing = entity.listing(inventory, entity_id)
        return str(listing["id"]) if listing else None
    if entity in {one for one, _ in declared_entities(declaration)}:
        return None
    if entity.kind == ASSET:
        if may_come:
            return None
        raise inventory.missing_asset(
            f"subscription: {inventory.no_asset(entity.name)}",
            may_come=bool(declaration.data_sources),
        )
    there = [str(one["name"]) for one in inventory.product_items]
    there += [one.name for one in declaration.data_products]
    hint = nearest(entity.name, there)
    raise ArgumentError(
        f"subscription: project {inventory.project_id} has no {entity.subject!r}{hint or '.'}"
    )


class _Decision:
    def __init__(
        self,
        declared: Subscription,
        listing_id: str,
        declaration: Declaration,
        inventory: Inventory,
    ) -> None:
        self._declared = declared
        self._listing_id = listing_id
        self._declaration = declaration
        self._inventory = inventory
        self._name = named(declared)
        self._subscriber = find_subscriber(inventory, declared.subscriber)

    def plan(self) -> Plan:
        pending = self._mine(pending_requests(self._inventory, self._listing_id))
        granted = self._mine(approved_subscriptions(self._inventory, self._listing_id))
        decision = self._declared.decision
        if decision == "approve":
            return self._approve(pending, granted)
        changes = [self._reject(request) for request in pending]
        if decision == "revoke":
            changes += [
                revoke(self._inventory, subscription, self._name) for subscription in granted
            ]
        return Plan(changes)

    def _approve(self, pending: list[dict[str, Any]], granted: list[dict[str, Any]]) -> Plan:
        scopes, wanted = self._scopes()
        if pending:
            return Plan([self._accept(pending[0])])
        if not granted:
            return Plan(notes=[f"{self._name}: nothing to approve; the subscriber has to ask."])
        for subscription in granted:
            given = _granted_filters(subscription)
            if given is not None and scopes is not None and given != wanted:
                note = (
                    f"{self._name}: the subscription has other filters, which only a new request "
                    "of the subscriber, or a revocation, can change."
                )
                return Plan(notes=[note])
        return Plan()

    def _scopes(self) -> tuple[list[dict[str, Any]] | None, set[str]]:
        """Look up the filters: scopes as the API has them, and the identifiers in them.

        :returns: None for scopes with filters that this run has yet to make.
        """
        scopes, wanted = [], set()
        for reference, names in self._declared.filters_by_asset.items():
            asset_id = self._inventory.find_asset(reference)
            there = self._inventory.filters(asset_id) if asset_id else {}
            ids = []
            for name in names:
                if name in there:
                    ids.append(there[name]["id"])
                elif self._is_declared(reference, name):
                    return None, set()
                else:
                    hint = nearest(name, there)
                    raise ArgumentError(
                        f"{self._name}: asset {reference} has no filter {name!r}{hint or '.'}"
                    )
            wanted.update(ids)
            scopes.append({"assetId": asset_id, "filterIds": ids})
        return scopes, wanted

    def _is_declared(self, reference: str, name: str) -> bool:
        """Tell whether this run makes the filter."""
        find = self._inventory.find_asset
        return any(
            wanted.name == name
            for asset in self._declaration.assets
            if asset.asset == reference or find(asset.asset) == (find(reference) or "")
            for wanted in asset.filters
        )

    def _accept(self, request: Mapping[str, Any]) -> Change:
        names = [name for one in self._declared.filters_by_asset.values() for name in one]

        def perform() -> None:
            scopes, _ = self._scopes()
            if scopes is None:
                # Without them the request would be granted in full.
                raise UpdraftError(
                    f"{self._name}: not all of its filters are listed yet: {', '.join(names)}. "
                    "A retry looks again."
                )
            self._require_valid()
            _decide(
                self._inventory,
                "AcceptSubscriptionRequest",
                self._name,
                identifier=request["id"],
                decisionComment=self._declared.comment,
                assetScopes=scopes or None,
            )

        details = f"filters {', '.join(names)}" if names else "all rows and columns"
        return Change("approve", self._name, details, perform)

    def _require_valid(self) -> None:
        """Check that the filters still fit the columns of their assets."""
        for reference, names in self._declared.filters_by_asset.items():
            there = self._inventory.filters(self._inventory.need_asset(reference))
            for name in names:
                if there[name].get("status") == "INVALID":
                    reason = there[name].get("errorMessage", "DataZone gives no reason")
                    raise ArgumentError(
                        f"{self._name}: filter {name!r} of asset {reference} is invalid: {reason}"
                    )

    def _reject(self, request: Mapping[str, Any]) -> Change:
        def perform() -> None:
            _decide(
                self._inventory,
                "RejectSubscriptionRequest",
                self._name,
                identifier=request["id"],
                decisionComment=self._declared.comment,
            )

        return Change("reject", self._name, str(request.get("requestReason", "")), perform)

    def _mine(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for one in entries if subscriber_id(one) == self._subscriber]


def approved_subscriptions(inventory: Inventory, listing_id: str) -> list[dict[str, Any]]:
    """List the subscriptions to a listing.

    :param inventory: what there is.
    :param listing_id: identifier of the listing.
    :returns: items of ListSubscriptions.
    """
    return _listed(inventory, "ListSubscriptions", listing_id, "APPROVED")


def pending_requests(inventory: Inventory, listing_id: str) -> list[dict[str, Any]]:
    """List the requests for a listing about which nobody has decided.

    :param inventory: what there is.
    :param listing_id: identifier of the listing.
    :returns: items of ListSubscriptionRequests.
    """
    return _listed(inventory, "ListSubscriptionRequests", listing_id, "PENDING")


def revoke(inventory: Inventory, subscription: Mapping[str, Any], name: str) -> Change:
    """Plan to revoke a subscription.

    :param inventory: what there is.
    :param subscription: item of ListSubscriptions.
    :param name: what plans call it.
    :returns: the change.
    """

    def perform() -> None:
        _decide(inventory, "RevokeSubscription", name, identifier=subscription["id"])

    return Change("revoke", name, "", perform)


def _listed(
    inventory: Inventory, operation: str, listing_id: str, status: str
) -> list[dict[str, Any]]:
    return list(
        inventory.service.pages(
            operation,
            f"listing {listing_id}",
            status=status,
            subscribedListingId=listing_id,
            approverProjectId=inventory.project_id,
        )
    )


def _decide(inventory: Inventory, operation: str, name: str, **parameters: Any) -> None:
    """Decide; if somebody was faster, the next look shows how."""
    try:
        inventory.service.request(operation, name, **parameters)
    except ServiceError as error:
        if error.code != "ConflictException":
            raise
        _log.warning("%s was decided meanwhile: %s", name, error.message)


def _granted_filters(subscription: Mapping[str, Any]) -> set[str] | None:
    """Give the filters of a subscription; the service tells them for assets only."""
    item = subscription["subscribedListing"]["item"].get("assetListing")
    if item is None:
        return None
    return set(item.get("assetScope", {}).get("filterIds", ()))


def named(declared: Subscription) -> str:
    """Say what plans call a subscription.

    :param declared: the subscription.
    :returns: its subscriber and what it is to.
    """
    return f"subscription of {declared.subscriber} to {declared.subject}"
