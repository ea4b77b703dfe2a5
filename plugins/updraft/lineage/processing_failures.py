"""Events that the catalog took and could not process afterwards, each reported once.

A catalog such as DataZone answers before it has looked into an event. What it finds then stands in
the event's processing status, where nobody looks.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from updraft.lineage.outbox import Outbox, OutboxError

LOOK_BACK = timedelta(days=2)
"""How old an event may be whose failure is reported; the service processes it within minutes."""

_REMEMBER = 2 * LOOK_BACK
_VERSION = 1


class ProcessingFailure(NamedTuple):
    """An event that could not be processed.

    :param event_id: what the catalog calls it.
    :param event_type: its type, such as ``COMPLETE``.
    :param job: name of its job.
    :param run_id: id of its run.
    """

    event_id: str
    event_type: str
    job: str
    run_id: str

    def __str__(self) -> str:
        return f"{self.event_id} ({self.event_type} of {self.job}, run {self.run_id})"


def new_failures(
    outbox: Outbox,
    catalog: str,
    failures: Callable[[datetime], Iterable[ProcessingFailure]],
    now: datetime | None = None,
) -> Iterator[ProcessingFailure]:
    """Give the failures that were not given before, and remember them.

    They are remembered when all are given: whoever is killed in between hears of them again.

    :param outbox: where it is remembered.
    :param catalog: name of the catalog.
    :param failures: asks the catalog for failures of events after a time.
    :param now: the time, if it is not now.
    :returns: the failures.
    :raises OutboxError: when the outbox cannot be read or written.
    """
    now = now or datetime.now(UTC)
    reader = f"failures-{catalog}"
    known = _load(outbox, reader)
    found = {}
    for failure in failures(now - LOOK_BACK):
        if failure.event_id not in known and failure.event_id not in found:
            found[failure.event_id] = now
            yield failure
    if found:
        recent = {name: at for name, at in known.items() if at > now - _REMEMBER}
        reported = {name: at.isoformat() for name, at in {**recent, **found}.items()}
        document = {"version": _VERSION, "reported": reported}
        outbox.save_checkpoint(reader, json.dumps(document).encode())


def _load(outbox: Outbox, reader: str) -> dict[str, datetime]:
    text = outbox.load_checkpoint(reader)
    if text is None:
        return {}
    try:
        reported = json.loads(text)["reported"]
        return {str(name): datetime.fromisoformat(at) for name, at in reported.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutboxError(
            f"the checkpoint {reader} in {outbox.uri} cannot be read ({error}); delete it, and "
            f"failures of the last {LOOK_BACK.days} days are reported again"
        ) from error
