"""Which names of a definition stand for secrets.

An asterisk in front of a name marks it (guide, "Special Characters"), but definitions write the
asterisk in one place and leave it out in the next, and pass a secret on under other names.
"""

import re
from collections.abc import Iterable
from functools import cache

from updraft.datapipeline.expressions import (
    Embedded,
    Expression,
    ExpressionError,
    Member,
    Name,
    Secret,
    parse_text,
    walk,
)
from updraft.datapipeline.object_types import object_types

_WORD = re.compile(r"\w+")
_STARRED_WORD = re.compile(r"\*\s*(\w+)")
_IDENTITY = {"id", "name", "type"}


def secret_names(texts: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Find the names whose values must never be shown.

    These are the names marked by an asterisk where they are written or where an expression reads
    them, and all names that go into the value of a secret, at any remove. A name is secret in
    the whole definition, since it is one more place to leak from wherever else it occurs.

    :param texts: pairs of a name as written and one of its values, of all fields of objects,
        parameters and parameter values; an empty text where there is no value.
    :returns: names without asterisks.
    """
    feeds: dict[str, set[str]] = {}
    secret: set[str] = set()
    for written, text in texts:
        name = written.removeprefix("*")
        if name != written:
            secret.add(name)
        read, starred = _names_read(text)
        feeds.setdefault(name, set()).update(read)
        secret |= starred
    pending = list(secret)
    while pending:
        for name in feeds.get(pending.pop(), set()) - secret:
            if _may_be_secret(name):
                secret.add(name)
                pending.append(name)
    return frozenset(secret)


def _names_read(text: str) -> tuple[set[str], set[str]]:
    """List the names whose values go into a text, and those of them that bear an asterisk."""
    if "#{" not in text:
        return set(), set()
    try:
        trees = [part.tree for part in parse_text(text) if isinstance(part, Embedded)]
    except ExpressionError:
        # Which names were meant is anybody's guess: all of them.
        return set(_WORD.findall(text)), set(_STARRED_WORD.findall(text))
    read: set[str] = set()
    starred: set[str] = set()
    for node in (node for tree in trees for node in _values(tree)):
        name = node.name.removeprefix("*")
        read.add(name)
        if isinstance(node, Secret) or name != node.name:
            starred.add(name)
    return read, starred


def _values(tree: Expression) -> list[Name | Secret | Member]:
    """List what gives values; the part before a dot only says whose value it is."""
    nodes = list(walk(tree))
    targets = {id(node.target) for node in nodes if isinstance(node, Member)}
    return [
        node
        for node in nodes
        if isinstance(node, Name | Secret | Member) and id(node) not in targets
    ]


@cache
def _may_be_secret(name: str) -> bool:
    """Leave out what says nothing: identity, runtime fields, and fields that take no text."""
    if name in _IDENTITY or name.startswith("@"):
        return False
    slots = {entry.fields[name].slot for entry in object_types().values() if name in entry.fields}
    return not slots or "string" in slots
