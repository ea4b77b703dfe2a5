"""Temporary files of records, with full disks and killed processes."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from updraft.dynamodb import spill_files
from updraft.dynamodb.spill_files import CHUNK_BYTES, SpillFile
from updraft.errors import UpdraftError

PLUGINS = Path(__file__).parents[3] / "plugins"


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _content(file, partition):
    return b"".join(file.chunks(partition))


def test_records_come_back_by_partition():
    with SpillFile() as file:
        file.add([(0, b"a"), (255, b"b"), (0, b"c")])
        file.finish()

        assert _content(file, 0) == b"ac"
        assert _content(file, 255) == b"b"
        assert list(file.chunks(1)) == []
        assert [file.size(partition) for partition in (0, 1, 255)] == [2, 0, 1]


def test_more_than_a_chunk_goes_to_the_disk_in_whole_records():
    record = b"x" * 1000
    with SpillFile() as file:
        for _ in range(200):
            file.add([(7, record), (8, b"y")])
        file.finish()

        chunks = list(file.chunks(7))
        assert len(chunks) > 1
        assert all(len(chunk) % len(record) == 0 for chunk in chunks)
        assert b"".join(chunks) == record * 200
        assert _content(file, 8) == b"y" * 200


def test_a_record_longer_than_a_chunk():
    with SpillFile() as file:
        file.add([(0, b"x" * (3 * CHUNK_BYTES))])
        file.finish()

        assert file.size(0) == len(_content(file, 0)) == 3 * CHUNK_BYTES


def test_threads_do_not_lose_each_others_records():
    def add(thread):
        for number in range(2000):
            file.add([(number % 256, b"%d-%06d;" % (thread, number) + b"x" * 400)])

    with SpillFile() as file:
        threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        file.finish()

        found = sorted(
            record.split(b";")[0].removeprefix(b"x" * 400)
            for partition in range(256)
            for chunk in file.chunks(partition)
            for record in [chunk[i : i + 409] for i in range(0, len(chunk), 409)]
        )
    assert found == sorted(b"%d-%06d" % (t, n) for t in range(4) for n in range(2000))


def test_nothing_is_left_behind(directory):
    with SpillFile() as file:
        file.add([(0, b"x" * CHUNK_BYTES)])
        assert list(directory.iterdir()) == []  # it has no name even now


def test_nothing_is_left_behind_by_a_killed_process(tmp_path):
    program = (
        "import sys\n"
        "from updraft.dynamodb.spill_files import SpillFile\n"
        "file = SpillFile()\n"
        "file.add([(0, b'x' * 10_000_000)])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(PLUGINS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_explained(directory, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spill_files.os, "pwrite", full)
    with SpillFile() as file, pytest.raises(UpdraftError, match=r"No space left.*TMPDIR") as raised:
        file.add([(0, b"x" * CHUNK_BYTES)])
    assert str(directory) in str(raised.value)


def test_a_file_that_was_cut_is_noticed():
    with SpillFile() as file:
        file.add([(0, b"x" * 100)])
        file.finish()
        os.truncate(file._file.fileno(), 50)

        with pytest.raises(UpdraftError, match="lost its end"):
            list(file.chunks(0))


def test_a_short_write_is_continued(monkeypatch):
    pwrite = os.pwrite
    monkeypatch.setattr(
        spill_files.os, "pwrite", lambda file, data, offset: pwrite(file, data[:7], offset)
    )
    with SpillFile() as file:
        file.add([(0, bytes(range(100))), (1, b"y")])
        file.finish()

        assert _content(file, 0) == bytes(range(100))
        assert _content(file, 1) == b"y"
