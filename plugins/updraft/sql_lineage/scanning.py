"""Takes a script of Amazon Redshift apart into statements, and statements into words.

sqlglot's own tokenizer is not asked to do it, for one broken statement would hide all that follow.
Quoting rules: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html and
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_PROCEDURE.html for dollar quotes.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a word of a script is."""

    STRING = "string"
    QUOTED = "quoted identifier"
    WORD = "word"
    SIGN = "sign"
    UNCLOSED = "unclosed quote or comment"


class Word(NamedTuple):
    """A word of a script.

    :param kind: what it is.
    :param text: what it says, without quotes and escapes.
    :param start: offset of its first character.
    :param end: offset behind its last character.
    """

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in capitals if it stands unquoted, else an empty string."""
        return self.text.upper() if self.kind in (Kind.WORD, Kind.SIGN) else ""


class Statement(NamedTuple):
    """A statement of a script.

    :param number: its place in the script, counted from 1.
    :param line: the line of its first word, counted from 1.
    :param text: its text without the semicolon.
    :param words: its words; their offsets count from the start of the text.
    """

    number: int
    line: int
    text: str
    words: tuple[Word, ...]

    def begins(self, *keywords: str) -> bool:
        """Say whether the statement begins with these keywords, given in capitals."""
        return tuple(word.keyword for word in self.words[: len(keywords)]) == keywords


_NEXT = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<string>'(?:[^'\\]|\\.|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>(?:[^\W\d]\w*)?)\$(?P<body>.*?)\$(?P=tag)\$)
    | (?P<word>[\w#@][\w$\#@]*)
    | (?P<unclosed>['"])
    | (?P<sign>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_SECRET = re.compile(
    r"""\b(?P<name>credentials|(?:secret_)?access_key(?:_id)?|session_token|token
    |master_symmetric_key|password)(?P<between>\s+(?:as\s+)?)'(?:[^'\\]|\\.|'')*('|$)""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)


def statements(script: str) -> Iterator[Statement]:
    """Take a script apart at its semicolons.

    :param script: the text; an unclosed quote or comment reaches to its end.
    :returns: the statements that say anything, in order.
    """
    number, line, counted = 0, 1, 0
    found: list[Word] = []
    for word in words(script):
        if not (word.kind is Kind.SIGN and word.text == ";"):
            found.append(word)
            continue
        if found:
            number += 1
            line += script.count("\n", counted, found[0].start)
            counted = found[0].start
            yield _statement(number, line, script, found)
        found = []
    if found:
        line += script.count("\n", counted, found[0].start)
        yield _statement(number + 1, line, script, found)


def without_secrets(sql: str) -> str:
    """Take the secrets out of a statement, so that it can be shown.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html

    :param sql: the statement.
    :returns: the statement with stars for the values of ``CREDENTIALS``, ``PASSWORD`` and the like.
    """
    return _SECRET.sub(r"\g<name>\g<between>'***'", sql)


def _statement(number: int, line: int, script: str, found: list[Word]) -> Statement:
    start, end = found[0].start, found[-1].end
    moved = tuple(word._replace(start=word.start - start, end=word.end - start) for word in found)
    return Statement(number, line, script[start:end], moved)


def words(script: str) -> Iterator[Word]:
    """Take a script apart into words.

    :param script: the text.
    :returns: its words, semicolons among them; their offsets count from the start of the script.
    """
    at = 0
    while match := _NEXT.match(script, at):
        start, at = at, match.end()
        if match["comment"]:
            closed = _comment_end(script, at)
            if closed is None:
                yield Word(Kind.UNCLOSED, "/*", start, len(script))
                return
            at = closed
        elif match["unclosed"]:
            yield Word(Kind.UNCLOSED, match["unclosed"], start, len(script))
            return
        elif not match["space"]:
            yield _word(match)


def _word(match: re.Match[str]) -> Word:
    if match["string"]:
        text = _ESCAPE.sub(lambda found: found[1] or "'", match["string"][1:-1])
        return Word(Kind.STRING, text, *match.span())
    if match["dollar"]:
        return Word(Kind.STRING, match["body"], *match.span())
    if match["quoted"]:
        return Word(Kind.QUOTED, match["quoted"][1:-1].replace('""', '"'), *match.span())
    kind = Kind.WORD if match["word"] else Kind.SIGN
    return Word(kind, match[0], *match.span())


def _comment_end(script: str, at: int) -> int | None:
    """Find the end of a comment; comments nest, as in PostgreSQL."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(script, at):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return None
