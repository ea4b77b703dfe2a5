"""Checks the events in a file against the official schemas, whatever kind of file it is.

It may be one event, a list of events, one event on each line, a dead letter, or any log that events
can be harvested from.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from updraft.errors import UpdraftError
from updraft.lineage.event_sources import opened_to_seek
from updraft.lineage.event_text import FoundEvent
from updraft.lineage.json_lines import line_of
from updraft.lineage.log_harvest import LogHarvest
from updraft.lineage.validation import Fault, faults

_LARGEST_DOCUMENT = 64 << 20  # bytes; what is larger is a log
_PAGES = frozenset({"events", "logEvents", "results", "message", "@message"})


@dataclass
class CheckedFile:
    """What became of the check of a file.

    :param events: how many events it has.
    :param faults: how many faults they have.
    """

    events: int = 0
    faults: int = 0


def check_file(path: Path, report: Callable[[int, str], None]) -> CheckedFile:
    """Check all events in a file.

    :param path: the file; ``-`` for standard input.
    :param report: gets line and sentence of each fault.
    :returns: how many events and faults there are.
    :raises UpdraftError: when the file cannot be read.
    """
    checked = CheckedFile()

    def note(line: int, sentence: str) -> None:
        checked.faults += 1
        report(line, sentence)

    try:
        with opened_to_seek(path) as file:
            document = _document(file)
            if document is not None:
                for line, sentence in _faults_in_document(document, checked):
                    note(line, sentence)
            else:
                _check_log(file, checked, note)
    except (OSError, EOFError) as error:
        raise _unreadable(path, error) from None
    if not checked.events and not checked.faults:
        note(1, "there is no event of OpenLineage in the file")
    return checked


def read_events(path: Path, take: Callable[[dict[str, Any]], None]) -> int:
    """Read all events in a file, whole ones.

    :param path: the file; ``-`` for standard input.
    :param take: gets each event, decoded.
    :returns: how many events the file has only a part of.
    :raises UpdraftError: when the file cannot be read.
    """
    try:
        with opened_to_seek(path) as file:
            document = _document(file)
            if document is not None:
                for _, event in document.events:
                    take(event)
                return 0
            harvest = LogHarvest(lambda found: take(found.event))
            harvest.read_file(file, str(path))
            return harvest.counts.truncated
    except (OSError, EOFError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> UpdraftError:
    reason = getattr(error, "strerror", None) or error
    return UpdraftError(f"cannot read {path}: {reason}")


@dataclass
class _Document:
    text: str
    events: list[tuple[tuple[str | int, ...], Any]]


def _document(file: IO[bytes]) -> _Document | None:
    """Read a file that is one JSON document of events; None for a log, left at its start."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > _LARGEST_DOCUMENT:
        return None
    content = file.read()
    file.seek(0)
    try:
        text = content.decode("utf-8-sig")
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and {"event_name", "reason", "event"} <= value.keys():
        text = value["event"]
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, dict) and not _PAGES & value.keys() and not _is_record(value):
        return _Document(text, [((), value)])
    if isinstance(value, list) and not any(
        not isinstance(item, dict) or _PAGES & item.keys() or _is_record(item) for item in value
    ):
        return _Document(text, [((index,), item) for index, item in enumerate(value)])
    return None


def _is_record(value: dict[str, Any]) -> bool:
    """Tell the record of a log, which has an event as text."""
    return isinstance(value.get("event"), str)


def _faults_in_document(document: _Document, checked: CheckedFile) -> Iterator[tuple[int, str]]:
    for path, event in document.events:
        checked.events += 1
        for fault in faults(event):
            yield line_of(document.text, (*path, *fault.path)), fault.sentence


def _check_log(file: IO[bytes], checked: CheckedFile, note: Callable[[int, str], None]) -> None:
    def take(found: FoundEvent) -> None:
        checked.events += 1
        for fault in _safe_faults(found.event):
            note(harvest.line, fault.sentence)

    harvest = LogHarvest(take)
    harvest.read_file(file, "")
    for cut in harvest.cut:
        note(cut.line, f"the event is cut or no JSON ({cut.about or 'nothing can be read of it'})")


def _safe_faults(event: dict[str, Any]) -> list[Fault]:
    try:
        return faults(event)
    except RecursionError:
        return [Fault((), "$: the event is nested too deeply")]
