"""Reads the events of OpenLineage's console transport back out of logs.

Each event is given on as it was logged. An event that CloudWatch or a container's log has split is
put together; one that was cut for good is counted and named, since only another transport can save
it: CloudWatch takes no message of more than 256 KiB, and Airflow's handler cuts what is longer.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import orjson

from updraft.lineage.event_text import MARK, Found, FoundEvent, find_events, is_event
from updraft.lineage.log_records import LogText, read_texts

_MARK = MARK.decode()
_MOST_TEXT = 4 << 20  # characters that one event may have in all its pieces
_MOST_WAITING = 20  # texts of the same stream that may stand between two pieces of an event
_MOST_STREAMS = 1_000
_MOST_PENDING = 32 << 20  # characters of all events together whose rest has not come
_MOST_CUTS = 100
_REPLACEMENTS = ("\N{REPLACEMENT CHARACTER}".encode(), rb"\ufffd")  # the second is how JSON has it
_RECORD = re.compile(
    r"\s*(?:\x1b\[[\d;]*m)?"
    r"(?:\[(?:\x1b\[[\d;]*m)?\d{4}-\d{2}-\d{2}T"  # Airflow 2
    r"|\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}"  # Airflow 3, Spark
    r"|\d{2}/\d{2}/\d{2} \d{2}:\d{2}:\d{2} "  # Spark
    r'|\{"(?:timestamp|level|event|logger|[a-z]+_id|map_index|try_number|filename|lineno)": ?'
    r"|[a-z-]+ +\| )"  # airflow standalone
)
_END = re.compile(r'\\*"schemaURL\\*": ?\\*"[^"\\]*Event\\*"\s*\}')
_ABOUT = re.compile(r'\\*"(?P<key>eventTime|eventType|runId)\\*": ?\\*"(?P<value>[^"\\]{1,64})')


@dataclass(frozen=True)
class CutEvent:
    """An event of which a log does not have all.

    :param file: name of the log.
    :param line: number of the line that it begins in.
    :param about: what can be read of it, such as time and type.
    """

    file: str
    line: int
    about: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.about or 'nothing can be read of it'}"


@dataclass
class HarvestCounts:
    """What was found in logs.

    :param found: whole events, each as often as it was logged.
    :param split: how many of them were put together from several pieces.
    :param truncated: events of which there is a part only: the beginning, or the end where a file
        begins in the middle of one.
    """

    found: int = 0
    split: int = 0
    truncated: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as they go into XCom."""
        return asdict(self)


@dataclass
class _Pending:
    """The beginning of an event, which may go on in the next text of its stream."""

    text: str
    line: int
    waited: int = 0


