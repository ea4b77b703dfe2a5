"""Fields of objects as templates, each of which counts as read where it is written."""

from contextlib import suppress
from dataclasses import replace

from updraft.datapipeline.findings import mask_passwords
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.mapper import Workflow
from updraft.migration.tasks import ArgumentValue


def compile_values(
    name: str, item: ResolvedObject, workflow: Workflow, node: ResolvedObject | None = None
) -> tuple[Template, ...]:
    """Compile all values of a field.

    :param name: the field.
    :param item: the object.
    :param workflow: the workflow.
    :param node: what a precondition guards, known to it as ``node``.
    :returns: a template for each value, none when the object has no such field.
    :raises NotCompilableError: when a part of one can't be said exactly.
    """
    inherited = item.fields.get(name)
    if inherited is None:
        return ()
    workflow.compiler.require_public(name)
    if inherited.field.references:
        raise NotCompilableError(f"{item.id}.{name} is a reference where a text belongs")
    require_no_password(name, item)
    own = (inherited.owner_id, name)
    try:
        compiled = [
            workflow.compiler.compile_text(text, item, node) for text in inherited.field.texts
        ]
    except MissingFieldError as error:
        raise MissingFieldError(error.message, error.advice, error.place or own) from None
    return tuple(replace(one, fields=one.fields | {own}) for one in compiled)


def compile_texts(
    name: str, item: ResolvedObject, workflow: Workflow, node: ResolvedObject | None = None
) -> tuple[ArgumentValue, tuple[Template, ...]]:
    """Compile all values of a field for an argument that takes a list, or its JSON.

    :param name: the field.
    :param item: the object.
    :param workflow: the workflow.
    :param node: what a precondition guards, known to it as ``node``.
    :returns: a list of texts, or where one of the values is a list itself the template of their
        JSON; and the templates that were read.
    :raises NotCompilableError: when a part of one can't be said exactly.
    """
    inherited = item.fields.get(name)
    texts = inherited.field.texts if inherited is not None else ()
    found: Template | None = None
    with suppress(NotCompilableError):  # which says the same of each value below
        found = workflow.compiler.compile_list(texts, item, node)
    if inherited is None or found is None:
        compiled = compile_values(name, item, workflow, node)
        return [one.text for one in compiled], compiled
    workflow.compiler.require_public(name)
    require_no_password(name, item)
    text = f"{{{{ {found.text} | map('string') | list | tojson }}}}"
    return text, (found, reading(name, item))


def compile_value(
    name: str, item: ResolvedObject, workflow: Workflow, node: ResolvedObject | None = None
) -> Template | None:
    """Compile a field that takes one value.

    :param name: the field.
    :param item: the object.
    :param workflow: the workflow.
    :param node: what a precondition guards, known to it as ``node``.
    :returns: the template, none when the object has no such field.
    :raises NotCompilableError: when it has several values, or one can't be said exactly.
    """
    values = compile_values(name, item, workflow, node)
    if len(values) > 1:
        raise NotCompilableError(f"{item.id}.{name} has several values, and takes one")
    return values[0] if values else None


def require_no_password(name: str, item: ResolvedObject) -> None:
    """Make sure that no value of a field holds what is plainly a password.

    :param name: the field.
    :param item: an object that has it.
    :raises NotCompilableError: when one does, since everybody may read a DAG.
    """
    inherited = item.fields.get(name)
    if inherited and any(mask_passwords(text) != text for text in inherited.field.texts):
        raise NotCompilableError(
            f"a password stands in {item.id}.{name}, and must not stand in a DAG: let the program "
            "read it from AWS Secrets Manager"
        )


def flag(name: str, item: ResolvedObject) -> bool | None:
    """Read a field that is true or false.

    :param name: the field.
    :param item: the object.
    :returns: its value, none when the object has no such field.
    :raises NotCompilableError: when it depends on the run.
    """
    if item.field(name) is None:
        return None
    text = (item.text(name) or "").strip().casefold()
    if text not in {"true", "false"}:
        raise NotCompilableError(f"{item.id}.{name} is neither true nor false before the run")
    return text == "true"


def references_to(name: str, item: ResolvedObject, workflow: Workflow) -> list[ResolvedObject]:
    """List what a field points to.

    :param name: the field.
    :param item: the object.
    :param workflow: the workflow.
    :returns: the objects that exist.
    """
    return [workflow.resolved[one] for one in item.references(name) if one in workflow.resolved]


def reading(name: str, item: ResolvedObject) -> Template:
    """Let a field count as read that no text comes from, such as a reference.

    :param name: the field.
    :param item: an object that has it.
    :returns: an empty template with that read.
    """
    return Template("", "", frozenset(), frozenset({(item.fields[name].owner_id, name)}))
