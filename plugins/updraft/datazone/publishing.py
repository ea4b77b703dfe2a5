"""Makes the catalog what a file declares, step by step, and looks whether it is."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from updraft.datazone.asset_plans import plan_assets, plan_filters
from updraft.datazone.changes import Change, Plan, Tokens
from updraft.datazone.declaration import Declaration
from updraft.datazone.grant_plans import grant_states, plan_grants, plan_revoked_grants
from updraft.datazone.inventory import Inventory, Known
from updraft.datazone.listing_plans import (
    ASSET,
    DATA_PRODUCT,
    declared_entities,
    plan_listings,
)
from updraft.datazone.names import find_project
from updraft.datazone.product_plans import plan_products
from updraft.datazone.prune_plans import plan_pruning
from updraft.datazone.service import DomainService
from updraft.datazone.subscription_plans import plan_subscriptions
from updraft.errors import UpdraftError

_log = logging.getLogger(__name__)

_ROUNDS = 3  # what was decided meanwhile, or an index that is behind, shows in the next one
_LONGEST_WAIT = 600.0  # seconds for listings to become active
_PAUSE = 2.0

_Step = Callable[[Inventory, Plan], Plan]


@dataclass
class Outcome:
    """What was done.

    :param changes: the changes, in their order.
    :param notes: what the file wants and no call can bring about.
    """

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Publisher:
    """Compares a project with a declaration and makes up for the difference.

    Nothing is remembered between two runs: what is there is read anew, so that one that was killed
    is gone on with, and one that has been done finds nothing to do. Within a run, each step reads
    again what the steps before may have changed.

    :param service: the domain.
    :param declaration: what is wanted.
    :param salt: what tells this task from all others, see :class:`Tokens`.
    :param check: called before each change; raises to stop.
    """

    def __init__(
        self,
        service: DomainService,
        declaration: Declaration,
        salt: str,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._service = service
        self._declaration = declaration
        self._tokens = Tokens(salt)
        self._check = check
        self._known = Known()

    def plan(self) -> Plan:
        """Find all differences, and change nothing.

        :returns: what would be done.
        :raises UpdraftError: when what is declared can't be, or AWS refuses.
        """
        inventory, plan = self._inventory(), Plan()
        for step in self._steps(is_preview=True):
            plan.add(step(inventory, plan))
        return plan

    def apply(self) -> Outcome:
        """Make up for all differences.

        :returns: what was done; nothing the second time.
        :raises UpdraftError: when what is declared can't be, or AWS refuses; what was done until
            then stays, and the next run does the rest.
        """
        outcome = Outcome()
        for _ in range(_ROUNDS):
            done = self._round(outcome)
            if not done:
                self._wait_for_listings()
                self._wait_for_grants(outcome)
                return outcome
        left = "; ".join(map(str, self.plan().changes))
        if left:
            raise UpdraftError(f"After {_ROUNDS} rounds the catalog still differs: {left}")
        self._wait_for_listings()
        self._wait_for_grants(outcome)
        return outcome

    def _round(self, outcome: Outcome) -> bool:
        """Go through all steps, each of which sees what the ones before have done."""
        is_changed = False
        notes: list[str] = []
        for step in self._steps(is_preview=False):
            plan = step(self._inventory(), Plan())
            notes += plan.notes
            for change in plan.changes:
                self._check()
                _log.info("%s", change)
                change.perform()
                outcome.changes.append(change)
                is_changed = True
        outcome.notes = notes
        return is_changed

    def _steps(self, *, is_preview: bool) -> Iterator[_Step]:
        wanted, tokens = self._declaration, self._tokens

        def listings(kind: str) -> _Step:
            return lambda inventory, plan: plan_listings(wanted, kind, inventory, tokens, plan)

        yield lambda inventory, _: plan_assets(wanted, inventory, tokens, is_preview=is_preview)
        yield lambda inventory, _: plan_filters(wanted, inventory, tokens)
        yield listings(ASSET)
        yield lambda inventory, plan: plan_products(
            wanted, inventory, tokens, plan, is_preview=is_preview
        )
        yield listings(DATA_PRODUCT)
        yield lambda inventory, _: plan_revoked_grants(wanted, inventory, is_preview=is_preview)
        yield lambda inventory, _: plan_subscriptions(wanted, inventory, is_preview=is_preview)
        yield lambda inventory, _: plan_grants(wanted, inventory, tokens, is_preview=is_preview)
        yield lambda inventory, _: plan_pruning(wanted, inventory, tokens)

    @cached_property
    def _project_id(self) -> str:
        return find_project(self._service, self._declaration.project)

    def _inventory(self) -> Inventory:
        return Inventory(self._service, self._project_id, self._known)

    def _wait_for_listings(self) -> None:
        """Wait until what is published can be found."""
        deadline = time.monotonic() + _LONGEST_WAIT
        while being_made := list(self._listings_being_made()):
            if time.monotonic() >= deadline:
                raise UpdraftError(
                    f"After {_LONGEST_WAIT:g} s these are not listed yet: {', '.join(being_made)}"
                )
            self._check()
            _log.info("Being listed: %s", ", ".join(being_made))
            time.sleep(_PAUSE)

    def _wait_for_grants(self, outcome: Outcome) -> None:
        """Wait until it is known whether subscribers were let in, and say who was not."""
        deadline = time.monotonic() + _LONGEST_WAIT
        while True:
            states = grant_states(self._declaration, self._inventory())
            if not states.going_on:
                break
            if time.monotonic() >= deadline:
                raise UpdraftError(
                    f"After {_LONGEST_WAIT:g} s these are not granted yet: "
                    f"{', '.join(states.going_on)}"
                )
            self._check()
            _log.info("Being granted: %s", ", ".join(states.going_on))
            time.sleep(_PAUSE)
        outcome.notes += states.notes
        if states.failed:
            raise UpdraftError(f"Not granted: {'; '.join(states.failed)}. A retry makes it anew.")

    def _listings_being_made(self) -> Iterator[str]:
        inventory = self._inventory()
        for entity, is_wanted in declared_entities(self._declaration):
            entity_id = entity.find(inventory) if is_wanted else None
            listing = entity.listing(inventory, entity_id) if entity_id else None
            if listing is not None and listing.get("status") == "CREATING":
                yield entity.subject
