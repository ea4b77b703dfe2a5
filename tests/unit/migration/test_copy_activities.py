"""CopyActivity: copies within S3, and between S3 and databases."""

import jinja2
import pytest

from updraft.datapipeline.findings import Severity
from updraft.migration.ledger import Status
from updraft.operators.copy_formats import row_format
from updraft.operators.s3_to_s3 import CopyS3ToS3Operator
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

_OPERATORS = {
    one.__name__: one for one in (CopyS3ToS3Operator, CopyS3ToSqlOperator, CopySqlToS3Operator)
}
_FOLDER = {"id": "Files", "type": "S3DataNode", "directoryPath": "s3://bkt/in"}
_FILE = {"id": "File", "type": "S3DataNode", "filePath": "s3://bkt/out.csv"}
_TABLE = {
    "id": "Rows",
    "type": "SqlDataNode",
    "database": {"ref": "Base"},
    "table": "orders",
    "selectQuery": "SELECT id, '100%' FROM #{table}",
    "insertQuery": "INSERT INTO #{table} VALUES (?, ?)",
}
_BASE = {
    "id": "Base",
    "name": "Sales Base",
    "type": "JdbcDatabase",
    "connectionString": "jdbc:postgresql://db.example.com/sales",
    "jdbcDriverClass": "org.postgresql.Driver",
    "username": "loader",
    "*password": "hunter2",
}


@pytest.fixture
def copying(definition):
    """Copy from one data node to another, in place of the shared definition's export."""

    def make(source, target, *others):
        objects = definition.document["objects"]
        objects[:] = [one for one in objects if one["id"] == "Default"]
        definition.document["parameters"] = [{"id": "mySign", "type": "String"}]
        definition.add(
            {
                "id": "Activity",
                "name": "Copy orders",
                "type": "CopyActivity",
                "runsOn": {"ref": "Computer"},
                "input": {"ref": source["id"]},
                "output": {"ref": target["id"]},
            },
            {"id": "Computer", "type": "Ec2Resource", "terminateAfter": "2 hours"},
            source,
            target,
            *others,
        )
        return definition

    return make


@pytest.fixture
def task_of(tasks_of):
    """Give the operator's name and arguments of the only task; the operator has to take them."""

    def task(conversion):
        ((task_id, found),) = tasks_of(conversion).items()
        name = found.pop("operator")
        assert found.pop("execution_timeout") == "timedelta(hours=2)"
        _OPERATORS[name](task_id=task_id, **found)
        return name, found

    return task


def _undecided(statuses):
    return {place for place, (status, _) in statuses.items() if status is Status.NEEDS_DECISION}


def _reason(conversion):
    assert any(not task.migrated for task in conversion.report.tasks)
    return next(
        one.note
        for one in conversion.report.fields
        if (one.object_id, one.field) == ("Activity", "type")
    )


def test_a_directory_within_s3(copying, task_of, statuses_of):
    target = {"id": "Copies", "type": "S3DataNode", "directoryPath": "s3://bkt/out/"}
    conversion = copying(_FOLDER, target).convert_cleanly()
    assert task_of(conversion) == (
        "CopyS3ToS3Operator",
        {"source_s3_uri": "s3://bkt/in/", "dest_s3_uri": "s3://bkt/out/"},
    )
    statuses = statuses_of(conversion)
    assert not _undecided(statuses)
    assert statuses["Activity", "runsOn"] == (Status.EQUIVALENT, "S3 copies by itself")
    assert statuses["Computer", "type"][0] is Status.DROPPED


def test_a_file_of_the_same_format_is_copied_as_it_is(copying, task_of):
    lines = {"id": "Lines", "type": "TSV", "columnSeparator": ";"}
    formatted = {"dataFormat": {"ref": "Lines"}, "compression": "none"}
    source = {"id": "Source", "type": "S3DataNode", "filePath": "s3://bkt/a", **formatted}
    conversion = copying(source, _FILE | formatted, lines).convert_cleanly()
    uris = {"source_s3_uri": "s3://bkt/a", "dest_s3_uri": "s3://bkt/out.csv"}
    assert task_of(conversion) == ("CopyS3ToS3Operator", uris)


