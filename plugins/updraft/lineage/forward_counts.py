"""What a run of the forwarder did."""

from dataclasses import asdict, dataclass


@dataclass
class ForwardCounts:
    """What one run of the forwarder did.

    :param read: events looked at, without those that an earlier run had settled.
    :param posted: events that the catalog took.
    :param already_there: events that the catalog said it had.
    :param duplicates: copies of an event that were left out, because one that was written at
        about the same time is delivered.
    :param merged: events that went with another one of the same run and type.
    :param restarts: starts of a run that had started before, sent as ``RUNNING`` or ``OTHER``.
    :param starts_added: starts that were made of the ends of tasks that had emitted none.
    :param trimmed: events that were too large and were made smaller.
    :param closed: runs that were ended because Airflow knows that they are over.
    :param failed_later: events that the catalog had taken and could not process, first seen now.
    :param dead_lettered: events put aside with a reason.
    :param not_run_events: job and dataset events, which the catalog has no place for.
    :param missing: events that were deleted between listing and reading.
    :param unrecognised: objects in the outbox that are not named like an event.
    :param bytes_posted: size of the events that the catalog took.
    """

    read: int = 0
    posted: int = 0
    already_there: int = 0
    duplicates: int = 0
    merged: int = 0
    restarts: int = 0
    starts_added: int = 0
    trimmed: int = 0
    closed: int = 0
    failed_later: int = 0
    dead_lettered: int = 0
    not_run_events: int = 0
    missing: int = 0
    unrecognised: int = 0
    bytes_posted: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as they go into XCom."""
        return asdict(self)
