"""Keeps what an import could not take, with the reasons."""

import base64
import io
from collections.abc import Iterable

import orjson

from updraft.dynamodb.destination import Destination
from updraft.dynamodb.formats.base import RejectedRecord


class RejectedRecords:
    """Files of rejected records, one JSON object per line.

    Each holds ``file``, ``position`` (number of the line or row), ``reason`` and ``content``, or
    ``content_base64`` when the content is no UTF-8. A file's name is a function of its first
    record, so that a retry replaces it instead of adding another one.

    :param destination: where they go.
    :param import_id: identity of the import; it is part of the names.
    :param first_file: number of the first file that is imported, among all of the import.
    """

    def __init__(self, destination: Destination, import_id: str, first_file: int = 0) -> None:
        self._destination = destination
        self._import_id = import_id
        self._first_file = first_file

    @property
    def uri(self) -> str:
        """URI of the prefix that holds them."""
        return self._destination.uri

    def write(self, file: int, uri: str, records: Iterable[RejectedRecord]) -> None:
        """Store some rejected records of one file.

        :param file: number of the file, from 0 for the first one.
        :param uri: its URI.
        :param records: the records, at least one.
        :raises UpdraftError: when they cannot be stored.
        """
        ordered = sorted(records)
        content = b"".join(_line(uri, record) for record in ordered)
        number = self._first_file + file
        name = f"rejected_{self._import_id}_{number:05d}_{ordered[0].position:012d}.jsonl"
        self._destination.upload(name, io.BytesIO(content))


def _line(uri: str, record: RejectedRecord) -> bytes:
    try:
        content = {"content": record.content.decode()}
    except UnicodeDecodeError:
        content = {"content_base64": base64.b64encode(record.content).decode("ascii")}
    return orjson.dumps(
        {"file": uri, "position": record.position, "reason": record.reason, **content},
        option=orjson.OPT_APPEND_NEWLINE,
    )
