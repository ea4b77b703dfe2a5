"""Reads out of a step's logs why it failed."""

import re
from collections.abc import Iterable

_MOST_LINES = 40
_LONGEST_LINE = 400
_EXCEPTION = re.compile(
    r"^(?:Exception in thread \S+ |Caused by: |\[?ERROR\]? )?"
    r"(?P<text>(?:[A-Za-z_][\w$]*\.)*[A-Z]\w*(?:Exception|Error|Failure)\b.*)"
)


def tail(text: str, lines: int = _MOST_LINES) -> list[str]:
    """Take the end of a log.

    :param text: the log.
    :param lines: how many lines of it.
    :returns: the last lines that are not empty, each cut to 400 characters.
    """
    kept = [line.rstrip() for line in text.splitlines() if line.strip()]
    return [line[:_LONGEST_LINE] for line in kept[-lines:]]


def exception_line(logs: Iterable[str]) -> str | None:
    """Find the line that says what went wrong.

    :param logs: texts of logs, the most telling one first.
    :returns: the last line of the first log that names an exception; else the last line of the
        first log that is not empty; ``None`` when all are empty.
    """
    texts = list(logs)
    for text in texts:
        for line in reversed(text.splitlines()):
            match = _EXCEPTION.match(line.strip())
            if match is not None:
                return match["text"][:_LONGEST_LINE]
    for text in texts:
        last = tail(text, 1)
        if last:
            return last[0]
    return None
