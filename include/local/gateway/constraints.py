"""Checking parameters against what a service model says about them.

The models carry lengths, ranges, patterns and enumerations, which the SDKs leave to the service:
https://smithy.io/2.0/spec/constraint-traits.html.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """List what a value violates.

    :param shape: botocore's shape of the value.
    :param value: the value, parsed; None stands for an absent one.
    :param path: where the value stands, such as ``items.3.name``.
    :returns: a sentence per violation, in the words that AWS uses for them.
    """
    if shape.type_name == "structure":
        yield from _structure(shape, value, path)
    elif shape.type_name == "list":
        yield from _bounds(shape, value, len(value), path)
        for position, item in enumerate(value, start=1):
            yield from violations(shape.member, item, f"{path}.{position}.member")
    elif shape.type_name in {"string", "blob"}:
        yield from _text(shape, value, path)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        yield from _bounds(shape, value, value, path)


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    if shape.metadata.get("union") and sum(one is not None for one in value.values()) != 1:
        yield _violation(None, path, "Exactly one member of a union must be set")
    for name in shape.required_members:
        if value.get(name) is None:
            yield _violation(None, f"{path}.{name}".lstrip("."), "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from violations(member, value[name], f"{path}.{name}".lstrip("."))


def _text(shape: Any, value: Any, path: str) -> Iterator[str]:
    size = len(value)
    yield from _bounds(shape, value if size < _SHOWN else f"{size} long", size, path, "length ")
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern and isinstance(value, str) else None
    if compiled is not None and not compiled.fullmatch(value):
        rule = f"Member must satisfy regular expression pattern: {pattern}"
        yield _violation(value, path, rule)
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        rule = f"Member must satisfy enum value set: [{', '.join(shape.metadata['enum'])}]"
        yield _violation(value, path, rule)


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Read a pattern of a model; those are Java's, where characters are UTF-16.

    :param pattern: the pattern.
    :returns: the same for Python, None where it has no words for it.
    """
    for surrogates, characters in _UTF_16.items():
        pattern = pattern.replace(surrogates, characters)
    try:
        return re.compile(pattern)
    except re.error:
        return None


_UTF_16 = {r"\uD800\uDC00-\uDBFF\uDFFF": "\U00010000-\U0010ffff"}

_SHOWN = 200  # characters of a value that fit into a message


def _bounds(shape: Any, shown: Any, size: float, path: str, what: str = "") -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _violation(
            shown, path, f"Member must have {what or 'value '}greater than or equal to {least}"
        )
    if most is not None and size > most:
        yield _violation(
            shown, path, f"Member must have {what or 'value '}less than or equal to {most}"
        )


def _violation(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"
