"""Numbers and lists of a request that a template has made: Airflow renders all values to texts."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from updraft.errors import UpdraftError

_WHOLE_NUMBER = re.compile(r"-?[0-9]+")  # an adjustment of the capacity may be negative
_NUMBERS = frozenset(
    {
        "BlockDurationMinutes",
        "CoolDown",
        "EbsRootVolumeIops",
        "EbsRootVolumeSize",
        "EbsRootVolumeThroughput",
        "EvaluationPeriods",
        "IdleTimeout",
        "InstanceCount",
        "Iops",
        "MaxCapacity",
        "MaximumCapacityUnits",
        "MaximumCoreCapacityUnits",
        "MaximumOnDemandCapacityUnits",
        "MinCapacity",
        "MinimumCapacityUnits",
        "Period",
        "ScalingAdjustment",
        "SizeInGB",
        "StepConcurrencyLevel",
        "TargetOnDemandCapacity",
        "TargetSpotCapacity",
        "Throughput",
        "TimeoutDurationMinutes",
        "UtilizationPerformanceIndex",
        "VolumesPerInstance",
        "WeightedCapacity",
    }
)
"""The members of RunJobFlow that are whole numbers, at any depth."""


_LISTS = frozenset({"AdditionalMasterSecurityGroups", "AdditionalSlaveSecurityGroups"})
"""The members of RunJobFlow whose texts a parameter of a pipeline may hold as a list."""


def with_numbers(request: Mapping[str, Any]) -> dict[str, Any]:
    """Turn texts into numbers, and JSON into lists, where RunJobFlow takes nothing else.

    An empty text is what a template makes of an optional field of the form that nobody has filled
    in: such a member is left out, and so is a group of task nodes without type or number.

    :param request: a request, or a part of one.
    :returns: a copy in which these members are whole numbers, or lists.
    :raises UpdraftError: when such a member is a text that is no whole number, or no list.
    """
    given = {name: value for name, value in request.items() if value not in ("", [""])}
    return {name: _converted(name, value) for name, value in given.items()}


def _converted(name: str, value: Any) -> Any:
    if name in {"Properties", "Tags"}:
        # Free names: one of them may be spelt like a member of the API.
        return value
    if isinstance(value, Mapping):
        return with_numbers(value)
    if isinstance(value, str):
        if name in _LISTS:
            return _list(name, value)
        return _number(name, value) if name in _NUMBERS else value
    if isinstance(value, Sequence):
        items = [with_numbers(one) if isinstance(one, Mapping) else one for one in value]
        return [one for one in items if not (name == "InstanceGroups" and _is_unused(one))]
    return value


def _is_unused(group: Any) -> bool:
    return (
        isinstance(group, Mapping)
        and group.get("InstanceRole") == "TASK"
        and not (group.get("InstanceType") and group.get("InstanceCount"))
    )


def _list(name: str, text: str) -> list[str]:
    try:
        items = json.loads(text)
    except ValueError:
        items = None
    if isinstance(items, list) and all(isinstance(one, str) for one in items):
        return items
    raise UpdraftError(f"cluster: {name}: {text!r} is neither a list nor the JSON of one")


def _number(name: str, text: str) -> int:
    if _WHOLE_NUMBER.fullmatch(text.strip()):
        return int(text)
    raise UpdraftError(f"cluster: {name}: {text!r} is not a whole number")
