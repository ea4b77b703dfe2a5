"""Values that a template leaves open: what only CloudFormation, Terraform or a person knows.

An open value becomes a parameter of the pipeline with a name of its own, and stands in texts as
an expression that reads it. So it goes the way of every parameter from there on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from updraft.datapipeline.object_types import all_field_names

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]+")
_IDENTITY = {"id", "name", "type", "node", "parent"}


@dataclass(frozen=True, slots=True)
class OpenValue:
    """A value that the file refers to and does not give.

    :param name: how the template calls it, such as ``AWS::Region`` or ``var.bucket``.
    :param origin: what it is, in words.
    :param description: what the template says about it.
    :param type: type of the parameter that it becomes.
    :param allowed_values: the only values allowed, empty when any is.
    :param secret: whether it must never be shown.
    """

    name: str
    origin: str
    description: str | None = None
    type: str = "String"
    allowed_values: tuple[str, ...] = ()
    secret: bool = False

    @property
    def parameter_name(self) -> str:
        """The name of its parameter, which no field has, so that no field hides it."""
        words = _NOT_IN_A_NAME.sub("_", self.name).strip("_") or "value"
        words = f"value_{words}" if words[0].isdigit() else words
        taken = words in all_field_names() or words in _IDENTITY or words.startswith("my")
        return f"{words}_value" if taken else words

    @property
    def parameter_id(self) -> str:
        """The id of its parameter, with the asterisk of a secret."""
        return f"*{self.parameter_name}" if self.secret else self.parameter_name


Part = str | OpenValue


class Numbering:
    """Gives names to values that have none of their own; the same value gets the same name."""

    def __init__(self) -> None:
        self._known: dict[str, list[str]] = {}

    def name(self, kind: str, key: str) -> str:
        """Name a value.

        :param kind: what it is, such as the function that gives it.
        :param key: what tells it from others of its kind.
        :returns: the kind, from the second one on with a number.
        """
        known = self._known.setdefault(kind, [])
        if key not in known:
            known.append(key)
        number = known.index(key) + 1
        return kind if number == 1 else f"{kind} {number}"


def splice(parts: Sequence[Part]) -> str:
    """Write texts and open values as one text with expressions.

    An open value in the middle of an expression becomes a name of that expression.

    :param parts: texts and open values in their order.
    :returns: for example ``s3://#{LogsBucket}/logs``.
    """
    text, closing = "", ""
    for part in parts:
        if isinstance(part, str):
            # The quotes that an open value interrupts go on behind it, unless they end there.
            text += part[1:] if closing and part.startswith(closing) else _reopened(closing) + part
            closing = ""
            continue
        text += _reopened(closing)
        inside, closing = _place(text)
        if not inside:
            text += f"#{{{part.parameter_id}}}"
        elif not closing:
            text += part.parameter_id
        elif text.endswith(closing):
            text = text.removesuffix(closing) + part.parameter_id
        else:
            text += f"{closing} + {part.parameter_id}"
    return text + _reopened(closing)


def _reopened(quote: str) -> str:
    """Go on with a quoted text behind an open value.

    :param quote: its quote, an empty text when there is none.
    :returns: the text in between.
    """
    return f" + {quote}" if quote else ""


def _place(text: str) -> tuple[bool, str]:
    """Tell whether a text ends inside of an expression, and inside of which quotes there."""
    inside, quote, index = False, "", 0
    while index < len(text):
        character = text[index]
        if not inside:
            start = text.find("#{", index)
            if start < 0:
                return False, ""
            inside, index = True, start + 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "}":
            inside = False
        index += 1
    return inside, quote
