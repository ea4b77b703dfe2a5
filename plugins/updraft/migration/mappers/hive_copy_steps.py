"""Copies by Hive on a cluster: of picked items, of listed columns, with scripts around them."""

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.hive_staging import WHOLE_ITEM, copy_statement, drop_tables
from updraft.emr.script_steps import hive_text
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import references_to
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.emr_steps import ActivitySteps
from updraft.migration.mappers.hive_tables import TABLES_NOTE, create_statements, hive_table
from updraft.migration.mappers.staged_data import ITEM_FORMAT, StagedNode, staged_node

_CONFIGURED_SCRIPTS = ("preActivityTaskConfig", "postActivityTaskConfig")


def needs_hive(
    item: ResolvedObject, nodes: tuple[ResolvedObject, ResolvedObject], workflow: Workflow
) -> bool:
    """Tell whether a copy does what only Hive can do.

    :param item: the activity.
    :param nodes: source and target.
    :param workflow: the workflow.
    :returns: false for a copy of whole items, and where no format says what is copied.
    """
    formats = [references_to("dataFormat", node, workflow) for node in nodes]
    if any(item.field(name) is not None for name in ("filterSql", *_CONFIGURED_SCRIPTS)):
        return True
    return all(len(one) == 1 for one in formats) and any(
        one[0].type != ITEM_FORMAT for one in formats
    )


def add_hive_copy(
    item: ResolvedObject, nodes: tuple[ResolvedObject, ResolvedObject], workflow: Workflow
) -> None:
    """Add a task that copies by Hive.

    :param item: the activity.
    :param nodes: source and target.
    :param workflow: where the task and the accounts go.
    :raises NotCompilableError: when it is not certain what was copied.
    """
    steps = ActivitySteps(item, workflow)
    steps.add_configured_script("preActivityTaskConfig")
    condition = steps.value("filterSql")
    source, target = (
        _node(node, variable, steps)
        for node, variable in zip(nodes, ("input1", "output1"), strict=True)
    )
    whole = {node.format.type == ITEM_FORMAT for node in (source, target)}
    if len(whole) > 1:
        raise NotCompilableError(
            f"{source.item.id} and {target.item.id} do not agree on whether whole items are copied"
        )
    if True in whole and condition is not None and source.item.type != "DynamoDBDataNode":
        raise NotCompilableError(
            f"filterSql names columns, and in the files of {source.item.id} each item is one column"
        )
    if len(source.columns) != len(target.columns) and True not in whole:
        raise NotCompilableError(
            f"{source.format.id} and {target.format.id} have different numbers of columns"
        )
    columns = [WHOLE_ITEM.name] if True in whole else [one.name for one in source.columns]
    tables = [hive_table(node, steps) for node in (source, target)]
    statements = [
        create_statements(tables),
        copy_statement(tables[0].name, tables[1].name, columns, condition),
        drop_tables(tables),
    ]
    steps.add(hive_text("\n".join(statements)))
    steps.add_configured_script("postActivityTaskConfig")
    note = "the condition of Hive's `WHERE`, as before"
    workflow.ledger.account(item, "filterSql", Status.CARRIED_OVER, note)
    workflow.ledger.account(
        item, "generatedScriptsPath", Status.DROPPED, "the statements stand in the DAG"
    )
    steps.finish("copies by Hive on the cluster", [TABLES_NOTE])


def _node(node: ResolvedObject, variable: str, steps: ActivitySteps) -> StagedNode:
    found = staged_node(node, variable, steps)
    if found is None:
        raise NotCompilableError(
            f"{node.id} has no data format with columns, so it is not certain what Hive copied"
        )
    return found
