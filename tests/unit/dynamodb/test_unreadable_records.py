"""Unreadable records wait on the disk until the differences are told."""

import os
import tempfile
from pathlib import Path

import pytest

from updraft.dynamodb.differences import Difference, DifferenceKind
from updraft.dynamodb.unreadable_records import UnreadableRecords
from updraft.errors import UpdraftError


def test_they_come_back_in_order_whatever_they_quote(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with UnreadableRecords() as records:
        records.add("s3://b/f", 1, "no item: 'a\nb\u2028ü'")
        records.add("s3://b/g", 2**40, "a lone surrogate: '\ud800'")

        found = list(records.differences())
        assert list(tmp_path.iterdir()) == []  # the file has no name

    assert found == [
        Difference(
            DifferenceKind.UNREADABLE,
            file="s3://b/f",
            position=1,
            reason="no item: 'a\nb\u2028ü'",
        ),
        Difference(
            DifferenceKind.UNREADABLE,
            file="s3://b/g",
            position=2**40,
            reason="a lone surrogate: '\\ud800'",
        ),
    ]


def test_none():
    with UnreadableRecords() as records:
        assert list(records.differences()) == []


def test_a_full_disk_is_explained():
    def fill(records):
        for number in range(10_000):
            records.add("s3://b/f", number, "no item")

    with UnreadableRecords() as records, Path("/dev/full").open("wb", buffering=0) as full:
        os.dup2(full.fileno(), records._file.fileno())
        with pytest.raises(UpdraftError, match=r"No space left.*TMPDIR"):
            fill(records)
