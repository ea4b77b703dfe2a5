"""Tables of a database that a ``PigActivity`` stages: files in S3 between them and Pig.

The guide promises a script the rows of a table under ``${input1}``, and that what it assigns to
``${output1}`` gets into one; how the service did so it never published
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-pigactivity.html). A step
on a cluster has no connection to the database. So a task before it writes the rows of the query to
S3, and a task after it loads what the script has stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.hive_staging import Delimited
from updraft.emr.pig_staging import PigRelation
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_text import jinja_string
from updraft.migration.ledger import Status
from updraft.migration.mappers.copy_activity import S3_TO_SQL, SQL_TO_S3
from updraft.migration.mappers.copy_tables import query_arguments, statement_arguments
from updraft.migration.mappers.emr_steps import ActivitySteps
from updraft.migration.mappers.staged_data import staged_node
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.staging import staging_param, staging_prefix
from updraft.migration.tasks import ArgumentValue

STEP_PART = "pig"
"""What the task of the step is called where another one loads what it has stored."""

_SEPARATOR = "\x01"
# PigStorage knows no escapes, and takes an empty field for null.
_FORMAT: dict[str, ArgumentValue] = {
    "file_format": "custom",
    "file_format_options": {"column_separator": _SEPARATOR, "escape_char": "", "null_text": ""},
}
# The export writes them as no type of Pig reads them: a time has a blank before the hour.
_UNREADABLE = {"BINARY", "TIMESTAMP"}
_NAMES_ONLY = (
    "the relation for {id} has the names of the query's columns and no types, so that Pig casts "
    "them as the script uses them"
)
_READ_NOTE = (
    "Pig reads an empty text of {id} as null, and a text with a line break in it fails the task"
)
_WRITE_NOTE = (
    "{id} gets NULL for an empty text, in one transaction with a row in the table "
    "`updraft_load_ledger`"
)


@dataclass
class PigTables:
    """The tables that one activity stages, as relations of its script and tasks around its step.

    :param tables: by name in the script, the data node.
    :param steps: the activity.
    :param loaded: the relations that the script reads.
    :param stored: those that it writes.
    :param notes: how what becomes of the rows differs.
    :param helpers: what does the work beside the step.
    """

    tables: Mapping[str, ResolvedObject]
    steps: ActivitySteps
    loaded: list[PigRelation] = field(default_factory=list)
    stored: list[PigRelation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what the nodes say.

        :raises NotCompilableError: when database, query or statement are not told.
        """
        item, workflow = self.steps.item, self.steps.workflow
        self._reads, self._writes = TaskFields(item, workflow), TaskFields(item, workflow)
        self._staging = staging_param(workflow)
        for variable, node in self.tables.items():
            if variable.startswith("input"):
                self._read(variable, node)
            else:
                self._write(variable, node)
        if self.tables:
            self._reads.warn(
                item,
                "stage",
                "The service took rows straight from and to tables; the DAG goes through S3 and "
                "asks for a prefix",
                "Give a prefix of your own; its files stay, so expire them by a lifecycle rule",
            )

    @property
    def step_part(self) -> str:
        """What the step's task is called beside the name of the activity, nothing if it is last."""
        return STEP_PART if self.stored else ""

    def add_reads(self) -> None:
        """Add the tasks that go before the step."""
        if self.tables:
            self.steps.workflow.ask_for(self._staging)
            self._reads.add_prepared()

    def add_writes(self) -> None:
        """Add the tasks that follow the step."""
        if self.stored:
            self._writes.add_prepared(ends=True)

    def _location(self, variable: str) -> str:
        prefix = staging_prefix(self._staging, self.steps.item, self.steps.workflow)
        return f"{prefix.text}/{variable}"

    def _read(self, variable: str, node: ResolvedObject) -> None:
        fields = self._reads
        part = f"read_{variable}"
        task_id = fields.workflow.task_id(fields.item, part)
        s3_uri = f"{self._location(variable)}/rows"
        described = staged_node(node, variable, self.steps)
        columns = described.columns if described is not None else ()
        for column in columns:
            if column.type in _UNREADABLE:
                raise NotCompilableError(
                    f"{node.id} has a column {column.name} {column.type}, which Pig does not read "
                    "as the rows of a query have it in S3"
                )
        # Only the run knows the columns of a query.
        read = f"ti.xcom_pull(task_ids={jinja_string(task_id)})"
        schema = f"{{{{ macros.updraft.pigColumns({read}['columns']) }}}}"
        self.loaded.append(
            PigRelation(
                variable,
                columns,
                Delimited(_SEPARATOR),
                s3_uri,
                schema="" if columns else schema,
            )
        )
        arguments = query_arguments(node, fields) | {"s3_uri": s3_uri} | _FORMAT
        summary = f"writes the rows of {node.id} to S3"
        fields.prepare(part, SQL_TO_S3, arguments, summary, task_id)
        self.helpers.append(f"before it `CopySqlToS3Operator` for the rows of {node.id}")
        if not columns:
            self.notes.append(_NAMES_ONLY.format(id=node.id))
        self.notes.append(_READ_NOTE.format(id=node.id))

    def _write(self, variable: str, node: ResolvedObject) -> None:
        fields = self._writes
        directory = self._location(variable)
        self.stored.append(PigRelation(variable, (), Delimited(_SEPARATOR), directory))
        arguments = statement_arguments(node, fields) | {"s3_uri": f"{directory}/"} | _FORMAT
        fields.note(node, "dataFormat", Status.DROPPED, "a table has no format of text")
        summary = f"loads into {node.id} what the script has stored"
        fields.prepare(f"load_{variable}", S3_TO_SQL, arguments, summary)
        self.helpers.append(f"after it `CopyS3ToSqlOperator` for those of {node.id}")
        self.notes.append(_WRITE_NOTE.format(id=node.id))
