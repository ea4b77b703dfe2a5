"""What a task that runs steps has to remember while it is deferred."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass
class StepProgress:
    """How far the steps of a task are.

    :param step_ids: ids of the steps by their place in the list.
    :param give_up_at: when the waiting ends, in seconds since 1970.
    :param adopted: ids of those that an earlier attempt has added.
    :param log_looks: how often it has looked for the logs of a failed step.
    """

    step_ids: dict[int, str]
    give_up_at: float
    adopted: set[str] = field(default_factory=set)
    log_looks: int = 0

    def carried(self) -> dict[str, Any]:
        """Write it down.

        :returns: what can be written as JSON.
        """
        ids = {str(index): step_id for index, step_id in self.step_ids.items()}
        return {
            "step_ids": ids,
            "give_up_at": self.give_up_at,
            "adopted": sorted(self.adopted),
            "log_looks": self.log_looks,
        }

    @classmethod
    def read(cls, carried: Mapping[str, Any]) -> Self:
        """Read what was written down.

        :param carried: what :meth:`carried` gave.
        :returns: the progress.
        """
        ids = {int(index): step_id for index, step_id in carried["step_ids"].items()}
        return cls(ids, carried["give_up_at"], set(carried["adopted"]), carried["log_looks"])
