"""SqlActivity: scripts on Redshift by the Data API, on other databases by a connection."""

import sqlite3

import jinja2
import pytest
from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

from updraft.migration.ledger import Status

_TIME = "#{format(@scheduledStartTime, 'YYYY-MM-dd')}"
_RUN = "{{ dag_run.run_after.strftime('%Y-%m-%d') }}"
_REDSHIFT = {
    "id": "Base",
    "type": "RedshiftDatabase",
    "clusterId": "etl",
    "databaseName": "dev",
    "username": "loader",
    "*password": "hunter2",
}
_JDBC = {
    "id": "Base",
    "name": "Sales Base",
    "type": "JdbcDatabase",
    "connectionString": "jdbc:mysql://db.example.com:3306/sales",
    "jdbcDriverClass": "com.mysql.jdbc.Driver",
    "username": "loader",
    "*password": "hunter2",
}
_RDS = {
    "id": "Base",
    "name": "Sales Base",
    "type": "RdsDatabase",
    "rdsInstanceId": "sales",
    "databaseName": "sales",
    "username": "loader",
    "*password": "hunter2",
}


@pytest.fixture
def running(definition):
    """Run a script, in place of the shared definition's export."""

    def make(database, **fields):
        objects = definition.document["objects"]
        objects[:] = [one for one in objects if one["id"] == "Default"]
        definition.document["parameters"] = [{"id": "myTable", "type": "String"}]
        definition.add(
            {
                "id": "Activity",
                "name": "Run",
                "type": "SqlActivity",
                "workerGroup": "w",
                "database": {"ref": "Base"},
                **fields,
            },
            database,
        )
        return definition

    return make


@pytest.fixture
def task_of(tasks_of):
    def task(conversion):
        return tasks_of(conversion)["run"]

    return task


def _reason(conversion):
    assert not all(task.migrated for task in conversion.report.tasks)
    return next(
        one.note
        for one in conversion.report.fields
        if (one.object_id, one.field) == ("Activity", "type")
    )


def test_a_statement_on_redshift(running, task_of, statuses_of):
    script = f"DELETE FROM #{{myTable}} WHERE day = '{_TIME}'"
    conversion = running(_REDSHIFT, script=script, queue="etl").convert_cleanly()
    assert task_of(conversion) == {
        "operator": "RedshiftSqlOperator",
        "cluster_identifier": "etl",
        "database": "dev",
        "db_user": "loader",
        "sql": f"DELETE FROM {{{{ params.myTable }}}} WHERE day = '{_RUN}'",
        "transaction": False,
        "max_rows": 0,
        "query_group": "etl",
    }
    statuses = statuses_of(conversion)
    assert Status.NEEDS_DECISION not in {status for status, _ in statuses.values()}
    assert "no region is told" in statuses["Base", "clusterId"][1]
    assert statuses["Activity", "workerGroup"][0] is Status.EQUIVALENT
    assert "hunter2" not in conversion.dag_source + conversion.report.to_markdown()


def test_a_script_with_question_marks(running, task_of):
    script = "DELETE FROM a WHERE d = ? AND x <> '?'; -- why?\nINSERT INTO a SELECT ?, 1;"
    conversion = running(_REDSHIFT, script=script, scriptArgument=[_TIME, "b"]).convert_cleanly()
    task = task_of(conversion)
    assert (task["sql"], task["script_arguments"]) == (script, [_RUN, "b"])
    assert task["transaction"] is False


def test_a_single_statement_needs_no_choice_of_transaction(running, task_of):
    assert "transaction" not in task_of(running(_REDSHIFT, script="VACUUM a;").convert_cleanly())


def test_a_script_in_s3(running, task_of):
    definition = running(_REDSHIFT, scriptUri="s3://b/s.sql", scriptArgument="x")
    task = task_of(definition.convert_cleanly())
    assert (task["script_uri"], task["script_arguments"]) == ("s3://b/s.sql", ["x"])
    assert task["transaction"] is False


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"script": "SELECT ?"}, "1 question marks"),
        ({"script": "SELECT 1", "scriptArgument": "x"}, "0 question marks"),
        ({"script": "SELECT 'x"}, "never closed"),
        ({"script": "BEGIN; SELECT 1; ROLLBACK"}, "ROLLBACK"),
        ({"script": "SELECT 1", "scriptUri": "s3://b/s"}, "either script or scriptUri"),
        ({"script": "SELECT #{*password}"}, "must come from a connection"),
    ],
)
def test_scripts_that_cannot_run_are_placeholders(running, fields, words):
    assert words in _reason(running(_REDSHIFT, **fields).convert())


