"""Scripts of SQL that run over a connection of Airflow."""

import re

from updraft.datapipeline.resolution import ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mappers.database_connections import DatabaseKind, connection_of
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.tasks import ArgumentValue
from updraft.sql_lineage.scanning import statements
from updraft.sql_parameters import positional_places, with_style

OPERATOR = "airflow.providers.common.sql.operators.sql.SQLExecuteQueryOperator"

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_MARK = re.compile("\ue000([0-9]+)\ue001")
_BLOCK = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:BEGIN|DECLARE)\b", re.IGNORECASE | re.DOTALL)
_DECLARED = re.compile(r"(?:^|;)\s*DECLARE\s+@", re.IGNORECASE | re.MULTILINE)


_ACCOUNT = (
    "`SQLExecuteQueryOperator`; statements count as soon as they have ended, and a retry runs all "
    "of them again, as before"
)


def add_connection_script(
    database: ResolvedObject,
    script: Template | None,
    arguments: list[Template],
    fields: TaskFields,
) -> None:
    """Add the task of a script on a database behind JDBC.

    :param database: the JdbcDatabase or RdsDatabase.
    :param script: the script, none when it lies in S3.
    :param arguments: its arguments.
    :param fields: the activity.
    :raises NotCompilableError: when Airflow can't run it.
    """
    if database.type not in {"JdbcDatabase", "RdsDatabase"}:
        raise NotCompilableError(f"{database.id} is a {database.type or 'database without type'}")
    if script is None:
        raise NotCompilableError(
            "its script lies in S3, which SQLExecuteQueryOperator does not read: put its text "
            "into the field script, or into a file beside the DAG"
        )
    connection = connection_of(database, fields)
    kind = connection.kind
    text = script.text
    count = len(list(statements(script.text)))
    values: dict[str, ArgumentValue] = {}
    if arguments:
        texts = [one.text for one in arguments]
        values["parameters"] = _values(script, texts, kind, count)
        numbers = [list(dict.fromkeys(texts)).index(one) + 1 for one in texts]
        text = _with_style(script.text, kind, numbers if kind.takes_names else None)
    if _is_split(script, count, kind):
        values["split_statements"] = True
    _account(fields)
    fields.finish(
        OPERATOR,
        {
            "conn_id": connection.conn_id,
            "sql": text,
            **values,
            "autocommit": True,
            "do_xcom_push": False,
        },
        "runs a script of SQL over a connection of Airflow",
        (Status.CARRIED_OVER, _ACCOUNT),
    )


def _is_split(script: Template, count: int, kind: DatabaseKind) -> bool:
    """Tell whether a driver takes the statements of a script one by one only.

    The hook of Oracle takes away the semicolon at the end when it does so, which a statement must
    not have there, and a block of PL/SQL must. In T-SQL, a variable is known in the batch that
    declares it.
    """
    if kind.connection == "oracle":
        return _BLOCK.match(script.text) is None
    if kind.connection == "mssql" and _DECLARED.search(script.text):
        return False
    return count != 1 or script.literal is None


def _values(script: Template, texts: list[str], kind: DatabaseKind, count: int) -> ArgumentValue:
    marks = len(positional_places(_hidden(script.text)[0]))
    if marks != len(texts):
        raise NotCompilableError(
            f"its script has {marks} question marks for parameters, and scriptArgument has "
            f"{len(texts)} values"
        )
    if kind.takes_names:
        # A value that stands in several places has one name.
        return {f"argument_{number}": text for number, text in enumerate(dict.fromkeys(texts), 1)}
    if count > 1:
        raise NotCompilableError(
            "its script has several statements with question marks, and SQLExecuteQueryOperator "
            "gives the same values to each of them: make an activity of each statement"
        )
    return texts


def _with_style(sql: str, kind: DatabaseKind, numbers: list[int] | None) -> str:
    """Rewrite question marks, and leave the expressions of a template as they are."""
    hidden, codes = _hidden(sql)
    try:
        written = with_style(hidden, kind.style, numbers, doubles_percent=kind.doubles_percent)
    except UpdraftError as error:
        raise NotCompilableError(str(error)) from error
    return _MARK.sub(lambda match: codes[int(match[1])], written)


def _hidden(sql: str) -> tuple[str, list[str]]:
    codes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        codes.append(match[0])
        return f"\ue000{len(codes) - 1}\ue001"

    return _EXPRESSION.sub(hide, sql), codes


def _account(fields: TaskFields) -> None:
    item = fields.item
    for name in ("runsOn", "workerGroup"):
        note = "the Airflow worker sends the script, and the database runs it, as before"
        fields.note(item, name, Status.EQUIVALENT, note)
    fields.note(item, "queue", Status.DROPPED, "counts on Redshift only, as before")
    note = "`parameters`: the driver binds them, in the order of the question marks"
    fields.note(item, "scriptArgument", Status.CARRIED_OVER, note)
