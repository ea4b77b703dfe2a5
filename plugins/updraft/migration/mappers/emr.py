"""``EmrActivity``: copies of DynamoDB tables by AWS's own means, and steps of any other kind.

A copy needs no cluster any more; all other steps run on one, as before. Source: guide,
"EmrActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-emractivity.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.datapipeline.steps import sole_name, split_step
from updraft.emr.legacy_steps import CurrentStep, command_step, current_step
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_values, reading, require_no_password
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.dynamodb_copies import (
    EXPORT,
    HIVE_FORMAT_NOTE,
    TableCopy,
    account_cluster_use,
    copy_task,
    templates_of,
    time_limit,
)
from updraft.migration.mappers.dynamodb_steps import step_copy, step_kind
from updraft.migration.mappers.emr_steps import ActivitySteps
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.task_settings import account_task_settings, retry_settings


class EmrActivityMapper(ObjectMapper):
    """Maps exports and imports of DynamoDB tables to operators of their own, all else to steps."""

    object_types: ClassVar[tuple[str, ...]] = ("EmrActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an EmrActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        with placeholder_unless_mapped(item, "step", workflow):
            _map_activity(item, workflow)


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    workflow.compiler.require_public("step")
    if not _is_copy(item):
        _add_steps(item, workflow)
        return
    copy = step_copy(item.text("step") or "", item, workflow)
    if copy is not None:
        _add_copy(item, copy, workflow)


def _is_copy(item: ResolvedObject) -> bool:
    """Tell whether an activity is one copy of a table; what mixes it with others is refused."""
    field = item.field("step")
    steps = field.texts if field is not None else ()
    kinds = [kind for step in steps if (kind := step_kind(step)) is not None]
    if not kinds:
        return False
    if len(steps) > 1:
        nouns = " and ".join(dict.fromkeys(kind.noun for kind in kinds))
        raise NotCompilableError(
            f"it runs {len(steps)} steps in a row, the DynamoDB {nouns} among them; give each "
            "step an activity of its own"
        )
    for name in ("preStepCommand", "postStepCommand"):
        if item.field(name) is not None:
            raise NotCompilableError(
                f"{name} around a DynamoDB {kinds[0].noun}, which runs on no cluster any more; "
                "give the command an activity of its own"
            )
    return True


def _add_copy(item: ResolvedObject, copy: TableCopy, workflow: Workflow) -> None:
    settings = time_limit(item, workflow) | retry_settings(item, workflow)
    workflow.add_task(
        copy_task(item, copy, workflow.main_task_id(item), settings), templates_of(copy)
    )
    account_task_settings(item, workflow)
    workflow.ledger.account(item, "type", *copy.kind.account)
    note = f"{copy.kind.s3_role}, table and ratio are its arguments"
    status = Status.CARRIED_OVER
    if copy.by_hive and copy.kind is EXPORT:
        status, note = Status.APPROXIMATED, f"{note}; {HIVE_FORMAT_NOTE}"
    workflow.ledger.account(item, "step", status, note)
    account_cluster_use(item, copy.kind.noun, (copy.region,), workflow)


def _add_steps(item: ResolvedObject, workflow: Workflow) -> None:
    steps = ActivitySteps(item, workflow)
    if _is_asked_for(item, workflow):
        steps.add_from_form("step")
        note = "`steps`, which the run makes of the form's text; a step is taken as it is"
        workflow.ledger.account(item, "step", Status.APPROXIMATED, note)
        steps.finish("runs the steps that the form names on the cluster")
        return
    _add_commands("preStepCommand", steps)
    for text in _step_texts(item, steps):
        current = _current_step(text, steps)
        note = "; ".join(["`steps`", *current.changes])
        workflow.ledger.account(item, "step", steps.add_current(current), note)
    _add_commands("postStepCommand", steps)
    steps.take(reading("step", item))
    steps.finish("runs steps on the cluster")


def _is_asked_for(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether all there is to run is in a parameter that has no value before the run."""
    if any(item.field(name) is not None for name in ("preStepCommand", "postStepCommand")):
        return False
    field = item.field("step")
    texts = field.texts if field is not None else ()
    name = sole_name(texts[0]) if len(texts) == 1 else None
    if name is None or name in item.fields or workflow.definition.is_secret(name):
        return False
    return name in workflow.definition.parameters_by_name


def _step_texts(item: ResolvedObject, steps: ActivitySteps) -> list[str]:
    field = item.field("step")
    if field is None or not field.texts:
        raise NotCompilableError("it has no step")
    require_no_password("step", item)
    texts: list[str] = []
    for text in field.texts:
        name = sole_name(text)
        inner = item.field(name) if name is not None else None
        if name is None or name.startswith("@") or name in {"id", "name", "type"}:
            texts.append(text)
        elif inner is not None:
            steps.workflow.compiler.require_public(name)
            require_no_password(name, item)
            steps.take(reading(name, item))
            texts += inner.texts
        else:
            raise NotCompilableError(
                f"its step stands in the parameter {name!r}, and its commas separate arguments: "
                "give the value by --set or --values"
            )
    return texts


def _current_step(text: str, steps: ActivitySteps) -> CurrentStep:
    compiled = [
        steps.take(steps.workflow.compiler.compile_parts(parts, steps.item))
        for parts in split_step(text)
    ]
    jar, *arguments = compiled
    return current_step(jar.strip(), arguments, steps.region)


def _add_commands(name: str, steps: ActivitySteps) -> None:
    commands = compile_values(name, steps.item, steps.workflow)
    steps.add(*(command_step(steps.take(command)) for command in commands))
    if commands:
        place = "before" if name.startswith("pre") else "after"
        note = f"a step `bash -c` on the master node, {place} the others"
        steps.workflow.ledger.account(steps.item, name, Status.CARRIED_OVER, note)
