"""Writing Jinja templates: expressions, string literals, and text that must stay text."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment

from updraft.datapipeline.findings import MASK, replace_passwords
from updraft.migration.compilation_errors import NotCompilableError
from updraft.shell.variables import is_variable

# How the service prints an instant that no function formats.
_PLAIN_INSTANT = "%Y-%m-%dT%H:%M:%S"
# Of Airflow's ParamsDict, besides those of a dict.
_METHODS_OF_PARAMS = {"dump", "suppress_exception", "validate"}
# It only cuts templates into pieces.
_LEXER = Environment(keep_trailing_newline=True)  # noqa: S701 renders nothing


Kind = Literal["text", "integer", "number", "computed", "utc", "run time", "instant", "list", "any"]

INSTANTS: frozenset[Kind] = frozenset({"utc", "run time", "instant"})
# What Jinja would print otherwise than the service does.
_PRINTED_BY_MACRO: frozenset[Kind] = frozenset({"computed", "list", "any", "instant"})


@dataclass(frozen=True, slots=True)
class JinjaCode:
    """A Jinja expression and what it yields.

    :param text: the expression.
    :param kind: a text, a whole number, any number, a computed number, a list, or an instant:
        ``run time`` is a pendulum instant in UTC, ``utc`` a ``datetime`` in UTC, ``instant`` one in
        any zone. ``any`` is known only when it runs.
    :param operator: of an operation in parentheses its operator, for a turned sign ``sign``.
    :param is_recent: whether an ``instant`` is at most weeks away from a time of the run, so that
        its year has four digits.
    """

    text: str
    kind: Kind
    operator: str = ""
    is_recent: bool = False


JinjaText = tuple[str | JinjaCode, ...]

_LINE_BREAK = JinjaCode("'\\n'", "text")
LAST_LINE_BREAK = f"{{{{ {_LINE_BREAK.text} }}}}"
"""What stands for the line break at the end of a template."""


def macro(name: str, *arguments: JinjaText) -> str:
    """Write a call of one of Updraft's macros.

    :param name: the macro.
    :param arguments: its arguments.
    :returns: an expression.
    """
    given = ", ".join(without_parentheses(to_code(one)) for one in arguments)
    return f"macros.updraft.{name}({given})"


def to_code(value: JinjaText) -> str:
    """Write a value as an expression.

    :param value: literal texts and expressions in order.
    :returns: an expression of Jinja that yields the value, of several pieces their texts in a row.
    """
    if len(value) == 1:
        (piece,) = value
        return jinja_string(piece) if isinstance(piece, str) else piece.text
    return (
        " ~ ".join(
            jinja_string(piece) if isinstance(piece, str) else _printed(piece) for piece in value
        )
        or "''"
    )


def _printed(code: JinjaCode) -> str:
    if code.kind in {"utc", "run time"} or code.is_recent:
        return f"{code.text}.strftime({jinja_string(_PLAIN_INSTANT)})"
    if code.kind in _PRINTED_BY_MACRO:
        return f"macros.updraft.text({without_parentheses(code.text)})"
    return code.text


def parameter_code(name: str) -> str:
    """Write the value of a parameter as an expression of Jinja.

    :param name: the parameter.
    :returns: an expression that reads it from ``params``.
    """
    # Jinja takes `params.items` for the method of the dict.
    plain = name.isidentifier() and name.isascii() and not name.startswith("_")
    plain = plain and not hasattr(dict, name) and name not in _METHODS_OF_PARAMS
    return f"params.{name}" if plain else f"params[{jinja_string(name)}]"


def jinja_string(text: str) -> str:
    r"""Write a text as a string literal of Jinja.

    :param text: any text.
    :returns: the literal in single quotes.
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r") + "'"


def is_text(value: JinjaText) -> bool:
    """Tell whether a value is text, so that ``+`` concatenates.

    :param value: the value.
    :returns: false for a single number or instant.
    """
    return len(value) != 1 or isinstance(value[0], str) or value[0].kind == "text"


def require_no_password(value: JinjaText, *, variables: bool = False) -> None:
    """Make sure that a text holds no password, also where it is put together of several fields.

    :param value: literal texts and expressions in order.
    :param variables: whether a shell reads it, where a variable is no password.
    :raises NotCompilableError: when it plainly does, since everybody may read a DAG.
    """
    # An expression in place of a password names it and does not hold it.
    text = "".join(piece if isinstance(piece, str) else "#{}" for piece in value)

    def left(_before: str, password: str) -> str:
        return password if variables and is_variable(password) else MASK

    if replace_passwords(text, left) != text:
        raise NotCompilableError(
            "a password stands in it, and must not stand in a DAG: let the program read it from "
            "AWS Secrets Manager"
        )


def to_template(value: JinjaText) -> str:
    """Write a value as a template.

    :param value: literal texts and expressions in order.
    :returns: a template that renders to the texts as they are and the results of the expressions.
    """
    pieces: list[str] = []
    merged: list[str | JinjaCode] = []
    for piece in value:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    if merged and isinstance(merged[-1], str) and merged[-1].endswith("\n"):
        # Jinja swallows one line break at the end of a template.
        merged[-1:] = [merged[-1][:-1], _LINE_BREAK]
    for index, piece in enumerate(merged):
        if isinstance(piece, JinjaCode):
            pieces.append(f"{{{{ {without_parentheses(_printed(piece))} }}}}")
        else:
            followed_by_code = index + 1 < len(merged)
            pieces.append(_escape(piece, followed_by_code=followed_by_code))
    return "".join(pieces)


def without_parentheses(text: str) -> str:
    """Leave out parentheses around a whole expression.

    :param text: an expression.
    :returns: the same expression.
    """
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for token in re.finditer(r"'(?:[^'\\]|\\.)*'|[()]", text, re.DOTALL):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0 and token.end() < len(text):
            return text  # it ends before: there are several expressions
    return text[1:-1]


def map_literals(template: str, change: Callable[[str], str]) -> str:
    """Change the literal texts of a template and leave its expressions as they are.

    :param template: the template.
    :param change: gives the new text for a literal one.
    :returns: the changed template.
    """
    tokens = _LEXER.lex(template)
    return "".join(change(text) if kind == "data" else text for _, kind, text in tokens)


def _escape(text: str, *, followed_by_code: bool) -> str:
    escaped: list[str] = []
    for index, character in enumerate(text):
        following = text[index + 1] if index + 1 < len(text) else ("{" if followed_by_code else "")
        opens = character == "{" and following in {"{", "%", "#"}
        # Jinja turns each end of a line into a line feed.
        special = "{" if opens else character if character == "\r" else ""
        escaped.append(f"{{{{ {jinja_string(special)} }}}}" if special else character)
    return "".join(escaped)


def nesting(code: str) -> int:
    """Tell how deeply an expression is nested, for Jinja and for the Python that it makes of it.

    :param code: an expression of Jinja.
    :returns: the most parentheses around anything in it, where each link of a chain of calls, and
        each operator of a row of them, counts as one.
    """
    deepest = 0
    # The links of chains on each level; each level counts as one itself.
    links = [0]
    for token in re.finditer(r"'(?:[^'\\]|\\.)*'|\(|\)\.?|,| [-+*] ", code, re.DOTALL):
        if token[0] == "(":
            links.append(0)
        elif token[0].startswith(")"):
            links.pop()
            links[-1] += token[0] == ")."
        elif token[0] == ",":
            links[-1] = 0
        elif token[0].startswith(" "):
            links[-1] += 1
        deepest = max(deepest, sum(links) + len(links) - 1)
    return deepest