def test_the_definition_of_an_output_is_told(running, statuses_of):
    definition = running(_REDSHIFT, script="SELECT 1", output={"ref": "Table"})
    definition.add(
        {
            "id": "Table",
            "type": "RedshiftDataNode",
            "database": {"ref": "Base"},
            "tableName": "t",
            "createTableSql": "CREATE TABLE t (id int)",
        }
    )
    conversion = definition.convert()
    assert [one.field for one in conversion.findings] == ["createTableSql"]
    assert statuses_of(conversion)["Table", "createTableSql"][0] is Status.NEEDS_DECISION
    assert all(task.migrated for task in conversion.report.tasks)


@pytest.mark.parametrize("database", [_JDBC, _RDS], ids=["jdbc", "rds"])
def test_a_connection(running, task_of, statuses_of, database):
    script = f"DELETE FROM a WHERE d = ? AND n LIKE '5%';\nINSERT INTO a SELECT '{_TIME}', ?, ?"
    definition = running(database, script=script, scriptArgument=["x", "x", "y"], queue="q")
    conversion = definition.convert_cleanly()
    assert task_of(conversion) == {
        "operator": "SQLExecuteQueryOperator",
        "conn_id": "sales_base",
        "sql": "DELETE FROM a WHERE d = %(argument_1)s AND n LIKE '5%%';\n"
        f"INSERT INTO a SELECT '{_RUN}', %(argument_1)s, %(argument_2)s",
        "parameters": {"argument_1": "x", "argument_2": "y"},
        "split_statements": True,
        "autocommit": True,
        "do_xcom_push": False,
    }
    statuses = statuses_of(conversion)
    status, note = statuses["Base", "*password"]
    assert status is Status.NEEDS_DECISION
    assert "make the Airflow connection `sales_base`" in note
    assert "AWS Secrets Manager" in note
    assert statuses["Base", "username"][0] is Status.EQUIVALENT
    assert statuses["Activity", "queue"][0] is Status.DROPPED
    assert "hunter2" not in conversion.dag_source + conversion.report.to_markdown()


def test_a_password_in_an_address_stays_out(running, task_of):
    database = _JDBC | {"connectionString": "jdbc:mysql://h/d?user=u&password=hunter2"}
    conversion = running(database, script="SELECT 1").convert_cleanly()
    assert task_of(conversion)["conn_id"] == "sales_base"
    assert "hunter2" not in conversion.dag_source + conversion.report.to_markdown()


@pytest.mark.parametrize(
    ("address", "sql"),
    [
        ("jdbc:postgresql://h/d", "SELECT %(argument_1)s"),
        ("jdbc:oracle:thin:@h:1521:d", "SELECT :1"),
        ("jdbc:sqlserver://h", "SELECT %(argument_1)s"),
        ("jdbc:redshift://h/d", "SELECT %s"),
        ("jdbc:db2://h/d", "SELECT ?"),
    ],
)
def test_markers_of_each_driver(running, task_of, address, sql):
    database = _JDBC | {"connectionString": address}
    conversion = running(database, script="SELECT ?", scriptArgument="x").convert_cleanly()
    assert task_of(conversion)["sql"] == sql


@pytest.mark.parametrize(
    ("address", "sql"),
    [
        ("jdbc:mysql://h/d", "DELETE FROM t WHERE a LIKE '%%s' AND b %% 2 = %(argument_1)s"),
        # Its driver finds names alone, and leaves two percent signs two.
        ("jdbc:sqlserver://h", "DELETE FROM t WHERE a LIKE '%s' AND b % 2 = %(argument_1)s"),
    ],
)
def test_percent_signs_arrive_as_they_were(running, task_of, address, sql):
    database = _JDBC | {"connectionString": address}
    script = "DELETE FROM t WHERE a LIKE '%s' AND b % 2 = ?"
    conversion = running(database, script=script, scriptArgument="1").convert_cleanly()
    assert task_of(conversion)["sql"] == sql


@pytest.mark.parametrize(
    ("driver", "sql"),
    [
        ("com.mysql.jdbc.Driver", "SELECT %(argument_1)s"),
        ("com.microsoft.sqlserver.jdbc.SQLServerDriver", "SELECT %(argument_1)s"),
        ("com.example.Driver", "SELECT ?"),
    ],
)
def test_the_driver_counts_where_the_address_is_a_parameter(running, task_of, driver, sql):
    database = _JDBC | {"connectionString": "#{myTable}", "jdbcDriverClass": driver}
    conversion = running(database, script="SELECT ?", scriptArgument="x").convert_cleanly()
    assert task_of(conversion)["sql"] == sql


@pytest.mark.parametrize(
    ("jar", "sql"),
    [
        ("ojdbc8.jar", "SELECT :1"),
        ("mssql-jdbc-7.jar", "SELECT %(argument_1)s"),
        ("mysql-connector-java-5.jar", "SELECT %(argument_1)s"),
        ("own.jar", "SELECT ?"),
    ],
)
def test_markers_of_the_driver_that_a_jar_names(running, task_of, jar, sql):
    database = _RDS | {"jdbcDriverJarUri": f"s3://b/{jar}"}
    conversion = running(database, script="SELECT ?", scriptArgument="x").convert_cleanly()
    assert task_of(conversion)["sql"] == sql


