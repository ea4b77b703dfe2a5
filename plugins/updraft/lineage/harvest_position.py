"""How far a history was harvested, in the outbox beside the checkpoints of other readers."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from updraft.lineage.outbox import Outbox, OutboxError

_VERSION = 1


@dataclass(frozen=True)
class HarvestPosition:
    """The position of one harvester.

    :param outbox: where it is kept.
    :param reader: name of the harvester: letters, digits, ``-`` and ``_``.
    """

    outbox: Outbox
    reader: str

    def load(self) -> datetime | None:
        """Say up to when everything is harvested; None before the first time.

        :raises OutboxError: when it cannot be read.
        """
        text = self.outbox.load_checkpoint(self.reader)
        if text is None:
            return None
        try:
            document = json.loads(text)
            known = {_VERSION: datetime.fromisoformat(document["through"])}
            return known[document["version"]].astimezone(UTC)
        except (ValueError, KeyError, TypeError) as error:
            raise OutboxError(
                f"the checkpoint {self.reader} in {self.outbox.uri} cannot be read ({error}); "
                f"delete it to begin again"
            ) from error

    def save(self, through: datetime) -> None:
        """Note down up to when everything is harvested.

        :param through: the time; an earlier one than what is there changes nothing.
        :raises OutboxError: when it cannot be read or written.
        """
        before = self.load()
        if before is None or through > before:
            document = {"version": _VERSION, "through": through.isoformat()}
            self.outbox.save_checkpoint(self.reader, json.dumps(document).encode())
