"""``PigActivity``: a script of Pig, with relations for the data it reads and writes.

Source: guide, "PigActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-pigactivity.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.pig_staging import PigRelation, load_relations, pig_string, store_relations
from updraft.emr.script_steps import pig_file, pig_text
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import reading
from updraft.migration.jinja_text import map_literals
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.emr_steps import ActivitySteps
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.staged_data import (
    StagedNode,
    location_of,
    mentioned_variables,
    staged_nodes,
    staging_notes,
    text_storage,
)

_STAGING_NOTE = (
    "the statements that load and store are Updraft's own, as the service never published its"
)


class PigActivityMapper(ObjectMapper):
    """Maps scripts of Pig to steps."""

    object_types: ClassVar[tuple[str, ...]] = ("PigActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a PigActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        field = "script" if item.field("script") is not None else "scriptUri"
        with placeholder_unless_mapped(item, field, workflow):
            _map_activity(item, workflow)


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    steps = ActivitySteps(item, workflow)
    script, uri = steps.value("script"), steps.value("scriptUri")
    variables = steps.values("scriptVariable")
    if (script is None) == (uri is None):
        raise NotCompilableError("it needs either script or scriptUri")
    nodes = staged_nodes(script, steps)
    before, after = _statements(nodes, steps)
    known = [name for node in nodes for name in (node.variable, node.variable.upper())]
    # The guide writes the names of relations both ways.
    used = mentioned_variables(script) if script is not None and nodes else known
    names = [f"{name}={name.casefold()}" for name in used]
    steps.add_configured_script("preActivityTaskConfig")
    if script is not None:
        text = "\n".join(part for part in (before, script, after) if part)
        steps.add(pig_text(text, [*names, *variables]))
    elif uri is not None:
        steps.add(pig_file(uri, [*names, *variables], before=before, after=after))
    steps.add_configured_script("postActivityTaskConfig")
    _account(item, workflow, staged=bool(nodes))
    if item.field("stage") is not None:
        steps.take(reading("stage", item))
    steps.finish("runs a Pig script on the cluster", staging_notes(_STAGING_NOTE, nodes, item))


def _statements(nodes: list[StagedNode], steps: ActivitySteps) -> tuple[str, str]:
    loaded = [_relation(node, steps) for node in nodes if node.is_input]
    stored = [_relation(node, steps) for node in nodes if not node.is_input]
    try:
        return load_relations(loaded, _quote), store_relations(stored, _quote)
    except UpdraftError as error:
        raise NotCompilableError(str(error)) from error


def _quote(value: str) -> str:
    return map_literals(value, pig_string)


def _relation(node: StagedNode, steps: ActivitySteps) -> PigRelation:
    location, is_file = location_of(node.item, steps)
    if is_file and not node.is_input:
        raise NotCompilableError(
            f"{node.item.id} names a file, and Pig writes directories; give it a directoryPath"
        )
    return PigRelation(node.variable, node.columns, text_storage(node, steps), location)


def _account(item: ResolvedObject, workflow: Workflow, *, staged: bool) -> None:
    account = workflow.ledger.account
    account(item, "script", Status.CARRIED_OVER, "`pig` runs it as it is")
    account(item, "scriptUri", Status.CARRIED_OVER, "`pig` runs it from S3")
    account(item, "scriptVariable", Status.CARRIED_OVER, "`-p`, as before")
    if staged:
        account(item, "stage", Status.APPROXIMATED, _STAGING_NOTE)
    else:
        account(item, "stage", Status.EQUIVALENT, "nothing is staged")
    account(item, "generatedScriptsPath", Status.DROPPED, "the statements stand in the DAG")
