"""Tables of a database that an activity of Pig or Hive stages: files in S3 between them.

The guide promises a script the rows of a table under ``${input1}``, and that what it writes to
``${output1}`` gets into one; how the service did so it never published
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-concepts-staging.html). A step on
a cluster has no connection to the database. So a task before it writes the rows of the query to S3,
and a task after it loads what the script has stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.hive_staging import Delimited
from updraft.emr.staged_columns import Column
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
from updraft.sql_parameters import positional_places

_SEPARATOR = "\x01"
_TIME = "TIMESTAMP"
STORAGE = Delimited(_SEPARATOR)
"""How the files are written: neither Pig nor Hive reads a line break in a value, escaped or not."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs the script.

    :param name: a word for ids of tasks.
    :param macro: writes the names of a query's columns for it.
    :param null_text: what it reads and writes for NULL.
    :param unreadable: types that it does not read as the rows of a query have them in S3.
    :param nameless: how columns differ of which only the query knows the names.
    :param read: how rows differ that it reads.
    :param written: how rows differ that it writes.
    """

    name: str
    macro: str
    null_text: str
    unreadable: frozenset[str]
    nameless: str
    read: str
    written: str


_LEDGER = "in one transaction with a row in the table `updraft_load_ledger`"
PIG = Engine(
    "pig",
    "pigColumns",
    null_text="",
    # A time has a blank before the hour, bytes are hexadecimal digits.
    unreadable=frozenset({"BINARY", _TIME}),
    nameless="the relation for {id} has the names of the query's columns and no types, so that Pig "
    "casts them as the script uses them",
    read="Pig reads an empty text of {id} as null, and a text with a line break in it fails the "
    "task",
    written=f"{{id}} gets NULL for an empty text, {_LEDGER}",
)
HIVE = Engine(
    "hive",
    "hiveColumns",
    null_text=r"\N",
    unreadable=frozenset({"BINARY"}),
    nameless="the table for {id} has the names of the query's columns, all of the type STRING",
    read="a text of {id} with a line break in it fails the task",
    written=f"{{id}} gets its rows {_LEDGER}",
)


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The files in S3 that stand for a table.

    :param variable: ``input1``, ``output2`` and so on.
    :param item: the data node.
    :param directory: URI of their directory, without a slash at its end.
    :param columns: the columns that a data format lists.
    :param schema: for rows of a query without a data format, a template for the columns.
    :param width: for rows that go into a table, their number of columns, none if nobody knows.
    """

    variable: str
    item: ResolvedObject
    directory: str
    columns: tuple[Column, ...] = ()
    schema: str = ""
    width: int | None = None


@dataclass
class StagedTables:
    """The tables that one activity stages, with the tasks around its step.

    :param tables: by name in the script, the data node.
    :param engine: what runs the script.
    :param steps: the activity.
    :param inputs: files of tables that the script reads.
    :param outputs: files of those that it writes.
    :param notes: how what becomes of the rows differs.
    :param helpers: what does the work beside the step.
    """

    tables: Mapping[str, ResolvedObject]
    engine: Engine
    steps: ActivitySteps
    inputs: list[TableFiles] = field(default_factory=list)
    outputs: list[TableFiles] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what the nodes say.

        :raises NotCompilableError: when database, query or statement are not told.
        """
        item, workflow = self.steps.item, self.steps.workflow
        self._reads, self._writes = TaskFields(item, workflow), TaskFields(item, workflow)
        self._staging = staging_param(workflow)
        self._format: dict[str, ArgumentValue] = {
            "file_format": "custom",
            "file_format_options": {
                "column_separator": _SEPARATOR,
                "escape_char": "",
                "null_text": self.engine.null_text,
            },
        }
        for variable, node in self.tables.items():
            if variable.startswith("input"):
                self._read(variable, node)
            else:
                self._write(variable, node)
        self._reads.warn(
            item,
            "stage" if item.field("stage") is not None else "type",
            "The service took rows straight from and to tables; the DAG goes through S3 and asks "
            "for a prefix",
            "Give a prefix of your own; its files stay, so expire them by a lifecycle rule",
        )

    @property
    def step_part(self) -> str:
        """What the step's task is called beside the name of the activity, nothing if it is last."""
        return self.engine.name if self.outputs else ""

    def add_reads(self) -> None:
        """Add the tasks that go before the step."""
        if self.tables:
            self.steps.workflow.ask_for(self._staging)
            self._reads.add_prepared()

    def add_writes(self) -> None:
        """Add the tasks that follow the step."""
        if self.outputs:
            self._writes.add_prepared(ends=True)

    def _directory(self, variable: str) -> str:
        prefix = staging_prefix(self._staging, self.steps.item, self.steps.workflow)
        return f"{prefix.text}/{variable}"

    def _columns(self, variable: str, node: ResolvedObject) -> tuple[Column, ...]:
        described = staged_node(node, variable, self.steps)
        columns = described.columns if described is not None else ()
        for column in columns:
            if column.type in self.engine.unreadable:
                raise NotCompilableError(
                    f"{node.id} has a column {column.name} {column.type}, which is written "
                    f"differently in S3 from what {self.engine.name.title()} reads"
                )
        return columns

    def _read(self, variable: str, node: ResolvedObject) -> None:
        fields, part = self._reads, f"read_{variable}"
        task_id = fields.workflow.task_id(fields.item, part)
        directory = self._directory(variable)
        columns = self._columns(variable, node)
        schema = ""
        if not columns:
            result = f"ti.xcom_pull(task_ids={jinja_string(task_id)})"
            schema = f"{{{{ macros.updraft.{self.engine.macro}({result}['columns']) }}}}"
            self.notes.append(self.engine.nameless.format(id=node.id))
        self.inputs.append(TableFiles(variable, node, directory, columns, schema))
        arguments = query_arguments(node, fields) | {"s3_uri": f"{directory}/rows"} | self._format
        summary = f"writes the rows of {node.id} to S3"
        fields.prepare(part, SQL_TO_S3, arguments, summary, task_id)
        self.helpers.append(f"before it `CopySqlToS3Operator` for the rows of {node.id}")
        self.notes.append(self.engine.read.format(id=node.id))
        if any(column.type == _TIME for column in columns):
            self.notes.append(f"a time of {node.id} that has a zone is NULL to Hive")

    def _write(self, variable: str, node: ResolvedObject) -> None:
        fields, directory = self._writes, self._directory(variable)
        statement = statement_arguments(node, fields)
        columns: tuple[Column, ...] = ()
        if self.engine is HIVE:
            columns = self._columns(variable, node)
        elif not fields.workflow.users(node.id, "input"):
            fields.note(node, "dataFormat", Status.DROPPED, "Pig stores columns of any type")
        width = len(positional_places(str(statement.get("insert_query", "")))) or None
        self.outputs.append(TableFiles(variable, node, directory, columns, width=width))
        arguments = statement | {"s3_uri": f"{directory}/"} | self._format
        summary = f"loads into {node.id} what the script has stored"
        fields.prepare(f"load_{variable}", S3_TO_SQL, arguments, summary)
        self.helpers.append(f"after it `CopyS3ToSqlOperator` for those of {node.id}")
        self.notes.append(self.engine.written.format(id=node.id))
