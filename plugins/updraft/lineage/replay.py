"""Sends dead letters again, once the cause of their refusal is gone."""

from collections.abc import Iterator
from dataclasses import dataclass

from updraft.lineage.outbox import DeadLetter, EventKey, Outbox, OutboxError


@dataclass(frozen=True)
class Replayed:
    """A dead letter that was looked at.

    :param name: its name in the outbox.
    :param reason: why the event was refused, or the letter cannot be read.
    :param is_sent: whether the event is put back.
    """

    name: str
    reason: str
    is_sent: bool


def replay(outbox: Outbox, *, containing: str = "", only_list: bool = False) -> Iterator[Replayed]:
    """Put the events of dead letters back under a new time, and remove the letters.

    The event is stored before its letter goes, so nothing is lost in between. An event that is
    refused again leaves a new letter.

    :param outbox: where the letters are.
    :param containing: text in the reason or the name of those that are meant; all if empty.
    :param only_list: change nothing.
    :returns: each letter that is meant, and each that cannot be read.
    :raises OutboxError: when the outbox cannot be read or written.
    """
    # The names are listed before the first letter is removed from under the listing.
    for name in list(outbox.dead_letter_names()):
        body = outbox.read(name)
        try:
            letter = DeadLetter.from_json(body)
        except OutboxError as error:
            yield Replayed(name, str(error), is_sent=False)
            continue
        if containing not in letter.reason and containing not in name:
            continue
        if not only_list:
            old = EventKey.parse(letter.event_name)
            key = EventKey.for_event(
                letter.body,
                run_id=old.run_id if old else "unknown",
                event_type=old.event_type if old else "OTHER",
            )
            outbox.put_event(letter.body, key)
            outbox.delete(name)
        yield Replayed(name, letter.reason, is_sent=not only_list)
