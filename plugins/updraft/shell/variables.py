"""Inside of which quotes a place in a shell command stands, and so how a variable goes there.

.. seealso:: "Quoting" in the POSIX standard,
    https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
"""

import re

from updraft.errors import UpdraftError

# What a shell replaces before it goes on, as far as no quote in it can mislead.
_SUBSTITUTION = re.compile(r"""\$\([^()'"`]*\)|`[^'"`]*`""")
_UNCERTAIN = re.compile(r"\$\(|`|(?<!<)<<(?!<)")
# A here-document: how it begins, the line that ends it, and quotes that keep variables from it.
_HERE_BEGINS = re.compile(
    r"(?<!<)<<(?P<tabs>-)?[ \t]*(?P<quote>['\"]?)(?P<word>\w+)(?P=quote)(?P<rest>[^\n]*\n)"
)
_HERE = re.compile(_HERE_BEGINS.pattern + r"(?:.*\n)*?(?(tabs)\t*|)(?P=word)\n")
# Options and commands whose quoted argument is a command line of its own.
_COMMAND_LINE = re.compile(r"(?:\s-\w*c|\beval|\bssh\b[^|;&\n]*)\s*$")

_VARIABLE = re.compile(r"\$(?:\w+|\{\w+\})")


class UncertainQuotesError(UpdraftError):
    """Nobody can tell from the text alone how a shell reads a place of it."""


def is_variable(text: str) -> bool:
    """Tell whether a text is a variable of a shell and nothing else.

    :param text: such as ``$NAME`` or ``${NAME}``.
    """
    return _VARIABLE.fullmatch(text) is not None


def variable_at(before: str, variable: str) -> str:
    """Write a variable so that a shell takes its value as it is, for one word or a part of one.

    :param before: the command up to the place.
    :param variable: name of the variable.
    :returns: what to write there.
    :raises UncertainQuotesError: inside of a command within the command, of a here-document that
        knows no variables, and of what a simple look does not understand.
    """
    quote = _open_quote(_SUBSTITUTION.sub("x", before))
    if quote == "'":
        return f"""'"${{{variable}}}"'"""  # single quotes end before it, and begin again
    return f"${{{variable}}}" if quote else f'"${{{variable}}}"'


def _open_quote(text: str) -> str:
    """Tell which quote is open at the end of a text, ``<<`` for a here-document, empty for none."""
    quote, start, at = "", 0, 0
    while at < len(text):
        character = text[at]
        if character == "\\" and quote != "'":
            at += 2
            continue
        if not quote and _HERE_BEGINS.match(text, at):
            if (here := _HERE.match(text, at)) is None:
                return _open_here(text, at)
            text = text[:at] + here["rest"] + text[here.end() :]
            continue
        if quote != "'" and _UNCERTAIN.match(text, at):
            raise UncertainQuotesError("it stands in or after a command within the command")
        if not quote and character == "#" and (at == 0 or text[at - 1].isspace()):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote, start = character, at
        at += 1
    if quote and _COMMAND_LINE.search(text[:start]):
        raise UncertainQuotesError("it stands in a command within the command")
    return quote


def _open_here(text: str, at: int) -> str:
    """Look at a here-document that does not end, and in which a shell may read variables."""
    begins = _HERE_BEGINS.match(text, at)
    if begins is None or begins["quote"] or _UNCERTAIN.search(text, begins.end()):
        raise UncertainQuotesError("it stands in a here-document that knows no variables")
    return "<<"
