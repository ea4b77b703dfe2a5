"""Secrets among the arguments of a shell command: set by the command itself, from variables."""

from dataclasses import dataclass, replace

from updraft.datapipeline.expressions import Embedded, Name, Secret, parse_text
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.command_secrets import (
    INTERPRETER,
    CommandSecret,
    SecretCommand,
    require_no_tracing,
)
from updraft.migration.jinja_compiler import Template
from updraft.migration.mapper import Workflow
from updraft.migration.names import snake_case, unique

_FIELD = "scriptArgument"


@dataclass(frozen=True, slots=True)
class ArgumentsApart:
    """A command that puts its secret arguments between the others.

    :param command: the command.
    :param others: the arguments that it is given, those without secrets.
    """

    command: SecretCommand
    others: tuple[Template, ...]


def secret_arguments_apart(
    command: SecretCommand,
    item: ResolvedObject,
    workflow: Workflow,
    node: ResolvedObject | None = None,
) -> ArgumentsApart | None:
    """Let a command read those of its arguments that are secrets and nothing else.

    :param command: the command.
    :param item: the activity or precondition.
    :param workflow: the workflow.
    :param node: what a precondition guards, known to it as ``node``.
    :returns: the command and its other arguments, none when no argument is a secret.
    :raises NotCompilableError: when one can't be said exactly, or the command traces its commands.
    """
    inherited = item.fields.get(_FIELD)
    texts = inherited.field.texts if inherited is not None else ()
    names = [_secret_name(text, workflow) for text in texts]
    if not any(names):
        return None
    require_no_tracing(command.template.text, item, _FIELD)
    secrets = {one.key: one for one in command.secrets}
    taken = {one.variable for one in command.secrets}
    words: list[str] = []
    others: list[Template] = []
    for text, name in zip(texts, names, strict=True):
        if name is None:
            others.append(workflow.compiler.compile_text(text, item, node))
            words.append(f'"${{{len(others)}}}"')
            continue
        if name not in secrets:
            variable = unique(snake_case(name).upper(), taken)
            secrets[name] = CommandSecret(variable, name, f"the secret `{name}`")
        words.append(f'"${{{secrets[name].variable}}}"')
    text = command.template.text
    interpreter = INTERPRETER.match(text)
    head = interpreter[0] if interpreter else ""
    lines = f"set -- {' '.join(words)}\n{text.removeprefix(head)}"
    template = replace(command.template, text=f"{head}{lines}", literal=None)
    return ArgumentsApart(SecretCommand(template, tuple(secrets.values())), tuple(others))


def _secret_name(text: str, workflow: Workflow) -> str | None:
    """Tell a text that is nothing but a secret."""
    parts = parse_text(text)
    if len(parts) != 1 or not isinstance(parts[0], Embedded):
        return None
    tree = parts[0].tree
    if not isinstance(tree, Name | Secret):
        return None
    name = tree.name.removeprefix("*")
    return name if workflow.definition.is_secret(name) else None
