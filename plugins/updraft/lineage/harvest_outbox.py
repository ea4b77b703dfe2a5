"""Puts harvested events into the outbox, each once."""

from updraft.lineage.event_text import FoundEvent
from updraft.lineage.harvested_index import HarvestedIndex
from updraft.lineage.outbox import EventKey, Outbox
from updraft.lineage.run_configuration import mask_run_configuration

_BATCH_EVENTS = 500
_BATCH_BYTES = 8 << 20


class HarvestOutbox:
    """Store events in batches and remember which they were.

    The events of a batch are stored before the index is. Whoever is killed in between stores that
    batch again the next time, with the same content, which forwarder and catalog recognise.

    :param outbox: where the events go.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.stored = 0
        self.duplicates = 0
        self._outbox = outbox
        self._index = HarvestedIndex(outbox)
        self._batch: list[tuple[EventKey, bytes]] = []
        self._bytes = 0

    def add(self, found: FoundEvent, identity: str | None = None) -> None:
        """Take an event, and store it with the next batch.

        :param found: the event.
        :param identity: what it is recognised by, where its text may differ from time to time; its
            text if omitted.
        :raises OutboxError: when the outbox cannot be read or written.
        """
        event = found.event
        name = found.body if identity is None else identity.encode()
        if not self._index.add(name, event.get("eventTime")):
            self.duplicates += 1
            return
        body = mask_run_configuration(found.body)
        run = event.get("run")
        kind = "job" if isinstance(event.get("job"), dict) else "dataset"
        run_id = str(run.get("runId")) if isinstance(run, dict) else kind
        event_type = str(event.get("eventType") or "OTHER") if isinstance(run, dict) else "OTHER"
        key = EventKey.for_event(body, run_id=run_id, event_type=event_type)
        self._batch.append((key, body))
        self._bytes += len(body)
        if len(self._batch) >= _BATCH_EVENTS or self._bytes >= _BATCH_BYTES:
            self._store_batch()
        if self._index.is_full:
            self.save()
            self._index.shrink()

    def save(self) -> None:
        """Store what is left, and remember what was stored.

        :raises OutboxError: when the outbox cannot be written.
        """
        self._store_batch()
        self._index.save()

    def _store_batch(self) -> None:
        self._outbox.put_events(self._batch)
        self.stored += len(self._batch)
        self._batch.clear()
        self._bytes = 0
