"""Takes logs apart into the texts that one process has written one after the other.

A log comes as lines of a file, or as what CloudWatch exports: one object per log event, in pages
(``events``), in an array, in results of Logs Insights (``results``), as a subscription delivers it
(``logEvents``), on one line or indented, in CSV, and as lines with a time before them. Only a log
event in CloudWatch knows which stream it is from.

.. seealso:: FilterLogEvents and GetLogEvents in the API reference of CloudWatch Logs; "Export log
    data to Amazon S3" and "Log group-level subscription filters" in its user guide.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NamedTuple, cast

import orjson

from updraft.lineage.event_text import MARK

_LONGEST_LINE = 4 << 20
_MESSAGES = ("message", "@message", "value", "log")
_STREAMS = ("logStreamName", "@logStream", "logStream")
_MOMENTS = {"timestamp", "@timestamp", "field", "time", "date", "stream"}
"""What an exported log event has beside its message; Docker has ``time``, Fluent Bit ``date``."""

_PROPERTY = re.compile(
    rb'\s*"(?P<name>message|@message|value|log|logStreamName|@logStream|logStream)"\s*:\s*'
    rb'(?P<text>"(?:[^"\\]|\\.)*+")\s*,?\s*$',
    re.DOTALL,
)
# What else an indented document has on its lines.
_STRUCTURE = re.compile(rb'\s*(?:[\[\]{},]+|"[A-Za-z@]+"\s*:\s*(?:[\[{]|.*,?))\s*$')
_MEMBER = re.compile(
    rb'"(?P<name>message|@message|value|log|logStreamName|@logStream|logStream)"\s*:\s*'
    rb'(?P<text>"(?:[^"\\]|\\.)*+")',
    re.DOTALL,
)
# `aws logs tail` puts time and stream before each message, an export to S3 the time only.
_TAILED = re.compile(
    rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?\+00:00 (?P<stream>[^\s{\[]\S*) "
)
# The runtime of a Kubernetes node splits lines of 16 KiB; P stands before all pieces but the last.
# https://kubernetes.io/docs/concepts/cluster-administration/logging/
_KUBERNETES = re.compile(
    rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2}) "
    rb"(?P<stream>stdout|stderr) [PF](?::\S+)? "
)
# In CSV, quotes are doubled; nothing else has two before the name of a member.
_IN_CSV = re.compile(rb'\{\s*\\*""[A-Za-z]')
_EXPORTED = re.compile(rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z ")
_STREAM_MARK = b"ogStream"
_END_MARK = b"schemaURL"
_FIRST_LINES = 1_000  # in which an event may end that began before the file
_GZIP = b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class LogText(NamedTuple):
    """A text that was written to a log in one piece.

    :param stream: what it belongs to; texts of one stream may be pieces of one message.
    :param line: number of the line in the file, from 1 on.
    :param content: the text; decoded JSON where an export has the message so.
    :param whole: the text is what a program logged, so the next one does not continue it.
    """

    stream: str
    line: int
    content: Any
    whole: bool = False


def read_texts(file: IO[bytes], wants_all: Callable[[], bool]) -> Iterator[LogText]:
    """Read a log, however long it is, with one line of it in memory at a time.

    :param file: the log, opened for bytes; gzip and UTF-16 are recognised.
    :param wants_all: says before each line whether a text without an event is of interest too,
        because it may be the rest of one.
    :returns: the texts in their order.
    :raises OSError: when the file cannot be read, or its compression is damaged.
    :raises EOFError: when a compressed file is cut.
    """
    log = _decompressed(file)
    reader = _Reader()
    number = 1
    until = _FIRST_LINES
    while line := _next_line(log):
        # Of a million lines, most end here.
        is_cut = not line.endswith(b"\n")
        has_mark = MARK in line
        if (
            is_cut
            or has_mark
            or _STREAM_MARK in line
            or reader.is_within_line
            or wants_all()
            or (number <= until and _END_MARK in line)
        ):
            yield from reader.texts(line, number)
        if has_mark:
            until = 0
        number += not is_cut


class _Utf16:
    """A file of Windows, line by line in UTF-8."""

    def __init__(self, file: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-16", errors="replace", newline="\n")

    def readline(self, limit: int) -> bytes:
        return self._text.readline(limit).encode("utf-8", "replace")


def _decompressed(file: IO[bytes]) -> "IO[bytes] | _Utf16":
    """See through what a file is wrapped in; one may be compressed twice."""
    log = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("Any", file))
    while (beginning := _peeked(log)) == _GZIP:
        log = io.BufferedReader(cast("Any", gzip.open(log)))  # noqa: SIM115 - caller closes its file
    return _Utf16(log) if beginning in _UTF_16 else log


def _peeked(log: io.BufferedReader) -> bytes:
    try:
        return log.peek(2)[:2]
    except zlib.error as error:
        raise OSError(f"its compressed data is damaged: {error}") from error


def _next_line(file: "IO[bytes] | _Utf16") -> bytes:
    try:
        return file.readline(_LONGEST_LINE)
    except zlib.error as error:
        raise OSError(f"its compressed data is damaged: {error}") from error


class _Reader:
    """Knows what of a log has to be remembered from line to line."""

    def __init__(self) -> None:
        self._stream = ""
        self._long = b""
        self._is_indented = False

    @property
    def is_within_line(self) -> bool:
        """Whether the next bytes go on with a line that is longer than what is read at once."""
        return bool(self._long)

    def texts(self, line: bytes, number: int) -> Iterator[LogText]:
        if self._long or (len(line) == _LONGEST_LINE and not line.endswith(b"\n")):
            yield from self._of_long_line(line, number)
        elif (member := _PROPERTY.match(line)) is not None:
            self._is_indented = True
            yield from self._of_member(member, number)
        elif self._is_indented and _STRUCTURE.match(line) is not None:
            return
        elif line.startswith(b"{"):
            yield from self._of_object(line, number)
        else:
            self._is_indented = False
            yield from self._of_text(line, number)

    def _of_object(self, line: bytes, number: int) -> Iterator[LogText]:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            # The rest of an event may begin so too.
            yield LogText(self._stream, number, _decoded(line))
            return
        yield from _within(value, self._stream, number)

    def _of_member(self, member: re.Match[bytes], number: int) -> Iterator[LogText]:
        try:
            text = orjson.loads(member["text"])
        except orjson.JSONDecodeError:
            text = _decoded(member["text"])
        if member["name"].decode() in _STREAMS:
            self._stream = text
        else:
            yield LogText(self._stream, number, text)

    def _of_text(self, line: bytes, number: int) -> Iterator[LogText]:
        stream = self._stream
        if _IN_CSV.search(line) is not None:
            line = line.replace(b'""', b'"')
        named = _KUBERNETES.match(line) or _TAILED.match(line)
        if named is not None:
            stream = named["stream"].decode(errors="replace")
        prefix = named or _EXPORTED.match(line)
        yield LogText(stream, number, _decoded(line[prefix.end() :] if prefix else line))

    def _of_long_line(self, line: bytes, number: int) -> Iterator[LogText]:
        """Take messages out of an export that has no line ends, piece by piece."""
        self._long += line
        consumed = 0
        for member in _MEMBER.finditer(self._long):
            consumed = member.end()
            yield from self._of_member(member, number)
        if line.endswith(b"\n") or len(line) < _LONGEST_LINE:
            rest, self._long = self._long[consumed:], b""
            if not consumed:
                yield LogText(self._stream, number, _decoded(rest))
            return
        self._long = self._long[consumed:]
        if len(self._long) > 2 * _LONGEST_LINE:
            # No message of CloudWatch is that long, and nothing else may fill the memory.
            yield LogText(self._stream, number, _decoded(self._long[:_LONGEST_LINE]))
            self._long = b""


def _within(value: Any, stream: str, number: int) -> Iterator[LogText]:
    """Go through decoded JSON for messages, from which what is no record of a log is told apart."""
    if isinstance(value, list):
        for child in value:
            yield from _within(child, stream, number)
        return
    if not isinstance(value, dict):
        return
    stream = _stream_of(value) or stream
    pages = [value[name] for name in ("events", "logEvents", "results") if name in value]
    messages = [value[name] for name in _MESSAGES if isinstance(value.get(name), (str, dict))]
    if any(isinstance(page, list) for page in pages):
        for page in pages:
            yield from _within(page, stream, number)
    elif messages and "event" not in value and _MOMENTS & value.keys():
        for message in messages:
            yield LogText(stream, number, message, whole=isinstance(message, dict))
    else:
        yield LogText(stream, number, value, whole=True)


def _stream_of(record: Mapping[str, Any]) -> str:
    kubernetes = record.get("kubernetes")
    if isinstance(kubernetes, dict):
        return f"{kubernetes.get('pod_name')}/{kubernetes.get('container_name')}"
    return next((record[name] for name in _STREAMS if isinstance(record.get(name), str)), "")


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r\n")
