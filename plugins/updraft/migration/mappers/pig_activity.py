"""``PigActivity``: a script of Pig, with relations for the data it reads and writes.

Source: guide, "PigActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-pigactivity.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.pig_staging import PigRelation, load_relations, pig_string, store_relations
from updraft.emr.script_steps import pig_file, pig_text, remove_directory
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
    staged_tables,
    staging_notes,
    text_storage,
)
from updraft.migration.mappers.staged_tables import PIG, STORAGE, StagedTables

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
    tables = StagedTables(staged_tables(script, steps), PIG, steps)
    nodes = staged_nodes(script, steps, tables.tables)
    before, after = _statements(nodes, tables, steps)
    staged = [*(node.variable for node in nodes), *tables.tables]
    # The guide writes the names of relations both ways.
    known = [name for variable in staged for name in (variable, variable.upper())]
    used = mentioned_variables(script) if script is not None and staged else known
    names = [f"{name}={name.casefold()}" for name in used]
    steps.add_configured_script("preActivityTaskConfig")
    steps.add(*(remove_directory(one.directory) for one in tables.outputs))
    if script is not None:
        text = "\n".join(part for part in (before, script, after) if part)
        steps.add(pig_text(text, [*names, *variables]))
    elif uri is not None:
        steps.add(pig_file(uri, [*names, *variables], before=before, after=after))
    steps.add_configured_script("postActivityTaskConfig")
    notes = [_STAGING_NOTE, *tables.notes]
    _account(item, workflow, "; ".join(notes) if staged else "")
    if item.field("stage") is not None:
        steps.take(reading("stage", item))
    tables.add_reads()
    steps.finish(
        "runs a Pig script on the cluster",
        staging_notes("; ".join(notes), staged, item),
        spelling=tables.helpers,
        part=tables.step_part,
    )
    tables.add_writes()


def _statements(
    nodes: list[StagedNode], tables: StagedTables, steps: ActivitySteps
) -> tuple[str, str]:
    loaded = [_relation(node, steps) for node in nodes if node.is_input]
    stored = [_relation(node, steps) for node in nodes if not node.is_input]
    loaded += [
        PigRelation(one.variable, one.columns, STORAGE, one.directory, schema=one.schema)
        for one in tables.inputs
    ]
    stored += [PigRelation(one.variable, (), STORAGE, one.directory) for one in tables.outputs]
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


def _account(item: ResolvedObject, workflow: Workflow, staging: str) -> None:
    account = workflow.ledger.account
    account(item, "script", Status.CARRIED_OVER, "`pig` runs it as it is")
    account(item, "scriptUri", Status.CARRIED_OVER, "`pig` runs it from S3")
    account(item, "scriptVariable", Status.CARRIED_OVER, "`-p`, as before")
    if staging:
        account(item, "stage", Status.APPROXIMATED, staging)
    else:
        account(item, "stage", Status.EQUIVALENT, "nothing is staged")
    account(item, "generatedScriptsPath", Status.DROPPED, "the statements stand in the DAG")