def test_another_format_and_compression_within_s3(copying, task_of, statuses_of):
    source = _FOLDER | {"dataFormat": {"ref": "Lines"}, "compression": "GZIP"}
    target = {
        "id": "Copies",
        "type": "S3DataNode",
        "directoryPath": "s3://bkt/out/#{format(@scheduledStartTime, 'YYYY')}",
        "dataFormat": {"ref": "Commas"},
    }
    lines = {
        "id": "Lines",
        "type": "RegEx",
        "inputRegEx": r"(\S+) (\{\{.*)",
        "outputFormat": "%1$s %2$s",
        "column": "a STRING",
    }
    conversion = copying(source, target, lines, {"id": "Commas", "type": "CSV"}).convert_cleanly()
    name, arguments = task_of(conversion)
    options = arguments.pop("source_format_options")
    rendered = {key: jinja2.Template(text).render() for key, text in options.items()}
    assert rendered == {"input_regex": r"(\S+) (\{\{.*)", "output_format": "%1$s %2$s"}
    assert (name, arguments) == (
        "CopyS3ToS3Operator",
        {
            "source_s3_uri": "s3://bkt/in/",
            "dest_s3_uri": "s3://bkt/out/{{ dag_run.run_after.strftime('%Y') }}/",
            "source_format": "regex",
            "dest_format": "csv",
            "source_compression": "gzip",
        },
    )
    statuses = statuses_of(conversion)
    assert statuses["Activity", "runsOn"][0] is Status.EQUIVALENT
    assert statuses["Activity", "type"][0] is Status.CARRIED_OVER
    assert statuses["Lines", "column"][0] is Status.EQUIVALENT


def test_a_format_on_one_side_only_is_told(copying, task_of, statuses_of):
    target = _FILE | {"dataFormat": {"ref": "Lines"}}
    source = {"id": "Source", "type": "S3DataNode", "filePath": "s3://bkt/a"}
    conversion = copying(source, target, {"id": "Lines", "type": "TSV"}).convert_cleanly()
    _, arguments = task_of(conversion)
    assert (arguments["source_format"], arguments["dest_format"]) == ("csv", "tsv")
    status, note = statuses_of(conversion)["Activity", "type"]
    assert status is Status.APPROXIMATED
    assert "Source has no format" in note


def test_files_into_a_table(copying, task_of, statuses_of):
    conversion = copying(_FOLDER, _TABLE, _BASE).convert_cleanly()
    assert task_of(conversion) == (
        "CopyS3ToSqlOperator",
        {
            "s3_uri": "s3://bkt/in/",
            "sql_conn_id": "sales_base",
            "insert_query": "INSERT INTO orders VALUES (?, ?)",
        },
    )
    statuses = statuses_of(conversion)
    assert _undecided(statuses) == {("Base", "*password")}
    assert "type `postgres`" in statuses["Base", "*password"][1]
    status, note = statuses["Base", "connectionString"]
    assert status is Status.APPROXIMATED
    assert "network of the Airflow worker has to reach it" in note
    assert "updraft_load_ledger" in statuses["Activity", "type"][1]
    assert statuses["Rows", "selectQuery"][0] is Status.DROPPED
    assert "hunter2" not in conversion.dag_source + conversion.report.to_markdown()


def test_files_into_a_table_that_is_made(copying, task_of):
    table = _TABLE | {"createTableSql": "CREATE TABLE s.#{table} (a INT)", "schemaName": "s"}
    conversion = copying(_FILE | {"compression": "gzip"}, table, _BASE).convert_cleanly()
    _, arguments = task_of(conversion)
    assert arguments == {
        "s3_uri": "s3://bkt/out.csv",
        "sql_conn_id": "sales_base",
        "insert_query": "INSERT INTO orders VALUES (?, ?)",
        "table": "s.orders",
        "create_table_sql": "CREATE TABLE s.orders (a INT)",
        "compression": "gzip",
    }


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ({"table": "orders"}, "orders"),
        ({"table": "sales.orders"}, "sales.orders"),
        ({"table": "my-orders"}, '"my-orders"'),
        ({"table": "`my-orders`"}, '"my-orders"'),
        ({"table": 'a "b"', "schemaName": "s"}, 's."a ""b"""'),
        ({"table": "#{mySign}", "schemaName": "s"}, "s.{{ params.mySign }}"),
    ],
)
def test_files_into_a_table_without_a_statement(copying, task_of, statuses_of, name, table):
    node = {"id": "Rows", "type": "SqlDataNode", "database": {"ref": "Base"}, **name}
    conversion = copying(_FILE, node, _BASE).convert_cleanly()
    _, arguments = task_of(conversion)
    assert arguments["table"] == table
    assert "insert_query" not in arguments
    assert statuses_of(conversion)["Rows", "table"][0] is Status.APPROXIMATED


