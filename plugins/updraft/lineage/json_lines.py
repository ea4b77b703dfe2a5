"""Finds the line of a JSON text that a value stands in."""

import json
import re
from collections.abc import Sequence

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*+"|[\[\]{},:]|[^\s\[\]{},:"]+)', re.DOTALL)


def line_of(text: str, path: Sequence[str | int]) -> int:
    """Find the line that a value begins in.

    :param text: valid JSON.
    :param path: names of members and positions in lists, from the outermost value on.
    :returns: number of the line, from 1 on; that of the closest value around it if the text has
        none at that path.
    """
    best = _first_token(text)
    wanted = list(path)
    here: list[list[str | int]] = []  # kind and current step of each value around
    matched = 0
    key: str | None = None
    for token in _TOKEN.finditer(text):
        word = token[1]
        if word in {"}", "]"}:
            here.pop()
            matched = min(matched, len(here))
        elif word == ",":
            if here[-1][0] == "[":
                here[-1][1] = int(here[-1][1]) + 1
            key = None
        elif here and here[-1][0] == "{" and key is None and word != ":":
            key = _unquoted(word)
            here[-1][1] = key
        elif word != ":":
            depth = len(here)
            if depth == matched + 1 and depth <= len(wanted) and here[-1][1] == wanted[depth - 1]:
                best, matched = token.start(1), depth
                if depth == len(wanted):
                    break
            if word in {"{", "["}:
                here.append([word, 0])
                key = None
    return text.count("\n", 0, best) + 1


def _first_token(text: str) -> int:
    token = _TOKEN.match(text)
    return token.start(1) if token else 0


def _unquoted(word: str) -> str:
    return str(json.loads(word))
