"""Checks of the expressions in a text: syntax, functions and names."""

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
from updraft.datapipeline.findings import did_you_mean
from updraft.datapipeline.functions import function_problems
from updraft.datapipeline.model import Definition
from updraft.datapipeline.object_types import runtime_field_names

# Runtime fields that the guide's tables lack: of its "Special Characters", and of what the API
# gives of instances and attempts.
_UNLISTED_RUNTIME_FIELDS = {
    "@attemptParent",
    "@componentParent",
    "@headAttempt",
    "@id",
    "@instanceParent",
    "@resourceStatus",
}
# Every object has these without writing them; ``node`` is the object that an alarm or a
# precondition belongs to.
_GIVEN_NAMES = {"id", "name", "type", "parent", "node"}


def expression_problems(
    text: str, definition: Definition, *, secret: bool
) -> list[tuple[str, str]]:
    """Check the expressions in the value of a field.

    :param text: the value.
    :param definition: the definition that it stands in.
    :param secret: whether messages must not quote from the text, since a secret may hold a
        ``#{`` by chance.
    :returns: a pair of message and advice for each problem.
    """
    try:
        trees = [part.tree for part in parse_text(text) if isinstance(part, Embedded)]
    except ExpressionError as error:
        where = f"{error.message} (character {error.offset + 1} of the value)"
        message = "An expression can't be read"
        message = message if secret else f"{message}: {where}"
        return [(message, "Correct the text between #{ and }")]
    functions = [problem for tree in trees for problem in function_problems(tree)]
    if secret:
        functions = [("A function call in it is not right", advice) for _, advice in functions]
    runtime = [
        (
            "A runtime field in it is not known"
            if secret
            else f"There is no runtime field {name!r}",
            did_you_mean(name, runtime_field_names(), "Look it up in the guide's object reference"),
        )
        for tree in trees
        for name in _unknown_runtime_fields(tree)
    ]
    names = [
        unknown_name(name, definition, secret=secret)
        for tree in trees
        for name in _unknown_names(tree, definition)
    ]
    return list(dict.fromkeys(functions + runtime + names))


def unknown_names(text: str, definition: Definition) -> list[str]:
    """List the names in a text that nothing gives a value.

    :param text: the value of a field.
    :param definition: the definition that it stands in.
    :returns: the names; none when the text can't be read.
    """
    try:
        trees = [part.tree for part in parse_text(text) if isinstance(part, Embedded)]
    except ExpressionError:
        return []
    return [name for tree in trees for name in _unknown_names(tree, definition)]


def unknown_name(name: str, definition: Definition, *, secret: bool = False) -> tuple[str, str]:
    """Say that nothing gives a name its value.

    :param name: the name as an expression uses it.
    :param definition: the definition.
    :param secret: whether the message must not quote the name.
    :returns: message and advice.
    """
    subject = "A name in it" if secret else repr(name)
    if definition.is_secret(name):
        otherwise = "Declare it under 'parameters', with an asterisk; its value is not needed"
    else:
        otherwise = "Declare it under 'parameters', or give its value by --set or --values"
    # What starts with "my" is the user's own, and so is what was meant by it.
    candidates = {one for one in definition.names if one.startswith("my") or name[:2] != "my"}
    return (
        f"{subject} is neither a field nor a parameter with a declaration or a value",
        did_you_mean(name, candidates, otherwise),
    )


def nearest_runtime_field(name: str) -> str:
    """Advise on a runtime field that has no value.

    :param name: the name as an expression uses it.
    :returns: a sentence after a full stop; nothing for a field that there is, or when none is near.
    """
    known = runtime_field_names()
    advice = "" if name in known else did_you_mean(name, known, "")
    return f". {advice}" if advice else ""


def _unknown_runtime_fields(tree: Expression) -> list[str]:
    return [
        node.name
        for node in walk(tree)
        if isinstance(node, Name | Secret | Member)
        and node.name.startswith("@")
        and node.name not in runtime_field_names() | _UNLISTED_RUNTIME_FIELDS
    ]


def _unknown_names(tree: Expression, definition: Definition) -> list[str]:
    return [
        node.name
        for node in walk(tree)
        if isinstance(node, Name | Secret)
        and not node.name.startswith("@")
        and node.name not in _GIVEN_NAMES
        and node.name not in definition.names
    ]
