from datetime import UTC, datetime, timedelta

import pytest

from updraft.lineage.harvest_position import HarvestPosition
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import OutboxError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_it_only_moves_forward(tmp_path):
    position = HarvestPosition(LocalOutbox(tmp_path), "r")
    assert position.load() is None
    for moment in (NOON, NOON - timedelta(hours=1)):
        position.save(moment)
        assert position.load() == NOON
    position.save(NOON + timedelta(hours=1))
    assert position.load() == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"version": 2, "through": "2026-11-23T12:00:00+00:00"}', b"{}"]
)
def test_what_is_no_position_is_named(tmp_path, text):
    outbox = LocalOutbox(tmp_path)
    outbox.save_checkpoint("r", text)
    with pytest.raises(OutboxError, match=r"checkpoint r in .* cannot be read"):
        HarvestPosition(outbox, "r").load()