@pytest.mark.parametrize(
    ("address", "script", "is_split"),
    [
        ("jdbc:oracle:thin:@h:1521:d", "BEGIN load(1); END;", False),
        ("jdbc:oracle:thin:@h:1521:d", "-- x\n/* y */ declare n int; BEGIN n := 1; END;", False),
        ("jdbc:oracle:thin:@h:1521:d", "DELETE FROM t;", True),
        ("jdbc:sqlserver://h", "SET NOCOUNT ON; DECLARE @d INT = 1; DELETE FROM t;", False),
        ("jdbc:sqlserver://h", "DELETE FROM t; DELETE FROM u;", True),
        ("jdbc:mysql://h/d", "DELETE FROM t;", False),
    ],
)
def test_what_a_driver_takes_at_once(running, task_of, address, script, is_split):
    database = _JDBC | {"connectionString": address}
    task = task_of(running(database, script=script).convert_cleanly())
    assert task.get("split_statements", False) is is_split


def test_a_database_that_the_definition_lacks_is_a_connection(running, task_of, statuses_of):
    conversion = running(_JDBC | {"id": "Other"}, script="SELECT 1").convert()
    assert conversion.placeholders == ()
    assert task_of(conversion)["conn_id"] == "base"
    status, note = statuses_of(conversion)["Activity", "database"]
    assert status is Status.NEEDS_DECISION
    assert "the definition has no such object" in note


def test_a_database_that_the_definition_lacks_is_redshift_where_there_is_a_queue(running, task_of):
    conversion = running(_JDBC | {"id": "Other"}, script="SELECT 1", queue="q").convert()
    assert conversion.placeholders == ()
    assert task_of(conversion)["cluster_identifier"] == "{{ params.my_Base_clusterId }}"


@pytest.mark.parametrize(
    ("parameter", "types"),
    [
        ({"optional": "true"}, "mysql` or `postgres"),
        ({"default": "s3://b/ojdbc8.jar"}, "oracle"),
        ({}, "jdbc"),
    ],
)
def test_a_jar_that_a_parameter_names(running, statuses_of, parameter, types):
    definition = running(_RDS | {"jdbcDriverJarUri": "#{myJar}"}, script="SELECT 1")
    definition.document["parameters"].append({"id": "myJar", "type": "String", **parameter})
    assert f"(type `{types}`)" in statuses_of(definition.convert())["Base", "*password"][1]


class _Files(DbApiHook):
    """A database of another kind, as a connection of Airflow leads to it."""

    conn_name_attr = "files"

    def __init__(self, path):
        super().__init__()
        self.path = path

    def get_conn(self):
        return sqlite3.connect(self.path)


@pytest.mark.parametrize(
    "fields",
    [
        {"script": "INSERT INTO t VALUES (?, '?'); -- why?", "scriptArgument": "it's; 5%"},
        {"script": "DELETE FROM t;\nINSERT INTO t VALUES ('it''s; 5%', '?')"},
    ],
)
def test_the_operator_runs_what_comes_out(running, task_of, tmp_path, monkeypatch, fields):
    database = _JDBC | {"connectionString": "jdbc:sqlite:sales.db"}
    arguments = task_of(running(database, **fields).convert_cleanly())
    arguments.pop("operator")
    hook = _Files(tmp_path / "sales.db")
    hook.run("CREATE TABLE t (a, b)", autocommit=True)
    monkeypatch.setattr(SQLExecuteQueryOperator, "get_db_hook", lambda _: hook)
    SQLExecuteQueryOperator(task_id="t", **arguments).execute({})
    assert hook.get_records("SELECT * FROM t") == [("it's; 5%", "?")]


def test_a_script_without_arguments_stays_as_it_is(running, task_of):
    script = "SELECT '5%' WHERE a = '{{ x }}'"
    task = task_of(running(_JDBC, script=script).convert_cleanly())
    assert jinja2.Template(task["sql"]).render() == script
    assert not task.keys() & {"parameters", "split_statements"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scriptUri": "s3://b/s.sql"}, "beside the DAG"),
        ({"script": "SELECT ?; SELECT ?", "scriptArgument": ["a"]}, "2 question marks"),
    ],
)
def test_what_a_connection_cannot_run(running, fields, words):
    assert words in _reason(running(_JDBC, **fields).convert())


def test_several_statements_where_values_have_no_names(running):
    database = _JDBC | {"connectionString": "jdbc:db2://h/d"}
    definition = running(database, script="SELECT ?; SELECT ?", scriptArgument=["a", "b"])
    assert "the same values" in _reason(definition.convert())
