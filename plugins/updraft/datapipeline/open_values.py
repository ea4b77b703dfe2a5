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
    place = _Place()
    written: list[str] = []
    closing = ""
    for part in parts:
        if isinstance(part, str):
            place.read(part)
            # The quotes that an open value interrupts go on behind it, unless they end there.
            ends_here = closing and part.startswith(closing)
            written.append(part[1:] if ends_here else _reopened(closing) + part)
            closing = ""
            continue
        if closing:
            written.append(_reopened(closing))
        closing = place.quote
        if not place.inside:
            written.append(f"#{{{part.parameter_id}}}")
        elif closing and written[-1].endswith(closing) and not place.quoted:
            written[-1] = written[-1].removesuffix(closing)
            written.append(part.parameter_id)
        else:
            written.append(f"{closing} + {part.parameter_id}" if closing else part.parameter_id)
        place.quoted = True
    return "".join((*written, _reopened(closing)))


def _reopened(quote: str) -> str:
    """Go on with a quoted text behind an open value."""
    return f" + {quote}" if quote else ""


class _Place:
    """Where a text stands that is read piece by piece: inside of an expression, and of quotes."""

    def __init__(self) -> None:
        self.inside = False
        self.quote = ""
        self.quoted = False
        """Whether anything stands between the quotes so far."""
        self._last = ""

    def read(self, text: str) -> None:
        for character in text:
            if not self.inside:
                self.inside = self._last == "#" and character == "{"
            elif self.quote:
                self.quoted = True
                self.quote = "" if character == self.quote else self.quote
            elif character in "'\"":
                self.quote, self.quoted = character, False
            elif character == "}":
                self.inside = False
            self._last = character
