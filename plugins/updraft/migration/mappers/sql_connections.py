"""``JdbcDatabase`` and ``RdsDatabase``: scripts that run over a connection of Airflow.

Sources: guide, "JdbcDatabase" and "RdsDatabase"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-jdbcdatabase.html and
https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-rdsdatabase.html).
"""

import re
from dataclasses import dataclass

from updraft.datapipeline.resolution import ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mappers.jdbc_addresses import driver_of
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.names import snake_case
from updraft.migration.tasks import ArgumentValue
from updraft.sql_lineage.scanning import statements
from updraft.sql_parameters import positional_places, with_style

OPERATOR = "airflow.providers.common.sql.operators.sql.SQLExecuteQueryOperator"

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_MARK = re.compile("\ue000([0-9]+)\ue001")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of database as Airflow knows it.

    :param connection: type of the connection.
    :param style: how its driver marks parameters.
    """

    connection: str
    style: str

    @property
    def takes_names(self) -> bool:
        """Whether values have names, of which a statement may use some only."""
        return self.style == "pyformat"


_KINDS = {
    "mariadb": _Kind("mysql", "pyformat"),
    "mysql": _Kind("mysql", "pyformat"),
    "oracle": _Kind("oracle", "numeric"),
    "postgresql": _Kind("postgres", "pyformat"),
    "redshift": _Kind("redshift", "format"),
    "sqlserver": _Kind("mssql", "format"),
}
_OTHER = _Kind("jdbc", "qmark")
# Which database the name of a driver's JAR stands for.
_JARS = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "postgres": "postgresql",
    "ojdbc": "oracle",
    "oracle": "oracle",
    "mssql": "sqlserver",
    "sqljdbc": "sqlserver",
    "jtds": "sqlserver",
}
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
    kind = _kind(database)
    text = _with_style(script.text, kind.style) if arguments else script.text
    count = len(list(statements(script.text)))
    values: dict[str, ArgumentValue] = {}
    if arguments:
        values["parameters"] = _values(script, arguments, kind, count)
    if count != 1 or script.literal is None:
        values["split_statements"] = True
    fields.describe(database)
    connection = snake_case(database.item.name)
    _account(database, connection, kind, fields)
    fields.finish(
        OPERATOR,
        {
            "conn_id": connection,
            "sql": text,
            **values,
            "autocommit": True,
            "do_xcom_push": False,
        },
        "runs a script of SQL over a connection of Airflow",
        (Status.CARRIED_OVER, _ACCOUNT),
    )


def _kind(database: ResolvedObject) -> _Kind:
    # Nothing of these texts gets into the DAG, so that they may hold secrets.
    if database.type == "JdbcDatabase":
        driver = driver_of(database.text("connectionString") or "")
        return _KINDS.get(driver or "", _OTHER)
    jar = database.text("jdbcDriverJarUri")
    if jar is None:
        # MySQL or PostgreSQL, whose drivers in Python mark parameters alike.
        return _KINDS["mysql"]
    name = jar.rpartition("/")[2].lower()
    found = next((kind for word, kind in _JARS.items() if word in name), None)
    return _KINDS[found] if found is not None else _OTHER


def _values(script: Template, arguments: list[Template], kind: _Kind, count: int) -> ArgumentValue:
    marks = len(positional_places(_hidden(script.text)[0]))
    if marks != len(arguments):
        raise NotCompilableError(
            f"its script has {marks} question marks for parameters, and scriptArgument has "
            f"{len(arguments)} values"
        )
    texts = [one.text for one in arguments]
    if kind.takes_names:
        return {f"argument_{number}": text for number, text in enumerate(texts, 1)}
    if count > 1:
        raise NotCompilableError(
            "its script has several statements with question marks, and SQLExecuteQueryOperator "
            "gives the same values to each of them: make an activity of each statement"
        )
    return texts


def _with_style(sql: str, style: str) -> str:
    """Rewrite question marks, and leave the expressions of a template as they are."""
    hidden, codes = _hidden(sql)
    try:
        written = with_style(hidden, style)
    except UpdraftError as error:
        raise NotCompilableError(str(error)) from error
    return _MARK.sub(lambda match: codes[int(match[1])], written)


def _hidden(sql: str) -> tuple[str, list[str]]:
    codes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        codes.append(match[0])
        return f"\ue000{len(codes) - 1}\ue001"

    return _EXPRESSION.sub(hide, sql), codes


def _account(database: ResolvedObject, connection: str, kind: _Kind, fields: TaskFields) -> None:
    is_rds = database.type == "RdsDatabase"
    types = (
        "mysql` or `postgres"
        if is_rds and database.field("jdbcDriverJarUri") is None
        else (kind.connection)
    )
    todo = (
        f"make the Airflow connection `{connection}` (type `{types}`) with user, password, host "
        "and database, in AWS Secrets Manager if that is the secrets backend; install the provider "
        "package of that type"
    )
    for name in ("*password", "password"):
        fields.note(database, name, Status.NEEDS_DECISION, todo)
    if is_rds:
        note = f"the endpoint of this instance is the host of the connection `{connection}`"
        fields.note(database, "rdsInstanceId", Status.NEEDS_DECISION, note)
    inside = f"goes into the connection `{connection}`"
    for name in ("username", "databaseName", "connectionString", "jdbcProperties"):
        fields.note(database, name, Status.EQUIVALENT, inside)
    gone = "Airflow's connection has a driver of its own"
    status = Status.APPROXIMATED if kind.connection == "jdbc" else Status.DROPPED
    for name in ("jdbcDriverClass", "jdbcDriverJarUri"):
        note = f"{inside}, as extra" if kind.connection == "jdbc" else gone
        fields.note(database, name, status, note)
    fields.note(database, "region", Status.DROPPED, "part of the host of the connection")
    item = fields.item
    for name in ("runsOn", "workerGroup"):
        note = "the script runs from the Airflow worker, whose network has to reach the database"
        fields.note(item, name, Status.APPROXIMATED, note)
    fields.note(item, "queue", Status.DROPPED, "counts on Redshift only, as before")
    note = "`parameters`: the driver binds them, in the order of the question marks"
    fields.note(item, "scriptArgument", Status.CARRIED_OVER, note)
