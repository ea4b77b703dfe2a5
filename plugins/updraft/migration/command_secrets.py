"""Secrets in shell commands: variables in the DAG, whose values are read where the command runs.

So the value is in no DAG, no form and no report, and AWS shows it to nobody who lists commands or
steps. AWS Data Pipeline wrote it into the command.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from updraft.datapipeline.expressions import Embedded, Name, Part, Secret, Verbatim, parse_text
from updraft.datapipeline.findings import Severity, replace_passwords
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.compiled_fields import compile_value
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.names import snake_case, unique
from updraft.shell.variables import UncertainQuotesError, is_variable, variable_at

_EXPRESSION = re.compile(r"#\{[^}]*\}")
_WORD = re.compile(r"\w+")
# These write every command with the values of its variables to the log.
_TRACING = re.compile(r"\bset\s+(?:-\w*\s+)*-\w*x|xtrace|\A#![^\n]*\s-\w*x")
INTERPRETER = re.compile(r"\A#![^\n]*/(?:env +)?(?:ba|da|k|z)?sh\b[^\n]*(?:\n|\Z)")
"""The first line of a script, where it names a shell."""


@dataclass(frozen=True, slots=True)
class CommandSecret:
    """A secret that a command reads.

    :param variable: the variable of the shell.
    :param key: what to call it where it is kept.
    :param meaning: what it is in the definition, a noun.
    """

    variable: str
    key: str
    meaning: str


@dataclass(frozen=True, slots=True)
class SecretCommand:
    """A command whose secrets are variables that something has to set before.

    :param template: the command.
    :param secrets: its secrets, empty for most commands.
    """

    template: Template
    secrets: tuple[CommandSecret, ...]


@dataclass
class _Collector:
    task: str
    taken: set[str]
    secrets: dict[str, CommandSecret] = field(default_factory=dict)

    def password(self, before: str, value: str) -> str:
        """Replace a password that is written out."""
        if "#{" in value:
            raise UncertainQuotesError("an expression is a part of it")
        if is_variable(value):
            self._place(before, value)  # a shell reads it
            return value
        count = sum(one.startswith("=") for one in self.secrets)
        key = f"{self.task}_password_{count + 1}" if count else f"{self.task}_password"
        return self._read(before, f"={value}", key, "the password that stands there")

    def parameter(self, before: str, name: str) -> str:
        """Replace a secret that is read by its name."""
        if not before.strip():
            raise UncertainQuotesError("it is the command itself")
        return self._read(before, name, name, f"the secret `{name}`")

    def _read(self, before: str, known_as: str, key: str, meaning: str) -> str:
        if known_as not in self.secrets:
            variable = unique(snake_case(key).upper(), self.taken)
            self.secrets[known_as] = CommandSecret(variable, key, meaning)
        return self._place(before, self.secrets[known_as].variable)

    @staticmethod
    def _place(before: str, variable: str) -> str:
        return variable_at(_EXPRESSION.sub("x", before), variable)


def compile_command(
    name: str, item: ResolvedObject, workflow: Workflow, node: ResolvedObject | None = None
) -> SecretCommand | None:
    """Compile the command of an activity, with variables for the secrets in it.

    :param name: the field.
    :param item: the object.
    :param workflow: the workflow.
    :param node: what a precondition guards, known to it as ``node``.
    :returns: the command, none when the object has no such field.
    :raises NotCompilableError: when a part of it can't be said exactly, or a secret stands where
        no variable can.
    """
    inherited = item.fields.get(name)
    texts = inherited.field.texts if inherited is not None else ()
    if inherited is None or len(texts) != 1 or workflow.definition.is_secret(name):
        template = compile_value(name, item, workflow, node)
        return SecretCommand(template, ()) if template is not None else None
    found = _Collector(snake_case(item.item.name), set(_WORD.findall(texts[0])))
    try:
        text = replace_passwords(texts[0], found.password)
        parts = _parts(text, workflow, found.parameter)
    except UncertainQuotesError as error:
        raise NotCompilableError(
            f"a secret stands in {item.id}.{name}, and must not stand in a DAG, but no variable "
            f"can take its place: {error}. Let the program read it from AWS Secrets Manager"
        ) from None
    if not found.secrets and text == texts[0]:
        template = compile_value(name, item, workflow, node)
        return SecretCommand(template, ()) if template is not None else None
    if found.secrets:
        require_no_tracing(text, item, name)
    own = (inherited.owner_id, name)
    try:
        template = workflow.compiler.compile_parts(parts, item, node, variables=True)
    except MissingFieldError as error:
        raise MissingFieldError(error.message, error.advice, error.place or own) from None
    return SecretCommand(
        replace(template, fields=template.fields | {own}), tuple(found.secrets.values())
    )


def require_no_tracing(command: str, item: ResolvedObject, name: str) -> None:
    """Make sure that a command with a secret does not write it to the log.

    :param command: the command.
    :param item: the object.
    :param name: the field that the secret stands in.
    :raises NotCompilableError: when it traces its commands.
    """
    if _TRACING.search(command):
        raise NotCompilableError(
            f"a secret stands in {item.id}.{name}, and the command traces its commands, so that it "
            "would stand in the log: let the program read it from AWS Secrets Manager"
        )


def _parts(text: str, workflow: Workflow, variable: Callable[[str, str], str]) -> tuple[Part, ...]:
    """Cut a text into its parts, those that are secrets replaced."""

    def part(one: Part) -> Part:
        if not isinstance(one, Embedded) or not isinstance(one.tree, Name | Secret):
            return one
        name = one.tree.name.removeprefix("*")
        if not workflow.definition.is_secret(name):
            return one
        return Verbatim(variable(text[: one.offset], name))

    return tuple(map(part, parse_text(text)))


def read_on_machine(
    command: SecretCommand,
    field_name: str,
    item: ResolvedObject,
    workflow: Workflow,
    region: str | None,
) -> Template:
    """Let a command read its secrets from AWS Secrets Manager before all else.

    :param command: the command.
    :param field_name: the field that it is written in.
    :param item: the object.
    :param workflow: where the account and a warning go.
    :param region: region of the machine, none when only the machine itself knows it.
    :returns: the command, which fails when it may not read one.
    :raises NotCompilableError: when it is no command of a shell.
    """
    if not command.secrets:
        return command.template
    text = command.template.text
    interpreter = INTERPRETER.match(text)
    if text.startswith("#!") and interpreter is None:
        raise NotCompilableError(
            f"a secret stands in {item.id}.{field_name}, and must not stand in a DAG: let the "
            "program read it from AWS Secrets Manager"
        )
    place = f" --region {region}" if region else ""
    ids = {one: f"{workflow.dag_id}/{one.key}" for one in command.secrets}
    lines = "".join(
        f"{one.variable}=$(aws secretsmanager get-secret-value{place} --secret-id {secret_id} "
        "--query SecretString --output text) || exit\n"
        for one, secret_id in ids.items()
    )
    head = interpreter[0] if interpreter else ""
    todo = "; ".join(
        f"`{one.variable}` is {one.meaning}: create the secret `{secret_id}` in AWS Secrets "
        "Manager with it, as plain text"
        for one, secret_id in ids.items()
    )
    note = f"{todo}; the role of the machine has to read it (`secretsmanager:GetSecretValue`)"
    _account(command, field_name, item, workflow, note)
    ended = head if not head or head.endswith("\n") else f"{head}\n"
    return replace(command.template, text=f"{ended}{lines}{text.removeprefix(head)}", literal=None)


def read_from_connections(
    command: SecretCommand, field_name: str, item: ResolvedObject, workflow: Workflow
) -> dict[str, str]:
    """Let Airflow set the secrets of a command as variables.

    :param command: the command.
    :param field_name: the field that it is written in.
    :param item: the object.
    :param workflow: where the account and a warning go.
    :returns: templates by variable; Airflow masks what they give.
    """
    if not command.secrets:
        return {}
    todo = "; ".join(
        f"`{one.variable}` is {one.meaning}: make the Airflow connection `{snake_case(one.key)}` "
        "(type `generic`) with it as password"
        for one in command.secrets
    )
    _account(command, field_name, item, workflow, todo)
    return {
        one.variable: f"{{{{ conn.{snake_case(one.key)}.password }}}}" for one in command.secrets
    }


def _account(
    command: SecretCommand, name: str, item: ResolvedObject, workflow: Workflow, note: str
) -> None:
    workflow.ledger.account(item, name, Status.EQUIVALENT, note)
    if any(one.meaning.startswith("the password") for one in command.secrets):
        workflow.report(
            Severity.WARNING,
            item,
            name,
            "A password stands in the command; in the DAG, a variable takes its place",
            "Keep it where the report says, and change it, since the definition shows it",
        )
