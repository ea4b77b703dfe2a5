"""What is found wrong or odd in a definition, with the place where it stands."""

import difflib
import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from updraft.errors import UpdraftError

MASK = "***"
_LONGEST_VALUE_SHOWN = 120
_PLAIN_WORDS = {"A", "An", "No", "Nobody", "Nothing", "The", "There", "This", "Without"}
# Expressions, and the commands that a shell asks for it, name a password and are none. So do
# variables and placeholders of commands, where an address may have a password that looks like one.
_PASSWORD_ITEM = re.compile(
    r"""(?P<before>(?:password|passwd|passphrase|pwd|secret|token)\w*=)"""
    r"""(?!\#\{|\$\()(?P<password>[^&;,\s"']+)""",
    re.IGNORECASE,
)
_PASSWORD_OPTION = re.compile(
    r"""(?P<before>(?<!\S)--?[\w-]*(?:password|passwd|passphrase)\s+["']?)"""
    r"""(?!\#\{|\$[\w({]|\{\{)(?P<password>[^\s"';&|<>-][^\s"';&|]*)""",
    re.IGNORECASE,
)
_USER_PASSWORD = re.compile(r"(?P<before>://[^/\s:@]*:)(?!\#\{)(?P<password>[^/\s@]+)(?=@)")


class Severity(StrEnum):
    """How much a finding matters: an error stops the conversion, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Position(BaseModel):
    """A place in a definition file; line and column count from 1."""

    model_config = ConfigDict(frozen=True)

    line: int
    column: int


class Finding(BaseModel):
    """One thing that the reader of a definition should know.

    :param severity: error or warning.
    :param message: what is wrong, one sentence.
    :param advice: what to do about it.
    :param file: the definition file as it was named by the user.
    :param position: line and column, when known.
    :param object_id: id of the object or parameter.
    :param field: name of the field or attribute.
    :param value: the offending value, shortened, secrets masked.
    """

    model_config = ConfigDict(frozen=True)

    severity: Severity
    message: str
    advice: str = ""
    file: str = ""
    position: Position | None = None
    object_id: str | None = None
    field: str | None = None
    value: str | None = None

    @property
    def place(self) -> str:
        """The place as compilers print it, ``file:line:column``."""
        if self.position is None:
            return self.file
        return f"{self.file}:{self.position.line}:{self.position.column}"


class DefinitionError(UpdraftError):
    """A definition can't be used; carries every finding, not only the first.

    :param findings: the findings, at least one of them an error.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        errors = [finding for finding in self.findings if finding.severity is Severity.ERROR]
        super().__init__("; ".join(f"{error.place}: {error.message}" for error in errors))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether any finding is an error.

    :param findings: the findings to look through.
    :returns: true when at least one is an error.
    """
    return any(finding.severity is Severity.ERROR for finding in findings)


def shown_value(value: str, *, secret: bool = False) -> str:
    """Make a value fit for a message: short, printable, secrets masked.

    :param value: the value.
    :param secret: whether it must never be shown, see ``Definition.is_secret``.
    :returns: text of at most 120 characters on one line.
    """
    if secret:
        return MASK
    printable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in mask_passwords(value))
    if len(printable) > _LONGEST_VALUE_SHOWN:
        return f"{printable[: _LONGEST_VALUE_SHOWN - 1]}…"
    return printable


def as_clause(message: str) -> str:
    """Make a message fit to stand behind "because".

    :param message: one sentence.
    :returns: the same, without full stop, and in lower case where a plain word begins it.
    """
    words = message.rstrip(".")
    first = words.partition(" ")[0]
    return words[:1].lower() + words[1:] if first in _PLAIN_WORDS else words


def mask_passwords(text: str) -> str:
    """Mask what is plainly a password inside of a text, such as the address of a database.

    :param text: any text.
    :returns: the text with the mask for passwords of addresses, after ``password=`` and like
        words, and after ``--password`` and like options; expressions and variables of a shell stay,
        since they name a value and do not hold it.
    """
    return replace_passwords(text, lambda _before, _password: MASK)


def replace_passwords(text: str, replacement: Callable[[str, str], str]) -> str:
    """Write something else for what :func:`mask_passwords` masks.

    :param text: any text.
    :param replacement: gives what to write for a password, of the text before it and of itself.
    :returns: the text without them.
    """

    def replaced(match: re.Match[str]) -> str:
        start = match.start("password")
        return match["before"] + replacement(match.string[:start], match["password"])

    for pattern in (_PASSWORD_ITEM, _PASSWORD_OPTION, _USER_PASSWORD):
        text = pattern.sub(replaced, text)
    return text


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Find the candidate that the writer most probably meant.

    :param word: what was written.
    :param candidates: the words that would be right.
    :returns: the closest candidate in its own spelling, none when nothing is close.
    """
    by_folded = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    matches = difflib.get_close_matches(word[:200].casefold(), by_folded, n=1, cutoff=0.72)
    return by_folded[matches[0]] if matches else None


def did_you_mean(word: str, candidates: Iterable[str], otherwise: str) -> str:
    """Phrase the advice for a word that is not known.

    :param word: what was written.
    :param candidates: the words that would be right.
    :param otherwise: the advice when nothing is close.
    :returns: a sentence.
    """
    match = nearest(word, candidates)
    return f"Did you mean {match!r}?" if match else otherwise
