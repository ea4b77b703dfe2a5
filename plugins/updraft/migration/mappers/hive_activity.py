"""``HiveActivity``: a script of Hive, with tables for the data it reads and writes.

Source: guide, "HiveActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-hiveactivity.html).
"""

import re
from collections.abc import Collection
from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.hive_staging import HiveTable, Regex, drop_tables
from updraft.emr.script_steps import hive_file, hive_options, hive_text, remove_directory
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import flag, reading, references_to
from updraft.migration.jinja_text import parameter_code
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.emr_steps import ActivitySteps
from updraft.migration.mappers.hive_copy import map_copy
from updraft.migration.mappers.hive_tables import (
    TABLES_NOTE,
    create_statements,
    database_table,
    hive_table,
)
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.staged_data import (
    ITEM_FORMAT,
    staged_nodes,
    staged_tables,
    staging_notes,
    undescribed_nodes,
)
from updraft.migration.mappers.staged_tables import HIVE, StagedTables
from updraft.migration.names import unique
from updraft.migration.tasks import ParamSpec

# What the service's own copies ran, written by hand.
_COPY = re.compile(
    r"insert\s+overwrite\s+table\s+\$\{output1\}\s+"
    r"select\s+(\*|item)\s+from\s+\$\{input1\}\s*;?",
    re.IGNORECASE,
)
_BESIDE_A_COPY = (
    "preActivityTaskConfig",
    "postActivityTaskConfig",
    "scriptVariable",
    "hadoopQueue",
)


class HiveActivityMapper(ObjectMapper):
    """Maps scripts of Hive to steps."""

    object_types: ClassVar[tuple[str, ...]] = ("HiveActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a HiveActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        field = "hiveScript" if item.field("hiveScript") is not None else "scriptUri"
        with placeholder_unless_mapped(item, field, workflow):
            if _copies_whole_items(item, workflow):
                map_copy(item, workflow)
                _account_copy(item, workflow)
            else:
                _map_activity(item, workflow)


def _copies_whole_items(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether a script does what HiveCopyActivity does, with nothing beside it."""
    if _COPY.fullmatch((item.text("hiveScript") or "").strip()) is None:
        return False
    nodes = [node for role in ("input", "output") for node in references_to(role, item, workflow)]
    formats = [one for node in nodes for one in references_to("dataFormat", node, workflow)]
    return (
        flag("stage", item) is not False
        and not any(item.field(name) is not None for name in _BESIDE_A_COPY)
        and len(nodes) == len(formats)
        and {one.type for one in formats} == {ITEM_FORMAT}
    )


def _account_copy(item: ResolvedObject, workflow: Workflow) -> None:
    account = workflow.ledger.account
    account(item, "hiveScript", Status.EQUIVALENT, "it copies whole items, and so does the task")
    account(item, "stage", Status.EQUIVALENT, "the task reads and writes the data itself")
    account(item, "generatedScriptsPath", Status.DROPPED, "there is no script")


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    steps = ActivitySteps(item, workflow)
    script, uri = steps.value("hiveScript"), steps.value("scriptUri")
    queue = steps.value("hadoopQueue")
    variables = steps.values("scriptVariable")
    if (script is None) == (uri is None):
        raise NotCompilableError("it needs either hiveScript or scriptUri")
    steps.add_configured_script("preActivityTaskConfig")
    undescribed = undescribed_nodes(script, steps)
    staged = StagedTables(staged_tables(script, steps), HIVE, steps)
    tables = _tables(script, steps, [*undescribed, *staged.tables])
    for files in (*staged.inputs, *staged.outputs):
        tables[files.variable] = database_table(files, steps)
    # Rows that an earlier try has left would be loaded again.
    steps.add(*(remove_directory(one.directory) for one in staged.outputs))
    names = [
        *(f"{key}={one.name}" for key, one in tables.items()),
        *(f"{key}={_asked(node, workflow)}" for key, node in undescribed.items()),
    ]
    options = hive_options([*names, *variables], queue)
    if script is not None:
        steps.add(hive_text(_around(script, list(tables.values())), options))
    elif uri is not None:
        _add_file(uri, list(tables.values()), options, steps)
    steps.add_configured_script("postActivityTaskConfig")
    staging = "; ".join([TABLES_NOTE, *staged.notes])
    _account(item, workflow, staging if tables or undescribed else "")
    if item.field("stage") is not None:
        steps.take(reading("stage", item))
    notes = staging_notes(staging, tables, item)
    if undescribed:
        lacking = " and ".join(dict.fromkeys(node.id for node in undescribed.values()))
        notes.append(f"the form asks for the tables in the place of {lacking}")
    staged.add_reads()
    steps.finish(
        "runs a Hive script on the cluster", notes, spelling=staged.helpers, part=staged.step_part
    )
    staged.add_writes()


def _asked(node: ResolvedObject, workflow: Workflow) -> str:
    """Ask for the table in the place of data that the definition lacks."""
    name = re.sub(r"\W", "_", f"my_{node.id}_table")
    name = unique(name, set(workflow.definition.names))
    title = f"Table of Hive in the place of {node.id}"
    arguments: dict[str, object] = {"type": "string", "minLength": 1, "title": title}
    note = f"new: the definition has no {node.id}"
    workflow.ask_for(ParamSpec(name, arguments, title, "string", note=note))
    return f"{{{{ {parameter_code(name)} }}}}"


def _tables(
    script: str | None, steps: ActivitySteps, undescribed: Collection[str]
) -> dict[str, HiveTable]:
    tables: dict[str, HiveTable] = {}
    for node in staged_nodes(script, steps, undescribed):
        if node.format.type == ITEM_FORMAT:
            raise NotCompilableError(
                f"{node.item.id} has the format {ITEM_FORMAT}, and it was never published which "
                "columns a script found in its table"
            )
        tables[node.variable] = hive_table(node, steps)
    return tables


def _around(script: str, tables: list[HiveTable]) -> str:
    if not tables:
        return script
    body = script.strip()
    ending = "" if body.endswith(";") else "\n;"
    return f"{create_statements(tables)}\n{body}{ending}\n{drop_tables(tables)}"


def _add_file(
    uri: str, tables: list[HiveTable], options: tuple[str, ...], steps: ActivitySteps
) -> None:
    # Tables outlive the session of Hive that makes them, JARs do not.
    if any(isinstance(one.storage, Regex) and one.storage.output for one in tables):
        raise NotCompilableError(
            "it writes by an outputFormat, whose JAR a script in S3 has to add by itself"
        )
    if tables:
        steps.add(hive_text(create_statements(tables)))
    steps.add(hive_file(uri, options))
    if tables:
        steps.add(hive_text(drop_tables(tables)))


def _account(item: ResolvedObject, workflow: Workflow, staging: str) -> None:
    account = workflow.ledger.account
    account(item, "hiveScript", Status.CARRIED_OVER, "`hive -e` runs it as it is")
    account(item, "scriptUri", Status.CARRIED_OVER, "`hive-script` runs it from S3")
    account(item, "scriptVariable", Status.CARRIED_OVER, "`-d`, as before")
    queues = "`mapreduce.job.queuename` and `tez.queue.name` of the session"
    account(item, "hadoopQueue", Status.EQUIVALENT, queues)
    if staging:
        account(item, "stage", Status.APPROXIMATED, staging)
    else:
        account(item, "stage", Status.EQUIVALENT, "nothing is staged")
    account(item, "generatedScriptsPath", Status.DROPPED, "the statements stand in the DAG")
