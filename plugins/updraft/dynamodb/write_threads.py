"""Spreads writes over threads so that writes of one key keep their order."""

import threading
from collections.abc import Callable, Sequence
from queue import Full, Queue
from typing import Generic, TypeAlias, TypeVar

from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.item_writer import MAXIMUM_BATCH_ITEMS, Write

_Tag = TypeVar("_Tag")
_Batch: TypeAlias = Sequence[tuple[Write, _Tag]]

_MAXIMUM_BATCH_BYTES = 256 * 1024  # a request may have 16 MB; less keeps the memory small
_WAITING_BATCHES = 1  # per thread, beside the one on its way
_LOOK_INTERVAL = 0.2


class _Lane(Generic[_Tag]):
    """One thread with the batch that is being filled for it; ``None`` in its queue ends it."""

    def __init__(self, number: int, run: Callable[[_Batch[_Tag]], None]) -> None:
        self.queue: Queue[_Batch[_Tag] | None] = Queue(_WAITING_BATCHES)
        self.batch: dict[tuple[str, ...], tuple[Write, _Tag]] = {}
        self.bytes = 0
        self._run = run
        # What an interpreter that ends leaves unwritten, the next attempt writes.
        self._thread = threading.Thread(target=self._work, name=f"writer-{number}", daemon=True)
        self._is_open = False

    def open(self) -> None:
        """Start the thread, unless it runs."""
        if not self._is_open:
            self._thread.start()
            self._is_open = True

    def close(self) -> None:
        """End the thread after what it is doing."""
        if self._is_open:
            self.queue.put(None)
            self._is_open = False
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        while (batch := self.queue.get()) is not None:
            self._run(batch)


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
        write: Callable[[_Batch[_Tag]], None],
        threads: int,
        cancellation: Cancellation,
        *,
        replace: bool = True,
    ) -> None:
        self._replace = replace
        self._write = write
        self._cancellation = cancellation
        self._lanes = [_Lane[_Tag](number, self._run) for number in range(threads)]
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
            lane.close()

    def raise_error(self) -> None:
        """Raise what ended a thread, if anything did.

        :raises BaseException: that error, a cause before its echoes.
        """
        errors = sorted(self._errors, key=lambda error: isinstance(error, CancelledError))
        if errors:
            raise errors[0]

    def _submit(self, lane: _Lane[_Tag]) -> None:
        lane.open()
        batch, lane.batch, lane.bytes = list(lane.batch.values()), {}, 0
        self._cancellation.check()
        while True:
            try:
                lane.queue.put(batch, timeout=_LOOK_INTERVAL)
            except Full:
                self._cancellation.check()
            else:
                return

    def _run(self, batch: _Batch[_Tag]) -> None:
        try:
            self._cancellation.check()
            self._write(batch)
        except BaseException as error:  # noqa: BLE001 - raised again by raise_error
            self._errors.append(error)
            self._cancellation.cancel()
