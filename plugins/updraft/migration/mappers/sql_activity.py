"""``SqlActivity``: a script on Amazon Redshift, or on a database behind JDBC.

Source: guide, "SqlActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-sqlactivity.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import references_to
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.redshift_databases import TYPE as REDSHIFT
from updraft.migration.mappers.redshift_databases import account_data_api, redshift_place
from updraft.migration.mappers.sql_connections import add_connection_script
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.tasks import ArgumentValue
from updraft.redshift.script import grouped, read_script
from updraft.sql_parameters import positional_places

OPERATOR = "updraft.operators.redshift_sql.RedshiftSqlOperator"

_ACCOUNT = (
    "`RedshiftSqlOperator`; each statement counts as soon as it has ended, as over JDBC; a retry "
    "goes on with the one that failed, and repeats none that has ended"
)
_BOUND = "`script_arguments`: the database binds them as texts, in the order of the question marks"


class SqlActivityMapper(ObjectMapper):
    """Maps scripts to the operator for their database."""

    object_types: ClassVar[tuple[str, ...]] = ("SqlActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a SqlActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        field = "script" if item.field("script") is not None else "scriptUri"
        with placeholder_unless_mapped(item, field, workflow):
            _map_activity(item, workflow)


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    fields = TaskFields(item, workflow)
    database = fields.reference("database")
    if database is None:
        raise NotCompilableError("it names no database")
    script, uri = fields.template("script"), fields.template("scriptUri")
    if (script is None) == (uri is None):
        raise NotCompilableError("it needs either script or scriptUri")
    arguments = fields.templates("scriptArgument")
    _account_tables(fields)
    if database.type != REDSHIFT:
        add_connection_script(database, script, arguments, fields)
        return
    place = redshift_place(database, fields)
    source: dict[str, ArgumentValue] = {}
    if script is not None:
        source["sql"] = script.text
    elif uri is not None:
        source["script_uri"] = uri.text
    if arguments:
        source["script_arguments"] = [one.text for one in arguments]
        fields.note(item, "scriptArgument", Status.CARRIED_OVER, _BOUND)
    if not _is_single(script, len(arguments)):
        source["transaction"] = False
    # The service kept no result.
    source["max_rows"] = 0
    queue = fields.text("queue")
    if queue is not None:
        source["query_group"] = queue
    account_data_api(fields)
    fields.finish(
        OPERATOR,
        {**place, **source},
        "runs a script of SQL on Redshift",
        (Status.CARRIED_OVER, _ACCOUNT),
    )


def _is_single(script: Template | None, arguments: int) -> bool:
    """Look at a script, as far as it is known before the run.

    :param script: the script, none when it lies in S3.
    :param arguments: number of its arguments.
    :returns: whether it is known to have a single statement.
    :raises NotCompilableError: when it can't run.
    """
    if script is None or script.literal is None:
        return False
    try:
        found = read_script(script.literal)
        grouped(found)
    except UpdraftError as error:
        raise NotCompilableError(f"its script can't run: {error}") from error
    marks = len(positional_places(script.literal))
    if marks != arguments:
        raise NotCompilableError(
            f"its script has {marks} question marks for parameters, and scriptArgument has "
            f"{arguments} values"
        )
    return len(found) == 1


def _account_tables(fields: TaskFields) -> None:
    """Say what is not done: the service made the table of an output that had a definition."""
    for node in references_to("output", fields.item, fields.workflow):
        if node.field("createTableSql") is None:
            continue
        note = "not run: put it first in the script, with IF NOT EXISTS"
        fields.note(node, "createTableSql", Status.NEEDS_DECISION, note)
        fields.warn(
            node,
            "createTableSql",
            "The task does not make the table of its output, as the service did where it was "
            "missing",
            "Make it before the first run, or put the statement first in the script",
        )
