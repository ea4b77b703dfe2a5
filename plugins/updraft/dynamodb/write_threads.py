"""Spreads writes over threads so that writes of one key keep their order."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.item_writer import MAXIMUM_BATCH_ITEMS, Write

_Tag = TypeVar("_Tag")

_MAXIMUM_BATCH_BYTES = 256 * 1024  # a request may have 16 MB; less keeps the memory small
_BATCHES_IN_FLIGHT = 2  # per thread: one on its way, one that waits
_LOOK_INTERVAL = 0.2


class _Lane(Generic[_Tag]):
    """One thread with the batch that is being filled for it."""

    def __init__(self, number: int) -> None:
        self.executor = ThreadPoolExecutor(1, thread_name_prefix=f"writer-{number}")
        self.slots = threading.Semaphore(_BATCHES_IN_FLIGHT)
        self.batch: dict[tuple[str, ...], tuple[Write, _Tag]] = {}
        self.bytes = 0


class WriteThreads(Generic[_Tag]):
    """Batches writes and hands the batches to threads.

    A key always goes to the same thread, so the last write of a key is the one that stays.

    :param write: writes a batch; called in the threads with the writes and their tags.
    :param threads: number of threads.
    :param cancellation: set when a thread fails; looked at while waiting.
    :param replace: whether a write may replace one of the same key that is not sent yet.
    """

    def __init__(
        self,
        write: Callable[[Sequence[tuple[Write, _Tag]]], None],
        threads: int,
        cancellation: Cancellation,
        *,
        replace: bool = True,
    ) -> None:
        self._replace = replace
        self._write = write
        self._cancellation = cancellation
        self._lanes: list[_Lane[_Tag]] = [_Lane(number) for number in range(threads)]
        self._errors: list[BaseException] = []

    def put(self, write: Write, tag: _Tag) -> _Tag | None:
        """Add a write; waits while the threads are busy.

        :param write: the write.
        :param tag: handed to the function that writes.
        :returns: the tag of a write with the same key that this one has replaced before it was
            sent, ``None`` if there was none.
        :raises CancelledError: when the work is cancelled, or a thread failed.
        """
        lane = self._lanes[hash(write.key) % len(self._lanes)]
        if not self._replace and write.key in lane.batch:
            self._submit(lane)
        replaced = lane.batch.pop(write.key, None)
        if replaced is not None:
            lane.bytes -= replaced[0].size
        lane.batch[write.key] = (write, tag)
        lane.bytes += write.size
        if len(lane.batch) >= MAXIMUM_BATCH_ITEMS or lane.bytes >= _MAXIMUM_BATCH_BYTES:
            self._submit(lane)
        return None if replaced is None else replaced[1]

    def finish(self) -> None:
        """Write what is left and end the threads.

        :raises BaseException: the error that ended a thread, a cause before its echoes.
        """
        try:
            for lane in self._lanes:
                if lane.batch:
                    self._submit(lane)
        finally:
            self.close()
        self.raise_error()

    def close(self) -> None:
        """End the threads after what they are doing."""
        for lane in self._lanes:
            lane.executor.shutdown(wait=True)

    def raise_error(self) -> None:
        """Raise what ended a thread, if anything did.

        :raises BaseException: that error, a cause before its echoes.
        """
        errors = sorted(self._errors, key=lambda error: isinstance(error, CancelledError))
        if errors:
            raise errors[0]

    def _submit(self, lane: _Lane[_Tag]) -> None:
        while not lane.slots.acquire(timeout=_LOOK_INTERVAL):
            self._cancellation.check()
        self._cancellation.check()
        batch, lane.batch, lane.bytes = list(lane.batch.values()), {}, 0
        lane.executor.submit(self._run, lane, batch)

    def _run(self, lane: _Lane[_Tag], batch: Sequence[tuple[Write, _Tag]]) -> None:
        try:
            self._cancellation.check()
            self._write(batch)
        except BaseException as error:  # noqa: BLE001 - raised again by raise_error
            self._errors.append(error)
            self._cancellation.cancel()
        finally:
            lane.slots.release()
