"""Which fields use which names in their expressions."""

from updraft.datapipeline.expressions import (
    Embedded,
    ExpressionError,
    Member,
    Name,
    Secret,
    parse_text,
    walk,
)
from updraft.datapipeline.model import Definition

Mentions = dict[str, list[tuple[str, str]]]


def mentions(definition: Definition) -> Mentions:
    """Find out which fields use which names in their expressions.

    :param definition: the definition.
    :returns: for each name pairs of object id and field name.
    """
    found: Mentions = {}
    for item in definition.objects:
        for field in item.fields:
            for text in field.texts:
                for name in _names(text):
                    uses = found.setdefault(name, [])
                    if (item.id, field.name) not in uses:
                        uses.append((item.id, field.name))
    return found


def _names(text: str) -> list[str]:
    try:
        parts = parse_text(text)
    except ExpressionError:
        return []
    return [
        node.name.removeprefix("*")
        for part in parts
        if isinstance(part, Embedded)
        for node in walk(part.tree)
        if isinstance(node, Name | Secret | Member)
    ]
