"""``JdbcDatabase``, ``RdsDatabase`` and their like: the connection of Airflow in their place.

Sources: guide, "JdbcDatabase" and "RdsDatabase"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-jdbcdatabase.html and
https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-rdsdatabase.html).
"""

import re
from dataclasses import dataclass

from updraft.datapipeline.evaluation import Evaluator
from updraft.datapipeline.resolution import ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.jdbc_addresses import driver_of
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.names import snake_case


@dataclass(frozen=True, slots=True)
class DatabaseKind:
    """A kind of database as Airflow knows it.

    :param connection: type of the connection.
    :param style: how its driver marks parameters.
    :param doubles_percent: whether its driver reads two percent signs as one.
    """

    connection: str
    style: str
    doubles_percent: bool = True

    @property
    def takes_names(self) -> bool:
        """Whether values have names, of which a statement may use some only."""
        return self.style == "pyformat"


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that takes the place of a database object.

    :param conn_id: its id, from the name of the object.
    :param kind: the kind of database.
    """

    conn_id: str
    kind: DatabaseKind


_KINDS = {
    "mariadb": DatabaseKind("mysql", "pyformat"),
    "mysql": DatabaseKind("mysql", "pyformat"),
    "oracle": DatabaseKind("oracle", "numeric"),
    "postgresql": DatabaseKind("postgres", "pyformat"),
    "redshift": DatabaseKind("redshift", "format"),
    "sqlserver": DatabaseKind("mssql", "pyformat", doubles_percent=False),
}
_OTHER = DatabaseKind("jdbc", "qmark")
# Which database the name of a driver's JAR or class stands for.
_DRIVERS = {
    "redshift": "redshift",
    "mysql": "mysql",
    "mariadb": "mysql",
    "postgres": "postgresql",
    "ojdbc": "oracle",
    "oracle": "oracle",
    "mssql": "sqlserver",
    "sqlserver": "sqlserver",
    "sqljdbc": "sqlserver",
    "jtds": "sqlserver",
}
DATABASES = {"JdbcDatabase", "RdsDatabase", "RedshiftDatabase"}
"""Types of objects in whose place a connection of Airflow can stand."""

_OLD_MYSQL = "MySqlDataNode"
_WAREHOUSE = re.compile(r"\.redshift(-serverless)?\.amazonaws\.com", re.IGNORECASE)
_REACH = "the network of the Airflow worker has to reach it"


def connection_of(database: ResolvedObject, fields: TaskFields) -> Connection:
    """Name the connection by which a task reaches a database, and account for the database.

    :param database: one of `DATABASES`, or a data node with a ``connectionString`` of
        its own.
    :param fields: the activity, whose task connects.
    :returns: the connection, which the user has to make.
    """
    kind = _kind(database, fields.workflow)
    found = Connection(snake_case(database.item.name), kind)
    if database.category != "data node":
        fields.describe(database)
    _account(database, found, fields)
    return found


def _kind(database: ResolvedObject, workflow: Workflow) -> DatabaseKind:
    if database.type == "RdsDatabase":
        jar = _known("jdbcDriverJarUri", database, workflow)
        if not jar:
            # MySQL or PostgreSQL, whose drivers in Python mark parameters alike.
            return _KINDS["mysql"]
        return _named(jar.rpartition("/")[2]) or _OTHER
    address = _known("connectionString", database, workflow)
    if database.type == "RedshiftDatabase" or _WAREHOUSE.search(address):
        return _KINDS["redshift"]
    driver = driver_of(address)
    if driver is not None:
        return _KINDS.get(driver, _OTHER)
    # An address that only the run knows.
    if database.type == _OLD_MYSQL:
        return _KINDS["mysql"]
    return _named(_known("jdbcDriverClass", database, workflow)) or _OTHER


def _known(name: str, database: ResolvedObject, workflow: Workflow) -> str:
    """Evaluate a field as far as values are known; an optional parameter without one is empty.

    Nothing of the text gets into the DAG, so that it may hold secrets.
    """
    text = database.text(name) or ""
    try:
        evaluator = Evaluator(workflow.definition, workflow.resolved, {})
        return str(evaluator.evaluate_text(text, database))
    except UpdraftError:
        return text


def _named(driver: str) -> DatabaseKind | None:
    name = driver.lower()
    return next((_KINDS[kind] for word, kind in _DRIVERS.items() if word in name), None)


def _account(database: ResolvedObject, connection: Connection, fields: TaskFields) -> None:
    conn_id, kind = connection.conn_id, connection.kind
    is_rds = database.type == "RdsDatabase"
    has_own_driver = not is_rds or _known("jdbcDriverJarUri", database, fields.workflow)
    types = kind.connection if has_own_driver else "mysql` or `postgres"
    todo = (
        f"make the Airflow connection `{conn_id}` (type `{types}`) with user, password, host "
        "and database, in AWS Secrets Manager if that is the secrets backend; install the provider "
        "package of that type"
    )
    for name in ("*password", "password"):
        fields.note(database, name, Status.NEEDS_DECISION, todo)
    for name, what in (("rdsInstanceId", "instance"), ("clusterId", "cluster")):
        note = f"the endpoint of this {what} is the host of the connection `{conn_id}`; {_REACH}"
        fields.note(database, name, Status.APPROXIMATED, note)
    inside = f"goes into the connection `{conn_id}`"
    for name in ("username", "databaseName", "jdbcProperties"):
        fields.note(database, name, Status.EQUIVALENT, inside)
    fields.note(database, "connectionString", Status.APPROXIMATED, f"{inside}; {_REACH}")
    gone = "Airflow's connection has a driver of its own"
    status = Status.APPROXIMATED if kind.connection == "jdbc" else Status.DROPPED
    for name in ("jdbcDriverClass", "jdbcDriverJarUri"):
        note = f"{inside}, as extra" if kind.connection == "jdbc" else gone
        fields.note(database, name, status, note)
    fields.note(database, "region", Status.DROPPED, "part of the host of the connection")
