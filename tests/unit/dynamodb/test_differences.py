"""Records are compared partition by partition, however they are spread."""

import pytest

from updraft.dynamodb import differences, spill_files
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.comparison_records import (
    DELETED,
    EXPORT_PAYLOAD,
    TABLE_PAYLOAD,
    Place,
    export_record,
    place_and_digest,
    records,
    spread,
    table_record,
)
from updraft.dynamodb.differences import DifferenceFinder, DifferenceKind, DifferentKey
from updraft.dynamodb.spill_files import PARTITIONS, SpillFile


def _digest(number):
    return number.to_bytes(16, "big")


@pytest.fixture
def compare():
    """Compare {key: digest} with [(key, place, digest)]; the files are closed afterwards."""
    files = [SpillFile(), SpillFile()]

    def run(table, export, cancellation=None):
        files[0].add(table_record(key, digest) for key, digest in table.items())
        files[1].add(export_record(key, *place, digest) for key, place, digest in export)
        for file in files:
            file.finish()
        finder = DifferenceFinder(*files, cancellation or Cancellation())
        return list(finder.find()), finder.counts

    yield run
    for file in files:
        file.close()


def test_records_and_their_payloads_survive():
    place = Place(3, 2**40)
    with SpillFile() as file:
        partition, record = export_record(b'["x"]', *place, _digest(9))
        file.add([(partition, record)])
        file.add([export_record(b"k" * 20_000, 0, 1, DELETED)])
        file.finish()
        found = {
            key: place_and_digest(payload)
            for number in range(PARTITIONS)
            for key, payload in records(file.chunks(number), EXPORT_PAYLOAD)
        }
    assert found == {b'["x"]': (place, _digest(9)), b"k" * 20_000: (Place(0, 1), DELETED)}


def test_each_kind(compare):
    found, counts = compare(
        {b"same": _digest(1), b"changed": _digest(2), b"table": _digest(3), b"back": _digest(4)},
        [
            (b"same", Place(0, 1), _digest(1)),
            (b"changed", Place(0, 2), _digest(9)),
            (b"export", Place(1, 1), _digest(5)),
            (b"back", Place(1, 2), DELETED),
            (b"gone", Place(1, 3), DELETED),
        ],
    )

    assert sorted(found, key=lambda difference: difference.key) == [
        DifferentKey(DifferenceKind.NOT_DELETED, b"back", Place(1, 2)),
        DifferentKey(DifferenceKind.DIFFERENT, b"changed", Place(0, 2)),
        DifferentKey(DifferenceKind.ONLY_IN_EXPORT, b"export", Place(1, 1)),
        DifferentKey(DifferenceKind.ONLY_IN_TABLE, b"table", None),
    ]
    assert (counts.equal, counts.deleted, counts.superseded) == (1, 2, 0)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_the_last_record_of_a_key_counts_whatever_is_read_first(compare, order):
    export = [
        (b"k", Place(0, 300), _digest(1)),
        (b"k", Place(1, 2), DELETED),
        (b"k", Place(1, 256), _digest(7)),
    ]

    found, counts = compare({b"k": _digest(7)}, [export[n] for n in order])

    assert found == []
    assert (counts.equal, counts.deleted, counts.superseded) == (1, 0, 2)


def test_what_memory_should_not_hold_is_spread_again_with_the_same_result(compare, monkeypatch):
    monkeypatch.setattr(differences, "MAXIMUM_PARTITION_BYTES", 400)
    monkeypatch.setattr(spill_files, "CHUNK_BYTES", 1000)
    levels = []

    def watched(chunks, payload, level):
        levels.append(level)
        return spread(chunks, payload, level)

    monkeypatch.setattr(differences, "spread", watched)
    keys = [b"key-%d" % number for number in range(3000)]
    table = {key: _digest(number) for number, key in enumerate(keys) if number % 10 != 1}
    export = [
        (key, Place(0, number), _digest(9999 if number % 10 == 2 else number))
        for number, key in enumerate(keys)
        if number % 10 != 3
    ]

    found, counts = compare(table, export)

    assert set(levels) == {1}
    by_kind = {
        kind: {difference.key for difference in found if difference.kind is kind}
        for kind in DifferenceKind
    }
    assert by_kind[DifferenceKind.ONLY_IN_EXPORT] == set(keys[1::10])
    assert by_kind[DifferenceKind.DIFFERENT] == set(keys[2::10])
    assert by_kind[DifferenceKind.ONLY_IN_TABLE] == set(keys[3::10])
    assert len(found) == 900
    assert counts.equal == 2100


def test_keys_that_cannot_be_spread_are_compared_in_the_end(compare, monkeypatch):
    monkeypatch.setattr(differences, "MAXIMUM_PARTITION_BYTES", 1)
    export = [(b"k", Place(0, number), _digest(number)) for number in range(500)]

    found, counts = compare({b"k": _digest(499)}, export)

    assert found == []
    assert (counts.equal, counts.superseded) == (1, 499)


def test_the_order_does_not_depend_on_the_order_of_reading(compare):
    keys = [b"key-%d" % number for number in range(2000)]
    expected, _ = compare({key: _digest(1) for key in keys}, [])
    with SpillFile() as table, SpillFile() as export:
        table.add(table_record(key, _digest(1)) for key in reversed(keys))
        table.finish()
        export.finish()
        found = list(DifferenceFinder(table, export, Cancellation()).find())

    assert found == expected
    assert len(found) == 2000


def test_stops_at_a_cancellation(compare):
    cancellation = Cancellation()
    cancellation.cancel()

    with pytest.raises(CancelledError):
        compare({b"k": _digest(1)}, [], cancellation)


def test_payload_sizes():
    assert len(table_record(b"k", _digest(1))[1]) == 2 + 1 + TABLE_PAYLOAD
    assert len(export_record(b"k", 0, 1, _digest(1))[1]) == 2 + 1 + EXPORT_PAYLOAD
