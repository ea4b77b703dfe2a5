"""Finds OpenLineage events in the text of a log, wherever in the text they stand.

What surrounds an event differs with the versions of Airflow, provider and client, with the log
handler and with the tool that exported the log, down to the number of the line that logged it. The
event itself does not: it is JSON that begins with one of the members of a run, job or dataset
event. So that beginning is looked for, also where it stands in a JSON string, or in a JSON string
within another, and is escaped once or several times.
"""

import ast
import json
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

MARK = b"eventTime"
"""Every event has it; text without it needs no closer look."""

_MEMBERS = frozenset(
    {
        "dataset",
        "eventTime",
        "eventType",
        "inputs",
        "job",
        "outputs",
        "producer",
        "run",
        "schemaURL",
    }
)
_FEWEST_MEMBERS = 3
_BEGINNING = re.compile(rf'\{{\s*(?P<escape>\\*)"(?:{"|".join(sorted(_MEMBERS))})(?P=escape)"\s*:')
# How many backslashes stand before the quotes of JSON that is in no, one, two and three strings,
# and what ends the innermost of these strings.
_STRING_ENDS = {
    1: re.compile(r'(?<!\\)"'),
    3: re.compile(r'(?<!\\)\\"'),
    7: re.compile(r'(?<!\\)\\{3}"'),
}
_DEPTHS = {0: 0, 1: 1, 3: 2, 7: 3}
_BYTES_LITERAL = re.compile(r"(?:[^'\\]|\\.)*+'", re.DOTALL)
_DECODER = json.JSONDecoder()
_LONGEST_TOKEN = 12  # characters of a literal, a number or an escape that the end of a text may cut


class FoundEvent(NamedTuple):
    """An event in a text.

    :param event: decoded.
    :param body: as it stood in the text, without what it was escaped with; UTF-8.
    """

    event: dict[str, Any]
    body: bytes


@dataclass
class Found:
    """What is in a text.

    :param events: whole events in their order.
    :param cut: the text ends in the middle of another event.
    :param cut_at: where that one begins, with what has to stand before it to be understood.
    :param broken: beginnings of events that are no JSON from some place on, which is not the end.
    """

    events: list[FoundEvent] = field(default_factory=list)
    cut: bool = False
    cut_at: int = 0
    broken: int = 0


def is_event(value: Any) -> bool:
    """Tell whether decoded JSON is meant to be an event of OpenLineage.

    One that lacks a member is one too: it is worth a word to whoever wrote it.

    :param value: anything.
    :returns: whether it has a run, a job or a dataset and looks like an event otherwise.
    """
    return (
        isinstance(value, dict)
        and any(isinstance(value.get(kind), dict) for kind in ("run", "job", "dataset"))
        and len(_MEMBERS & value.keys()) >= _FEWEST_MEMBERS
    )


def find_events(text: str) -> Found:
    """Find all events in a text.

    :param text: a line of a log, a message of CloudWatch, or several.
    :returns: the events, and whether there is one that the text does not hold completely.
    """
    found = Found()
    position = 0
    while (beginning := _BEGINNING.search(text, position)) is not None:
        position = _take(text, beginning, found)
        if found.cut:
            found.cut_at = max(0, beginning.start() - len("b'"))
            break
    return found


def _take(text: str, beginning: re.Match[str], found: Found) -> int:
    """Decode what begins at a place; return where to look for the next."""
    start = beginning.start()
    escape = len(beginning["escape"])
    if escape not in _DEPTHS:
        return beginning.end()
    end = len(text)
    if escape:
        closing = _STRING_ENDS[escape].search(text, start)
        if closing is None:
            found.cut = True
            return end
        end = closing.start()
    try:
        inner = _unescaped(text[start:end], _DEPTHS[escape])
        if text[max(0, start - 2) : start] == "b'":
            inner = _bytes_literal(inner)
        value, length = _decoded(inner)
    except _CutError:
        if escape:
            # The string that holds the event goes on, so whoever wrote it has cut the event.
            found.broken += 1
        else:
            found.cut = True
        return end
    except ValueError:
        found.broken += _says_event(text[start : start + 200])
        return beginning.end()
    if not is_event(value):
        return beginning.end()
    found.events.append(FoundEvent(value, inner[:length].encode("utf-8", "backslashreplace")))
    return end if escape or length == len(inner) else start + _consumed(text, start, inner, length)


class _CutError(ValueError):
    """A text ends before the JSON in it does."""


def _unescaped(text: str, depth: int) -> str:
    for _ in range(depth):
        text = orjson.loads(f'"{text}"')
    return text


def _bytes_literal(inner: str) -> str:
    """Decode what Python prints for bytes; the client logs events so when it logs for debugging."""
    literal = _BYTES_LITERAL.match(inner)
    if literal is None:
        raise _CutError
    try:
        value: bytes = ast.literal_eval(f"b'{literal[0]}")
    except SyntaxError as error:
        raise ValueError from error
    return value.decode()


def _decoded(inner: str) -> tuple[Any, int]:
    """Decode the JSON at the beginning of a text, and say how long it is."""
    end = inner.rfind("}") + 1
    try:
        return orjson.loads(inner[:end]), end
    except orjson.JSONDecodeError:
        pass  # what follows the event has braces of its own, or the event is cut
    try:
        return _DECODER.raw_decode(inner)
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(inner.rstrip()) - _LONGEST_TOKEN
        if at_end or error.msg.startswith("Unterminated string"):
            raise _CutError from error
        raise
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _says_event(text: str) -> int:
    return int(re.search(r'\\*"eventTime\\*"', text) is not None)


def _consumed(text: str, start: int, inner: str, length: int) -> int:
    if text.startswith(inner[:length], start):
        return length
    return len(text) - start  # a literal of bytes, which is the last thing on its line
