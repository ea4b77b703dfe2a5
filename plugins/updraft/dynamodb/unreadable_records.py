"""Keeps the records of an export that are no items until the differences are told."""

from collections.abc import Iterator

import orjson

from updraft.dynamodb.differences import Difference, DifferenceKind
from updraft.dynamodb.spill_files import NamelessFile, explained_disk_errors


class UnreadableRecords(NamelessFile):
    """Records that are no items, in a temporary file."""

    def add(self, uri: str, position: int, reason: str) -> None:
        """Keep one.

        :param uri: URI of its file.
        :param position: number of its line or row, from 1.
        :param reason: what is wrong with it.
        :raises UpdraftError: when there is no space left.
        """
        reason = reason.encode(errors="backslashreplace").decode()  # it may quote anything
        line = orjson.dumps([uri, position, reason], option=orjson.OPT_APPEND_NEWLINE)
        with explained_disk_errors():
            self._file.write(line)

    def differences(self) -> Iterator[Difference]:
        """Read them again; nothing can be added afterwards.

        :returns: each of them, in the order in which they were added.
        """
        with explained_disk_errors():
            self._file.seek(0)
        for line in self._file:
            uri, position, reason = orjson.loads(line)
            yield Difference(DifferenceKind.UNREADABLE, file=uri, position=position, reason=reason)
