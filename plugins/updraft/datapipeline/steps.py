"""The ``step`` strings of EmrActivity: a JAR and its arguments in one text."""

from updraft.datapipeline.expressions import (
    Embedded,
    ExpressionError,
    Name,
    Part,
    Verbatim,
    parse_text,
)
from updraft.datapipeline.step_texts import split_commas


def split_step(step: str) -> tuple[tuple[Part, ...], ...]:
    r"""Split a step at its commas.

    A comma behind a backslash belongs to the argument (guide, "EmrActivity"). Definitions write
    one or two backslashes there, since some tools on the way take one off; both mean the same.
    Commas inside of ``#{…}`` separate a function's arguments and do not split. Blanks are kept:
    the service takes them as part of the argument.

    :param step: for example ``s3://bucket/tool.jar,Main,low\,high``.
    :returns: the JAR and the arguments, each cut into literal parts and expressions.
    :raises ExpressionError: when an expression in it can't be read.
    """
    arguments: list[list[Part]] = [[]]
    for part in parse_text(step):
        if isinstance(part, Embedded):
            arguments[-1].append(part)
            continue
        first, *others = split_commas(part.text)
        if first:
            arguments[-1].append(Verbatim(first))
        arguments.extend([Verbatim(other)] if other else [] for other in others)
    return tuple(tuple(parts) for parts in arguments)


def sole_name(text: str) -> str | None:
    """Tell a text that is nothing but a name, such as ``#{mySteps}``.

    :param text: the value of a field.
    :returns: the name; none for any other text.
    """
    try:
        parts = parse_text(text.strip())
    except ExpressionError:
        return None
    if len(parts) != 1 or not isinstance(parts[0], Embedded):
        return None
    tree = parts[0].tree
    return tree.name if isinstance(tree, Name) else None


def join_step(arguments: list[str]) -> str:
    r"""Write arguments as one step, the reverse of :func:`split_step`.

    :param arguments: literal texts; none may end in a backslash or have one before a comma.
    :returns: the step.
    """
    return ",".join(argument.replace(",", "\\,") for argument in arguments)
