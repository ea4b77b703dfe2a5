"""Every item of a segment is in one file, and no file is empty."""

import json

import pytest

from updraft.dynamodb import segment_files
from updraft.dynamodb.segment_files import SegmentFiles


class Lines:
    """A format of one JSON text per line."""

    maximum_items_per_file = 5

    def encode(self, items):
        return (json.dumps(item).encode() + b"\n" for item in items)


def _files(items, item_format=None):
    files = SegmentFiles(iter(items), item_format or Lines())
    contents = []
    while (stream := files.next_file()) is not None:
        contents.append(stream.read().splitlines())
    return files, contents


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 10, 11])
def test_items_are_cut_into_files(count):
    items = [{"n": {"N": str(number)}} for number in range(count)]
    files, contents = _files(items)

    assert [json.loads(line) for lines in contents for line in lines] == items
    assert [len(lines) for lines in contents] == [5] * (count // 5) + [count % 5] * bool(count % 5)
    assert files.items == count


def test_a_large_file_ends_early(monkeypatch):
    monkeypatch.setattr(segment_files, "MAXIMUM_FILE_BYTES", 1)
    monkeypatch.setattr(segment_files, "_LOOK_AT_SIZE_EVERY", 1)
    _, contents = _files([{"n": {"N": str(number)}} for number in range(4)])

    assert [len(lines) for lines in contents] == [1, 1, 1, 1]
