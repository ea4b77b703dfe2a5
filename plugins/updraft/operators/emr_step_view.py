"""The steps of a cluster at one moment, and what their states mean."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from updraft.emr.steps import ACTIVE_STATES, COMPLETED, identity_of, stops_others

Step: TypeAlias = Mapping[str, Any]
"""What ListSteps says about one step."""


@dataclass(frozen=True)
class View:
    """The steps of a cluster at one moment.

    :param instances: the task's own steps by key, for each the instances in the order they were
        added; of several with the same number the one added first.
    :param surplus: own steps that are there twice, because two attempts overlapped.
    :param by_id: all own steps by id.
    :param active: number of steps of the cluster that have not ended.
    """

    instances: dict[str, dict[int, Step]]
    surplus: Sequence[Step]
    by_id: Mapping[str, Step]
    active: int

    @classmethod
    def of(cls, listed: Iterable[Step], keys: Collection[str]) -> Self:
        """Sort what ListSteps gives.

        :param listed: the steps of the cluster, the latest first.
        :param keys: keys of the task's own steps.
        :returns: the view.
        """
        instances: dict[str, dict[int, Step]] = {}
        surplus: list[Step] = []
        by_id: dict[str, Step] = {}
        seen: set[str] = set()
        active = 0
        for step in listed:  # the latest first
            if step["Id"] in seen:
                continue  # it moved on to the next page when another step was added
            seen.add(step["Id"])
            active += step["Status"]["State"] in ACTIVE_STATES
            identity = identity_of(step["Name"])
            if identity is None or identity.key not in keys:
                continue
            by_id[step["Id"]] = step
            numbered = instances.setdefault(identity.key, {})
            later = numbered.get(identity.instance)
            if later is not None:
                surplus.append(later)
            numbered[identity.instance] = step
        return cls(instances, surplus, by_id, active)

    def latest(self, key: str) -> tuple[int, Step] | None:
        """Find the instance of a step that was added last.

        :param key: key of the step.
        :returns: its number and the step, ``None`` if it was never added.
        """
        found = self.instances.get(key)
        return max(found.items()) if found else None


def has_failed(step: Step) -> bool:
    """Tell whether a step has ended without success.

    :param step: the step.
    :returns: whether it has.
    """
    state = step["Status"]["State"]
    return state != COMPLETED and state not in ACTIVE_STATES


def keeps_others_out(step: Step) -> bool:
    """Tell whether steps after a step must not be added.

    :param step: the step.
    :returns: whether it has failed, and cancels those after it.
    """
    return has_failed(step) and stops_others(step)