def test_a_query_into_a_file(copying, task_of, statuses_of):
    target = _FILE | {"dataFormat": {"ref": "Lines"}, "s3EncryptionType": "NONE"}
    lines = {
        "id": "Lines",
        "type": "Custom",
        "columnSeparator": "#{mySign}",
        "recordSeparator": "\r",
    }
    conversion = copying(_TABLE, target, _BASE, lines).convert_cleanly()
    assert task_of(conversion) == (
        "CopySqlToS3Operator",
        {
            "sql_conn_id": "sales_base",
            "query": "SELECT id, '100%' FROM orders",
            "s3_uri": "s3://bkt/out.csv",
            "file_format": "custom",
            "file_format_options": {
                "column_separator": "{{ params.mySign }}",
                "record_separator": r"\r",
                "escape_char": "",
            },
        },
    )
    statuses = statuses_of(conversion)
    assert statuses["Activity", "type"][0] is Status.CARRIED_OVER
    assert statuses["File", "s3EncryptionType"][0] is Status.APPROXIMATED


def test_an_old_data_node_connects_by_itself(copying, task_of, statuses_of):
    node = {
        "id": "Rows",
        "name": "My RDS Data",
        "type": "MySqlDataNode",
        "connectionString": "#{mySign}",
        "username": "u",
        "*password": "hunter2",
        "table": "table-name",
    }
    conversion = copying(node, _FOLDER | {"compression": "gzip"}).convert_cleanly()
    assert task_of(conversion) == (
        "CopySqlToS3Operator",
        {
            "sql_conn_id": "my_rds_data",
            "query": "SELECT * FROM `table-name`",
            "s3_uri": "s3://bkt/in/",
            "compression": "gzip",
        },
    )
    statuses = statuses_of(conversion)
    assert _undecided(statuses) == {("Rows", "*password")}
    assert "type `mysql`" in statuses["Rows", "*password"][1]
    assert statuses["Rows", "connectionString"][0] is Status.APPROXIMATED
    assert "hunter2" not in conversion.dag_source + conversion.report.to_markdown()


def test_from_table_to_table_goes_through_s3(copying, tasks_of, statuses_of):
    node = {
        "id": "Copies",
        "type": "SqlDataNode",
        "database": {"ref": "Other"},
        "table": "copies",
        "insertQuery": "INSERT INTO copies VALUES (?, ?)",
    }
    other = {
        "id": "Other",
        "type": "RdsDatabase",
        "rdsInstanceId": "i",
        "username": "u",
        "*password": "p",
    }
    conversion = copying(_TABLE, node, _BASE, other).convert()
    (finding,) = conversion.findings
    assert (finding.severity, finding.object_id) == (Severity.WARNING, "Activity")
    place = (
        "{{ params.staging_s3_uri }}/copy_orders/"
        "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}/rows.csv.gz"
    )
    tasks = tasks_of(conversion)
    assert tasks == {
        "copy_orders_export": {
            "operator": "CopySqlToS3Operator",
            "sql_conn_id": "sales_base",
            "query": "SELECT id, '100%' FROM orders",
            "s3_uri": place,
            "compression": "gzip",
            "execution_timeout": "timedelta(hours=2)",
        },
        "copy_orders": {
            "operator": "CopyS3ToSqlOperator",
            "s3_uri": place,
            "compression": "gzip",
            "sql_conn_id": "other",
            "insert_query": "INSERT INTO copies VALUES (?, ?)",
            "execution_timeout": "timedelta(hours=2)",
        },
    }
    assert "copy_orders_export >> copy_orders" in conversion.dag_source
    assert '"staging_s3_uri": Param(' in conversion.dag_source
    status, note = statuses_of(conversion)["Activity", "type"]
    assert status is Status.APPROXIMATED
    assert "hexadecimal" in note


@pytest.mark.parametrize(
    ("form", "name", "options"),
    [
        ({"type": "CSV"}, None, None),
        ({"type": "CSV", "escapeChar": "\\"}, None, None),
        ({"type": "CSV", "escapeChar": "\\\\"}, None, None),
        ({"type": "CSV", "escapeChar": "|"}, "csv", {"escape_char": "|"}),
        ({"type": "TSV"}, "tsv", None),
        ({"type": "TSV", "columnSeparator": "\t", "recordSeparator": r"\n"}, "tsv", None),
        (
            {"type": "TSV", "columnSeparator": "\n", "recordSeparator": "\t"},
            "tsv",
            {"column_separator": r"\n", "record_separator": r"\t"},
        ),
        (
            {"type": "Custom", "columnSeparator": ","},
            "custom",
            {"column_separator": ",", "escape_char": ""},
        ),
        ({"type": "RegEx", "inputRegEx": "(a*)"}, "regex", {"input_regex": "(a*)"}),
    ],
)
def test_formats_of_files(copying, task_of, form, name, options):
    source = _FILE | {"dataFormat": {"ref": "Form"}}
    conversion = copying(source, _TABLE, _BASE, {"id": "Form", **form}).convert_cleanly()
    _, arguments = task_of(conversion)
    assert arguments.get("file_format") == name
    assert arguments.get("file_format_options") == options
    row_format("file_format", name or "csv", options)


