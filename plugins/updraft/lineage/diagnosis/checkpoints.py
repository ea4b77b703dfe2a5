"""What the checkpoints in an outbox say about those who forward from it."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from updraft.lineage.checkpoint import Checkpoint
from updraft.lineage.diagnosis.findings import Finding, error, ok
from updraft.lineage.outbox import CHECKPOINTS, ObjectMissingError, Outbox, OutboxError

_CATALOGS = ("datazone-", "http-")
"""How the names of checkpoints begin that are about a catalog; harvesters have others."""


def diagnose_checkpoints(outbox: Outbox) -> Iterator[Finding]:
    """Say how far each catalog has been served, and which checkpoint stops its forwarder.

    :param outbox: the outbox.
    :returns: one finding for each catalog; none before the first event is forwarded.
    :raises OutboxError: when the outbox cannot be read.
    """
    for name in outbox.names(CHECKPOINTS):
        reader = PurePosixPath(name).stem
        if not reader.startswith(_CATALOGS):
            continue
        try:
            document = outbox.read(name)
        except ObjectMissingError:  # deleted meanwhile
            continue
        try:
            position = Checkpoint.from_json(document, f"{reader} in {outbox.uri}").position
        except OutboxError as failure:
            yield error("forwarding", str(failure), "until then no event gets to this catalog")
            continue
        served = f"up to {position:%Y-%m-%d %H:%M:%S} UTC" if position else "nothing yet"
        yield ok("forwarding", f"{reader}: {served}")
