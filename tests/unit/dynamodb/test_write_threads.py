"""Writes of one key keep their order, whatever the threads do."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.item_writer import MAXIMUM_BATCH_ITEMS, Write
from updraft.dynamodb.write_threads import WriteThreads
from updraft.errors import UpdraftError


def _write(key, value, size=100):
    return Write((key,), {"id": {"S": key}, "v": {"N": str(value)}}, False, size)


class Table:
    """Keeps what is written, and notes the batches."""

    def __init__(self):
        self.items = {}
        self.batches = []
        self.tags = []
        self._lock = threading.Lock()

    def __call__(self, batch):
        with self._lock:
            self.batches.append(len(batch))
            self.tags.extend(tag for _, tag in batch)
            for write, _ in batch:
                self.items[write.key] = write.item["v"]["N"]


@settings(max_examples=30, deadline=None)
@given(keys=st.lists(st.integers(0, 30), max_size=400), threads=st.integers(1, 5))
def test_the_last_write_of_a_key_stays(keys, threads):
    table = Table()
    writer = WriteThreads(table, threads, Cancellation())
    replaced = []
    for number, key in enumerate(keys):
        tag = writer.put(_write(str(key), number), number)
        if tag is not None:
            replaced.append(tag)
    writer.finish()

    assert table.items == {(str(key),): str(number) for number, key in enumerate(keys)}
    assert sorted(table.tags + replaced) == list(range(len(keys)))
    assert all(size <= MAXIMUM_BATCH_ITEMS for size in table.batches)


def test_where_the_first_write_of_a_key_counts_none_is_replaced():
    table = Table()
    writer = WriteThreads(table, 2, Cancellation(), replace=False)
    for number in range(100):
        assert writer.put(_write(str(number % 3), number), number) is None
    writer.finish()

    assert sorted(table.tags) == list(range(100))


def test_batches_are_full():
    table = Table()
    writer = WriteThreads(table, 2, Cancellation())
    for number in range(1000):
        writer.put(_write(f"key-{number}", 0), number)
    writer.finish()

    assert len(table.batches) <= 1000 / MAXIMUM_BATCH_ITEMS + 2


def test_batches_of_large_items_are_small():
    table = Table()
    writer = WriteThreads(table, 1, Cancellation())
    for number in range(20):
        writer.put(_write(f"key-{number}", 0, size=100_000), number)
    writer.finish()

    assert max(table.batches) == 3


def test_a_failing_thread_stops_the_caller_and_tells_why():
    cancellation = Cancellation()

    def fail(batch):
        raise UpdraftError("the table burnt down")

    writer = WriteThreads(fail, 2, cancellation)

    def put_many():
        for number in range(100_000):
            writer.put(_write(f"key-{number}", 0), number)

    with pytest.raises(CancelledError):
        put_many()
    writer.close()

    with pytest.raises(UpdraftError, match="the table burnt down"):
        writer.raise_error()


def test_a_failure_in_the_last_batch_is_told():
    def fail(batch):
        raise UpdraftError("the table burnt down")

    writer = WriteThreads(fail, 2, Cancellation())
    writer.put(_write("key", 0), 0)

    with pytest.raises(UpdraftError, match="the table burnt down"):
        writer.finish()


def test_a_caller_that_is_faster_than_the_table_waits():
    going_on = threading.Event()
    table = Table()

    def wait(batch):
        assert going_on.wait(5)
        table(batch)

    writer = WriteThreads(wait, 1, Cancellation())
    threading.Timer(0.3, going_on.set).start()
    start = time.monotonic()
    for number in range(200):
        writer.put(_write(f"key-{number}", 0), number)

    assert time.monotonic() - start >= 0.25
    writer.finish()
    assert len(table.items) == 200


def test_threads_start_with_the_first_batch_and_end_with_the_work():
    names = {f"writer-{number}" for number in range(3)}
    writer = WriteThreads(Table(), 3, Cancellation())
    writer.close()
    assert not names & {thread.name for thread in threading.enumerate()}

    writer = WriteThreads(Table(), 3, Cancellation())
    for number in range(200):
        writer.put(_write(f"key-{number}", 0), number)
    assert names & {thread.name for thread in threading.enumerate()}
    writer.finish()
    writer.close()
    assert not names & {thread.name for thread in threading.enumerate()}