@dataclass
class LogHarvest:
    """Find events in logs, and give each to somebody.

    :param take: gets each event.
    :param counts: what was found so far.
    :param cut: the first hundred events that are not there as a whole.
    :param garbled: how many events have U+FFFD, which stands for bytes that are no character.
    :param reports_cut: says of the line of such an event whether it counts.
    :param file: name of the log that is read.
    :param line: number of the line that the last event began in.
    """

    take: Callable[[FoundEvent], None]
    counts: HarvestCounts = field(default_factory=HarvestCounts)
    cut: list[CutEvent] = field(default_factory=list)
    garbled: int = 0
    reports_cut: Callable[[int], bool] = field(default=lambda _line: True)
    file: str = ""
    line: int = 0
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _has_begun: bool = True  # False as long as the end of an event may be one that began before

    def read_file(self, file: IO[bytes], name: str) -> None:
        """Find the events of a log.

        :param file: the log, opened for bytes.
        :param name: what to call it when an event of it is cut.
        :raises OSError: when it cannot be read.
        """
        self._has_begun = False
        try:
            self.read(read_texts(file, lambda: bool(self._pending)), name)
        finally:  # what the next log says does not go on with this one
            self.finish()
            self._has_begun = True

    def read(self, texts: Iterable[LogText], name: str) -> None:
        """Find the events in texts; the next ones may go on with the last of these.

        :param texts: texts of a log in their order.
        :param name: what to call the log.
        """
        self.file = name
        for text in texts:
            self._read_text(text)

    def finish(self, before: float = math.inf) -> None:
        """Give up on events whose rest has not come.

        :param before: on those only that begin before this line.
        """
        for stream, pending in list(self._pending.items()):
            if pending.line < before:
                del self._pending[stream]
                self._give_up(pending)

    def _read_text(self, text: LogText) -> None:
        if text.whole or not isinstance(text.content, str):
            self._pass_by(text.stream)
            self._take_whole(text)
        elif not (self._pending and self._continue(text)):
            self._begin(text)

    def _begin(self, text: LogText) -> None:
        content: str = text.content
        if _MARK not in content:
            if not self._has_begun and _END.search(content) is not None:
                self._has_begun = True
                self._note_cut(content, text.line)
            return
        self._has_begun = True
        if content.startswith("{"):
            try:
                value = orjson.loads(content)
            except orjson.JSONDecodeError:
                pass
            else:
                self._take_whole(text._replace(content=value))
                return
        found = find_events(content)
        self._take_found(found, content, text.line)
        if found.cut:
            self._wait_for_rest(text.stream, _Pending(content[found.cut_at :], text.line))

    def _wait_for_rest(self, stream: str, pending: _Pending) -> None:
        replaced = self._pending.pop(stream, None)
        if replaced is not None:
            self._give_up(replaced)
        self._pending[stream] = pending
        while len(self._pending) > _MOST_STREAMS or (
            len(self._pending) > 1
            and sum(len(one.text) for one in self._pending.values()) > _MOST_PENDING
        ):
            self._give_up(self._pending.pop(next(iter(self._pending))))

    def _continue(self, text: LogText) -> bool:
        """Go on with an event that an earlier text of the stream began; say whether it did."""
        pending = self._pending.get(text.stream)
        if pending is None:
            return False
        joined = pending.text + text.content
        found = find_events(joined)
        if found.events and not found.cut and not found.broken:
            del self._pending[text.stream]
            self._take_found(found, joined, pending.line)
            self.counts.split += 1
            return True
        is_another = _RECORD.match(text.content) is not None or len(joined) > _MOST_TEXT
        if found.cut and not is_another:
            pending.text = joined
            return True
        self._pass_by(text.stream)
        return False

    def _pass_by(self, stream: str) -> None:
        """Note that a text of a stream is not the rest of the event that waits for one."""
        pending = self._pending.get(stream)
        if pending is not None:
            pending.waited += 1
            if pending.waited > _MOST_WAITING:
                del self._pending[stream]
                self._give_up(pending)

    def _give_up(self, pending: _Pending) -> None:
        """Take an event of which only what the log has around it is cut, or say that it is cut."""
        found = find_events(pending.text + '"')
        if found.events and not found.cut:
            self._take_found(found, pending.text, pending.line)
        else:
            self._note_cut(pending.text, pending.line)

    def _take_whole(self, text: LogText) -> None:
        """Take the events in what a program has logged as JSON."""
        for value in _leaves(text.content):
            if isinstance(value, str):
                found = find_events(value)
                self._take_found(found, value, text.line)
                if found.cut:
                    self._note_cut(value, text.line)
            else:
                self._take(FoundEvent(value, _serialised(value)), text.line)

    def _take_found(self, found: Found, text: str, line: int) -> None:
        for event in found.events:
            self._take(event, line)
        for _ in range(found.broken):
            self._note_cut(text, line)

    def _take(self, event: FoundEvent, line: int) -> None:
        self.counts.found += 1
        self.garbled += any(mark in event.body for mark in _REPLACEMENTS)
        self.line = line
        self.take(event)

    def _note_cut(self, text: str, line: int) -> None:
        if not self.reports_cut(line):
            return
        self.counts.truncated += 1
        if len(self.cut) < _MOST_CUTS:
            about = {match["key"]: match["value"] for match in _ABOUT.finditer(text[:_MOST_TEXT])}
            words = ", ".join(f"{key} {value}" for key, value in about.items())
            self.cut.append(CutEvent(self.file, line, words))


def _leaves(value: Any) -> Iterator[str | dict[str, Any]]:
    """Give the events in decoded JSON, and the texts that may have some."""
    if isinstance(value, str):
        if _MARK in value:
            yield value
    elif is_event(value):
        yield value
    elif isinstance(value, (dict, list)):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _leaves(child)


def _serialised(event: dict[str, Any]) -> bytes:
    # As the client does, so that the event is recognised as the one that a transport has stored.
    return json.dumps(event, sort_keys=True).encode()
