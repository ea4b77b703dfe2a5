"""Puts texts into a shell script so that they stay what they are."""

import re
import shlex

from updraft.errors import ArgumentError

_DOUBLE_BRACE = re.compile(r"\{(?=\{)")


def quoted(text: str) -> str:
    """Write a text as one word of a shell script that Systems Manager runs.

    Systems Manager fills in ``{{ … }}`` wherever it stands, before any shell sees the script. The
    word has no two braces in a row, and the shell puts the text together again.

    :param text: the text.
    :returns: the word.
    :raises UpdraftError: when no shell can have the text.
    """
    if "\0" in text:
        raise ArgumentError(f"{text!r} has the character NUL, which no shell command can have")
    # Whatever has a brace is between single quotes, which shlex itself closes only for a quote.
    return _DOUBLE_BRACE.sub("{''", shlex.quote(text))
