"""Which steps a retry runs again: those that did not complete, or all from the first one on.

A round is one run through a list of steps. All steps of a round bear its number as that of their
instance, so that an attempt that finds only some of them knows which are still to be added.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from updraft.emr.steps import ACTIVE_STATES, identity_of
from updraft.operators.emr_step_view import Step, View, has_failed

FAILED_STEP, FIRST_STEP = "failed_step", "first_step"
RETRY_FROM = (FAILED_STEP, FIRST_STEP)
"""Where a retry goes on after a step has failed."""


@dataclass(frozen=True)
class StepRounds:
    """The steps of a task as rounds.

    :param keys: keys of the steps, in their order.
    :param series: digest of the series of attempts; what another series did is no round of this.
    """

    keys: Sequence[str]
    series: str

    def had_failed(self, view: View, known: Collection[str]) -> bool:
        """Tell whether the latest round had failed before this attempt.

        :param view: the steps of the cluster.
        :param known: ids of the steps that this attempt waits for; if one of them has failed, the
            attempt has, with all that EMR has cancelled for it.
        :returns: false while the round goes on, and when it has completed.
        """
        failed = {step["Id"] for step in self._latest_round(view) if has_failed(step)}
        return bool(failed) and failed.isdisjoint(known)

    def active(self, view: View) -> list[str]:
        """List the steps of the latest round that have not ended.

        :param view: the steps of the cluster.
        :returns: their ids.
        """
        states = ((step["Id"], step["Status"]["State"]) for step in self._latest_round(view))
        return [step_id for step_id, state in states if state in ACTIVE_STATES]

    def is_behind(self, view: View, index: int) -> bool:
        """Tell whether a step has still to be added to the latest round.

        :param view: the steps of the cluster.
        :param index: its place in the list.
        :returns: whether earlier rounds alone have it.
        """
        latest = view.latest(self.keys[index])
        return latest is None or latest[0] < self._number(view)

    def next_number(self, view: View, index: int, missing: Collection[int]) -> int:
        """Give the number of the instance of a step that is added.

        :param view: the steps of the cluster.
        :param index: its place in the list.
        :param missing: places of all steps that are to be added; a round begins with the first.
        :returns: the number.
        """
        numbers = {key: found[0] for key in self.keys if (found := view.latest(key))}
        if 0 in missing:
            return max(numbers.values(), default=0) + 1
        return max(self._number(view), numbers.get(self.keys[index], 0) + 1)

    def _number(self, view: View) -> int:
        """Tell the number of the latest round, which is that of the first step."""
        first = view.latest(self.keys[0])
        return first[0] if first is not None else 0

    def _latest_round(self, view: View) -> list[Step]:
        number = self._number(view)
        found = (view.latest(key) for key in self.keys)
        return [
            step
            for instance, step in (one for one in found if one is not None)
            if instance >= number and self._is_of_series(step)
        ]

    def _is_of_series(self, step: Step) -> bool:
        identity = identity_of(step["Name"])
        return identity is not None and identity.series == self.series
