"""What has to be done about grants, by which a subscriber's environment can read the data.

DataZone makes grants of an approved subscription itself where a subscription target of the project
fits. Where it does not, or where a grant has failed, CreateSubscriptionGrant makes one.

.. seealso:: CreateSubscriptionGrant, DeleteSubscriptionGrant and ListSubscriptionGrants in the API
    reference of Amazon DataZone.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from updraft.datazone.changes import Change, Plan, Tokens
from updraft.datazone.declaration import Declaration, Grant, Subscription
from updraft.datazone.inventory import Inventory
from updraft.datazone.subscribers import find_subscriber, subscriber_id
from updraft.datazone.subscription_plans import approved_subscriptions, find_listing, named
from updraft.dynamodb.service_errors import AccessDeniedError, ResourceMissingError, ServiceError
from updraft.errors import UpdraftError

_log = logging.getLogger(__name__)

_GOES_ON = frozenset({"PENDING", "IN_PROGRESS"})
_COMPLETED = "COMPLETED"
_LONGEST_WAIT = 600.0  # seconds for a grant to be taken back
_PAUSE = 2.0


@dataclass
class GrantStates:
    """How grants are doing.

    :param going_on: what is being granted.
    :param failed: grants of the file that have failed, and why.
    :param notes: the same of other grants.
    """

    going_on: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan_grants(
    declaration: Declaration, inventory: Inventory, tokens: Tokens, *, is_preview: bool
) -> Plan:
    """Find declared grants that are not there, or have failed.

    A grant that this run has made is not made again when it fails.

    :param declaration: what is wanted.
    :param inventory: what there is.
    :param tokens: makes client tokens.
    :param is_preview: whether data sources have not run, which may bring assets.
    :returns: what makes them.
    :raises UpdraftError: when AWS refuses.
    """
    plan = Plan()
    for declared, subscription in _approved(declaration, inventory, "approve", is_preview):
        there = _grants(inventory, subscription) if declared.grants else []
        for wanted in declared.grants:
            grant = next((one for one in there if _fits(one, wanted)), None)
            maker = _Maker(declared, wanted, subscription, inventory, tokens)
            if grant is None or _is_being_taken_back(grant):
                if maker.key not in inventory.known.grants:  # else the list is behind
                    plan.changes.append(maker.create(grant))
            elif _has_failed(grant) and grant["id"] not in inventory.known.grants:
                plan.changes.append(maker.renew(grant))
    return plan


def plan_revoked_grants(
    declaration: Declaration, inventory: Inventory, *, is_preview: bool
) -> Plan:
    """Find declared grants of subscriptions that are to be revoked.

    :param declaration: what is wanted.
    :param inventory: what there is.
    :param is_preview: whether data sources have not run, which may bring assets.
    :returns: what takes them back.
    :raises UpdraftError: when AWS refuses.
    """
    plan = Plan()
    for declared, subscription in _approved(declaration, inventory, "revoke", is_preview):
        for grant in _grants(inventory, subscription) if declared.grants else ():
            fitting = [wanted for wanted in declared.grants if _fits(grant, wanted)]
            if fitting and not _is_being_taken_back(grant):
                plan.changes.append(_taken_back(inventory, grant, named(declared), fitting[0]))
    return plan


def grant_states(declaration: Declaration, inventory: Inventory) -> GrantStates:
    """Look at the grants of the subscriptions that the file approves.

    :param declaration: what is wanted.
    :param inventory: what there is.
    :returns: how they are doing.
    :raises UpdraftError: when AWS refuses; that is a note where the file has no grants.
    """
    states = GrantStates()
    for declared, subscription in _approved(declaration, inventory, "approve", is_preview=False):
        try:
            there = _grants(inventory, subscription)
        except AccessDeniedError as error:
            if declared.grants:
                raise
            states.notes.append(f"{named(declared)}: whether it was granted is not known. {error}")
            continue
        for grant in there:
            where = f"{named(declared)} in environment {grant.get('environmentId', 'unknown')}"
            if grant["status"] in _GOES_ON:
                states.going_on.append(where)
            elif _has_failed(grant):
                is_declared = any(_fits(grant, wanted) for wanted in declared.grants)
                said = states.failed if is_declared else states.notes
                said.append(f"{where}: {grant['status']}, {_reason(grant)}")
    return states


def _approved(
    declaration: Declaration, inventory: Inventory, decision: str, is_preview: bool
) -> Iterator[tuple[Subscription, Mapping[str, Any]]]:
    may_come = is_preview and bool(declaration.data_sources)
    for declared in declaration.subscriptions:
        if declared.decision != decision:
            continue
        listing_id = find_listing(declared, declaration, inventory, may_come=may_come)
        if listing_id is None:
            continue
        subscriber = find_subscriber(inventory, declared.subscriber)
        for subscription in approved_subscriptions(inventory, listing_id):
            if subscriber_id(subscription) == subscriber:
                yield declared, subscription


@dataclass(frozen=True)
class _Maker:
    declared: Subscription
    wanted: Grant
    subscription: Mapping[str, Any]
    inventory: Inventory
    tokens: Tokens

    @property
    def key(self) -> str:
        """What this run remembers when the grant is made."""
        return f"{self.subscription['id']} in {self.wanted}"

    def create(self, before: Mapping[str, Any] | None) -> Change:
        """Plan to make a grant, after the one before has gone that is being taken back."""

        def perform() -> None:
            if before is not None:
                self._wait_until_gone(before)
            self._create(before)

        return Change("grant", named(self.declared), f"in {self.wanted}", perform)

    def renew(self, failed: Mapping[str, Any]) -> Change:
        """Plan to make a grant again that has failed."""

        def perform() -> None:
            _delete(self.inventory, failed, named(self.declared))
            self._wait_until_gone(failed)
            self._create(failed)

        details = f"in {self.wanted}; {failed['status']}, {_reason(failed)}"
        return Change("renew grant", named(self.declared), details, perform)

    def _create(self, before: Mapping[str, Any] | None) -> None:
        listing = self.subscription["subscribedListing"]
        entity = {"listing": {"identifier": listing["id"], "revision": self._revision()}}
        place = {
            "environmentIdentifier": self.wanted.environment,
            "subscriptionTargetIdentifier": self.wanted.target,
        }
        token = self.tokens.make(
            "grant", place, entity, self.subscription["id"], before["id"] if before else None
        )
        try:
            made = self.inventory.service.request(
                "CreateSubscriptionGrant",
                f"{named(self.declared)} in {self.wanted}",
                grantedEntity=entity,
                clientToken=token,
                **place,
            )
        except ServiceError as error:
            if error.code != "ConflictException":
                raise
            _log.warning("%s was granted meanwhile: %s", named(self.declared), error.message)
        else:
            self.inventory.known.grants.add(made["id"])
        self.inventory.known.grants.add(self.key)

    def _revision(self) -> str:
        listing = self.subscription["subscribedListing"]
        found = self.inventory.service.request(
            "GetListing", f"listing {listing['id']}", identifier=listing["id"]
        )
        return str(found["listingRevision"])

    def _wait_until_gone(self, grant: Mapping[str, Any]) -> None:
        deadline = time.monotonic() + _LONGEST_WAIT
        while any(one["id"] == grant["id"] for one in _grants(self.inventory, self.subscription)):
            if time.monotonic() >= deadline:
                raise UpdraftError(
                    f"{named(self.declared)}: the grant in {self.wanted} is still there "
                    f"{_LONGEST_WAIT:g} s after it was taken back. A retry looks again."
                )
            time.sleep(_PAUSE)


def _taken_back(inventory: Inventory, grant: Mapping[str, Any], name: str, wanted: Grant) -> Change:
    def perform() -> None:
        _delete(inventory, grant, name)

    return Change("take back grant", name, f"in {wanted}", perform)


def _delete(inventory: Inventory, grant: Mapping[str, Any], name: str) -> None:
    try:
        inventory.service.request("DeleteSubscriptionGrant", name, identifier=grant["id"])
    except ResourceMissingError:
        _log.info("The grant %s of %s has gone already", grant["id"], name)
    except ServiceError as error:
        if error.code != "ConflictException":
            raise
        _log.warning("The grant %s of %s is being changed: %s", grant["id"], name, error.message)


def _grants(inventory: Inventory, subscription: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(
        inventory.service.pages(
            "ListSubscriptionGrants",
            f"subscription {subscription['id']}",
            subscriptionId=subscription["id"],
        )
    )


def _fits(grant: Mapping[str, Any], wanted: Grant) -> bool:
    is_there = grant.get("environmentId") == wanted.environment
    return is_there and wanted.target in {None, grant["subscriptionTargetId"]}


def _is_being_taken_back(grant: Mapping[str, Any]) -> bool:
    states = [one["status"] for one in grant.get("assets", ())]
    going = {"REVOKE_PENDING", "REVOKE_IN_PROGRESS", "REVOKED"}
    return bool(states) and all(state in going for state in states)


def _has_failed(grant: Mapping[str, Any]) -> bool:
    return grant["status"] not in {*_GOES_ON, _COMPLETED}


def _reason(grant: Mapping[str, Any]) -> str:
    said = [one.get("failureCause", {}).get("message") for one in grant.get("assets", ())]
    return "; ".join(dict.fromkeys(filter(None, said))) or "DataZone gives no reason"