def test_a_manifest_beside_a_path_counts_for_nothing(copying, statuses_of):
    source = _FOLDER | {"manifestFilePath": "s3://bkt/manifest"}
    statuses = statuses_of(copying(source, _TABLE, _BASE).convert_cleanly())
    assert statuses["Files", "manifestFilePath"] == (
        Status.DROPPED,
        "read by a RedshiftCopyActivity only",
    )


_REDSHIFT = {
    "id": "Base",
    "type": "RedshiftDatabase",
    "clusterId": "c",
    "databaseName": "d",
    "username": "u",
    "*password": "p",
}
_IN_REDSHIFT = _BASE | {
    "connectionString": "jdbc:postgresql://c.x.eu-west-1.redshift.amazonaws.com/d"
}


@pytest.mark.parametrize(
    ("database", "conn_id"),
    [(_REDSHIFT, "base"), (_IN_REDSHIFT, "sales_base"), (_BASE | {"id": "Other"}, "base")],
    ids=["Redshift", "Redshift over JDBC", "none"],
)
def test_rows_are_read_by_whatever_connection(copying, tasks_of, statuses_of, database, conn_id):
    conversion = copying(_TABLE, _FILE, database).convert()
    assert conversion.placeholders == ()
    (task,) = tasks_of(conversion).values()
    assert task["sql_conn_id"] == conn_id
    if database["id"] == "Base":
        assert "(type `redshift`)" in statuses_of(conversion)["Base", "*password"][1]


@pytest.mark.parametrize(
    ("source", "target", "others", "reason"),
    [
        (_FOLDER, _FILE, (), "copied to a directory only"),
        (_FOLDER | {"filePath": "s3://bkt/x"}, _TABLE, (_BASE,), "both filePath and directoryPath"),
        (_FILE | {"filePath": "s3://bkt/x/"}, _TABLE, (_BASE,), "a directory is a directoryPath"),
        (_FILE | {"filePath": "s3://bkt/#{mySign}/"}, _TABLE, (_BASE,), "is a directoryPath"),
        (_FILE | {"filePath": "b/x"}, _TABLE, (_BASE,), "is not an S3 URI"),
        (
            {"id": "Files", "type": "S3DataNode", "manifestFilePath": "s3://bkt/m"},
            _TABLE,
            (_BASE,),
            "a manifest counts for a RedshiftCopyActivity only",
        ),
        (_FILE | {"compression": "bzip2"}, _TABLE, (_BASE,), "neither none nor gzip"),
        (_FILE, _TABLE, (_REDSHIFT,), "make a RedshiftCopyActivity"),
        (_FILE, _TABLE, (_IN_REDSHIFT,), "make a RedshiftCopyActivity"),
        (
            {"id": "Rows", "type": "SqlDataNode", "table": "t"},
            _FILE,
            (),
            "Rows names no database",
        ),
        (
            _FILE,
            _TABLE | {"insertQuery": "INSERT INTO t VALUES ('?')"},
            (_BASE,),
            "no question marks",
        ),
        (
            {"id": "Items", "type": "DynamoDBDataNode", "tableName": "t"},
            _FILE,
            (),
            "from DynamoDBDataNode to S3DataNode: export or import",
        ),
        (_FILE | {"dataFormat": {"ref": "Form"}}, _TABLE, ("DynamoDBDataFormat",), "no format"),
        (
            _FILE | {"dataFormat": {"ref": "Form"}},
            _TABLE,
            ({"type": "TSV", "recordSeparator": "\r\n"},),
            "not a single character",
        ),
        (
            _FILE | {"dataFormat": {"ref": "Form"}},
            _TABLE,
            ({"type": "RegEx", "outputFormat": "%s"},),
            "has no inputRegEx",
        ),
        (
            _FILE | {"dataFormat": {"ref": "Form"}},
            _TABLE,
            ({"type": "RegEx", "inputRegEx": r"(\p{Alpha})"},),
            "no regular expression",
        ),
    ],
)
def test_what_can_t_be_kept_is_a_task_that_fails(copying, source, target, others, reason):
    if "dataFormat" in source:
        (form,) = others
        form = {"type": form} if isinstance(form, str) else form
        others = (_BASE, {"id": "Form", **form})
    conversion = copying(source, target, *others).convert()
    assert reason in _reason(conversion)


def test_two_inputs_are_a_task_that_fails(copying):
    definition = copying(_FOLDER, _TABLE, _BASE, _FILE)
    definition.item("Activity")["input"] = [{"ref": "Files"}, {"ref": "File"}]
    assert "a copy takes one input, here there are 2" in _reason(definition.convert())
