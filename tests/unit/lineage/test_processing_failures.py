from datetime import UTC, datetime, timedelta

import pytest

from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import OutboxError
from updraft.lineage.processing_failures import LOOK_BACK, ProcessingFailure, new_failures

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def failure(name):
    return ProcessingFailure(name, "COMPLETE", "sales.load", "0c1d")


def test_each_is_given_once(tmp_path):
    outbox, asked = LocalOutbox(tmp_path), []
    there = [failure("a"), failure("a"), failure("b")]

    def failures(after):
        asked.append(after)
        return there

    assert [one.event_id for one in new_failures(outbox, "c", failures, NOW)] == ["a", "b"]
    assert list(new_failures(outbox, "c", failures, NOW)) == []
    there.append(failure("d"))
    assert list(new_failures(outbox, "c", failures, NOW)) == [failure("d")]
    assert len(list(new_failures(outbox, "another", failures, NOW))) == 3
    assert set(asked) == {NOW - LOOK_BACK}


def test_what_is_long_past_is_forgotten(tmp_path):
    outbox = LocalOutbox(tmp_path)
    for day in range(30):
        now = NOW + timedelta(days=day)
        assert (
            len(list(new_failures(outbox, "c", lambda _, day=day: [failure(str(day))], now))) == 1
        )
    assert len(outbox.load_checkpoint("failures-c")) < 400


def test_when_not_all_are_given_none_is_remembered(tmp_path):
    outbox = LocalOutbox(tmp_path)
    some = new_failures(outbox, "c", lambda _: [failure("a"), failure("b")], NOW)
    assert next(some) == failure("a")
    some.close()
    assert len(list(new_failures(outbox, "c", lambda _: [failure("a")], NOW))) == 1


def test_a_damaged_checkpoint_is_named(tmp_path):
    outbox = LocalOutbox(tmp_path)
    outbox.save_checkpoint("failures-c", b"[]")
    with pytest.raises(OutboxError, match=r"failures-c in .* cannot be read"):
        list(new_failures(outbox, "c", lambda _: [], NOW))
