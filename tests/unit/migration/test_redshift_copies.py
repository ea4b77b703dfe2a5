"""RedshiftCopyActivity: loads and unloads, each option with what becomes of it."""

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.datapipeline.findings import Severity
from updraft.migration.ledger import Status
from updraft.operators.redshift_copy import RedshiftCopyOperator

_PLACE = {
    "cluster_identifier": "etl",
    "database": "dev",
    "db_user": "loader",
    "region_name": "eu-west-1",
}
_TIME = "#{format(@scheduledStartTime, 'YYYY-MM-dd')}"


@pytest.fixture
def loading(definition):
    """Load files into a table of Redshift, in place of the shared definition's export."""
    objects = definition.document["objects"]
    objects[:] = [one for one in objects if one["id"] == "Default"]
    definition.document["parameters"] = [
        {"id": "myFolder", "type": "AWS::S3::ObjectKey"},
        {"id": "*myPassword", "type": "String"},
    ]
    definition.add(
        {
            "id": "Activity",
            "name": "Load orders",
            "type": "RedshiftCopyActivity",
            "runsOn": {"ref": "Computer"},
            "input": {"ref": "Source"},
            "output": {"ref": "Target"},
            "insertMode": "KEEP_EXISTING",
        },
        {"id": "Computer", "type": "Ec2Resource", "terminateAfter": "2 hours"},
        {"id": "Source", "type": "S3DataNode", "directoryPath": "#{myFolder}"},
        {
            "id": "Target",
            "type": "RedshiftDataNode",
            "database": {"ref": "Base"},
            "tableName": "orders",
        },
        {
            "id": "Base",
            "type": "RedshiftDatabase",
            "clusterId": "etl",
            "databaseName": "dev",
            "username": "loader",
            "region": "eu-west-1",
            "*password": "#{*myPassword}",
        },
    )
    return definition


@pytest.fixture
def unloading(loading):
    """Unload the table instead."""
    loading.item("Activity").update(input={"ref": "Target"}, output={"ref": "Source"})
    loading.item("Source")["directoryPath"] = f"s3://b/out/{_TIME}"
    return loading


@pytest.fixture
def arguments_of(tasks_of):
    """Give what the task is given, without what is the same in all tests."""

    def arguments(conversion):
        (task,) = tasks_of(conversion).values()
        same = {"operator", "iam_role", "execution_timeout", *_PLACE}
        return {name: value for name, value in task.items() if name not in same}

    return arguments


def _reason(conversion, field="type"):
    return next(
        one.note
        for one in conversion.report.fields
        if (one.object_id, one.field) == ("Activity", field)
    )


def _is_placeholder(conversion):
    return any(not task.migrated for task in conversion.report.tasks)


def test_a_load(loading, tasks_of, statuses_of):
    conversion = loading.convert_cleanly()
    assert tasks_of(conversion) == {
        "load_orders": {
            "operator": "RedshiftCopyOperator",
            **_PLACE,
            "table": "orders",
            "s3_uri": "{{ params.myFolder.rstrip('/') }}/",
            "iam_role": "default",
            "insert_mode": "KEEP_EXISTING",
            "execution_timeout": "timedelta(hours=2)",
        }
    }
    statuses = statuses_of(conversion)
    assert Status.NEEDS_DECISION not in {status for status, _ in statuses.values()}
    status, note = statuses["Base", "*password"]
    assert status is Status.APPROXIMATED
    assert "redshift:GetClusterCredentials" in note
    assert "AWS Secrets Manager" in note
    status, note = statuses["Activity", "runsOn"]
    assert status is Status.APPROXIMATED
    assert "iam_role" in note
    assert statuses["Computer", "type"][0] is Status.DROPPED
    assert "myPassword" not in conversion.dag_source
    assert "loader" in conversion.dag_source


def test_the_role_of_redshift_is_told_where_the_old_one_is(loading, statuses_of):
    loading.item("Computer")["resourceRole"] = "DataPipelineDefaultResourceRole"
    statuses = statuses_of(loading.convert())
    status, note = statuses["Computer", "resourceRole"]
    assert status is Status.APPROXIMATED
    assert "iam_role" in note
    assert statuses["Activity", "runsOn"][0] is Status.EQUIVALENT


def test_the_same_definition_gives_the_same_bytes(loading):
    first, second = loading.convert(), loading.convert()
    assert first.dag_source == second.dag_source
    assert first.report == second.report


def test_everything_about_the_table(loading, arguments_of):
    loading.item("Target").update(
        schemaName="Sales",
        primaryKeys=["id", "order"],
        createTableSql="CREATE TABLE IF NOT EXISTS sales.orders (id int, order_day date);",
    )
    loading.item("Activity").update(
        insertMode="overwrite_existing",
        transformSql="SELECT id, day::date FROM staging WHERE id > 0",
        queue="nightly",
    )
    assert arguments_of(loading.convert_cleanly()) == {
        "table": "orders",
        "schema": "Sales",
        "s3_uri": "{{ params.myFolder.rstrip('/') }}/",
        "insert_mode": "OVERWRITE_EXISTING",
        "primary_keys": ["id", "order"],
        "transform_sql": "SELECT id, day::date FROM staging WHERE id > 0",
        "create_table_sql": "CREATE TABLE IF NOT EXISTS sales.orders (id int, order_day date);",
        "query_group": "nightly",
    }


def test_names_that_need_quotes(loading, arguments_of):
    loading.item("Target").update(
        tableName='a "b"', schemaName="my schema", primaryKeys=["unit price", "a,b"]
    )
    found = arguments_of(loading.convert_cleanly())
    assert (found["table"], found["schema"]) == ('"a ""b"""', '"my schema"')
    assert found["primary_keys"] == ['"unit price"', "a", "b"]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("CREATE TABLE other (id int)", "it makes the table public.other"),
        ("CREATE TABLE orders (id int); GRANT ALL ON orders TO x", "2 statements"),
    ],
)
def test_a_definition_of_something_else_is_left_out_and_told(
    loading, arguments_of, statuses_of, sql, words
):
    loading.item("Target")["createTableSql"] = sql
    conversion = loading.convert()
    assert "create_table_sql" not in arguments_of(conversion)
    status, note = statuses_of(conversion)["Target", "createTableSql"]
    assert status is Status.NEEDS_DECISION
    assert words in note
    (finding,) = conversion.findings
    assert finding.severity is Severity.WARNING
    assert words in finding.message


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ({}, ["GZIP", "CSV", "IGNOREHEADER AS 1"], ["GZIP", "CSV", "IGNOREHEADER AS 1"]),
        ({"compression": "gzip"}, ["EMPTYASNULL"], ["EMPTYASNULL"]),
        ({"compression": "GZIP"}, ["GZIP"], ["GZIP"]),
        ({"compression": "none"}, "DELIMITER '\\t'", ["DELIMITER '\\t'"]),
    ],
)
def test_options_and_compression(loading, arguments_of, source, options, expected):
    loading.item("Source").update(source)
    loading.item("Activity")["commandOptions"] = options
    found = arguments_of(loading.convert_cleanly())
    assert found["copy_options"] == expected
    assert ("compression" in found) == (
        "GZIP" not in expected and source != {"compression": "none"}
    )


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"type": "CSV"}, {"delimiter": ",", "copy_options": ["ESCAPE"]}),
        ({"type": "CSV", "escapeChar": "\\"}, {"delimiter": ",", "copy_options": ["ESCAPE"]}),
        ({"type": "TSV"}, {"file_format": "tsv", "copy_options": ["ESCAPE"]}),
        ({"type": "Custom", "columnSeparator": "|"}, {"delimiter": "|"}),
        ({"type": "Custom", "columnSeparator": "\\001"}, {"delimiter": "\x01"}),
    ],
)
def test_a_format_goes_before_the_options(loading, arguments_of, statuses_of, form, expected):
    loading.add({"id": "Form", "column": ["id INT", "day STRING"], **form})
    loading.item("Source")["dataFormat"] = {"ref": "Form"}
    loading.item("Activity")["commandOptions"] = ["DELIMITER ';'", "EMPTYASNULL"]
    conversion = loading.convert_cleanly()
    found = arguments_of(conversion)
    for name in ("table", "s3_uri", "insert_mode"):
        found.pop(name)
    assert found == expected
    statuses = statuses_of(conversion)
    status, note = statuses["Activity", "commandOptions"]
    assert status is Status.EQUIVALENT
    assert "ignored" in note
    assert statuses["Source", "dataFormat"][0] is Status.APPROXIMATED
    assert statuses["Form", "column"][0] is Status.APPROXIMATED


def test_a_manifest(loading, arguments_of, statuses_of):
    loading.item("Source")["manifestFilePath"] = f"s3://b/{_TIME}.manifest"
    conversion = loading.convert_cleanly()
    found = arguments_of(conversion)
    time = "{{ dag_run.run_after.strftime('%Y-%m-%d') }}"
    assert (found["s3_uri"], found["manifest"]) == (f"s3://b/{time}.manifest", True)
    assert statuses_of(conversion)["Source", "directoryPath"][0] is Status.EQUIVALENT


def test_a_manifest_that_the_options_tell_of(loading, arguments_of):
    loading.item("Activity")["commandOptions"] = "MANIFEST"
    del loading.item("Source")["directoryPath"]
    loading.item("Source")["filePath"] = "s3://b/list"
    found = arguments_of(loading.convert_cleanly())
    assert found["s3_uri"] == "s3://b/list"
    assert found["copy_options"] == ["MANIFEST"]
    assert "manifest" not in found


@pytest.mark.parametrize(
    ("ratio", "options", "expected"),
    [
        ("0.25", [], 25),
        ("1", [], 100),
        (None, [], None),
        ("0.5", ["READRATIO 10"], None),
    ],
)
def test_a_table_of_dynamodb(loading, arguments_of, ratio, options, expected):
    loading.document["objects"].remove(loading.item("Source"))
    node = {"id": "Source", "type": "DynamoDBDataNode", "tableName": "items", "region": "us-east-1"}
    loading.add(node | ({"readThroughputPercent": ratio} if ratio else {}))
    if options:
        loading.item("Activity")["commandOptions"] = options
    found = arguments_of(loading.convert())
    assert (found["dynamodb_table"], found["source_region"]) == ("items", "us-east-1")
    assert found.get("read_ratio") == expected
    assert found.get("copy_options", []) == options


def test_a_ratio_that_the_run_knows(loading, arguments_of):
    loading.document["objects"].remove(loading.item("Source"))
    loading.document["parameters"].append({"id": "myRatio", "type": "Double", "default": "0.29"})
    loading.add(
        {
            "id": "Source",
            "type": "DynamoDBDataNode",
            "tableName": "items",
            "readThroughputPercent": "#{myRatio}",
        }
    )
    text = arguments_of(loading.convert())["read_ratio"]
    assert jinja2.Template(text).render(params={"myRatio": 0.29}) == "29"


def test_another_table_of_the_database(loading, arguments_of):
    loading.document["objects"].remove(loading.item("Source"))
    loading.add(
        {
            "id": "Source",
            "type": "RedshiftDataNode",
            "database": {"ref": "Base"},
            "schemaName": "incoming",
            "tableName": "orders",
        }
    )
    loading.item("Target")["schemaName"] = "sales"
    assert arguments_of(loading.convert_cleanly()) == {
        "table": "orders",
        "schema": "sales",
        "source_table": "incoming.orders",
        "insert_mode": "KEEP_EXISTING",
    }


def test_the_form_asks_for_a_cluster_that_no_address_tells(loading, tasks_of, statuses_of):
    base = loading.item("Base")
    del base["clusterId"], base["databaseName"]
    base["connectionString"] = "jdbc:postgresql://10.1.2.3:5439/sales?ssl=true"
    conversion = loading.convert()
    assert conversion.placeholders == ()
    (task,) = tasks_of(conversion).values()
    assert task["cluster_identifier"] == "{{ params.base_cluster_identifier }}"
    assert task["database"] == "sales"
    status, note = statuses_of(conversion)["Base", "connectionString"]
    assert status is Status.APPROXIMATED
    assert "the form asks for it" in note
    (param,) = (one for one in conversion.report.parameters if one.id == "base_cluster_identifier")
    assert param.status is Status.NEEDS_DECISION


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Activity": {"commandOptions": ["NOSUCH"]}}, "NOSUCH"),
        ({"Activity": {"commandOptions": ["CSV", "JSON 'auto'"]}}, "2 formats"),
        ({"Activity": {"commandOptions": ["CREDENTIALS 'x'"]}}, "keys can't be given"),
        ({"Activity": {"transformSql": "DELETE FROM staging"}}, "not as a query"),
        ({"Activity": {"insertMode": "REPLACE"}}, "insertMode"),
        ({"Activity": {"output": {"ref": "Source"}}}, "neither loads nor unloads"),
        ({"Base": {"databaseName": ""}}, "which database"),
        ({"Base": {"clusterId": ""}}, "names no cluster"),
        (
            {"Base": {"clusterId": None, "connectionString": "dw.example.com/d"}},
            "no address of JDBC",
        ),
        ({"Base": {"username": "#{*myPassword}"}}, "must come from a connection"),
        (
            {"Base": {"type": "JdbcDatabase", "connectionString": "c", "jdbcDriverClass": "d"}},
            "in no RedshiftDatabase",
        ),
    ],
)
def test_what_stays_a_placeholder(loading, changes, words):
    for object_id, fields in changes.items():
        item = loading.item(object_id)
        item.update(fields)
        for name in [name for name, value in item.items() if value is None]:
            del item[name]
    conversion = loading.convert()
    assert _is_placeholder(conversion)
    assert words in _reason(conversion)
    assert "Ec2InstanceOperator(" in conversion.dag_source


@pytest.mark.parametrize(
    "form",
    [
        {"type": "RegEx", "inputRegEx": "(.*)"},
        {"type": "CSV", "escapeChar": "/"},
        {"type": "Custom", "columnSeparator": "|", "recordSeparator": ";"},
        {"type": "Custom", "columnSeparator": "||"},
    ],
)
def test_formats_that_redshift_does_not_have(loading, form):
    loading.add({"id": "Form", **form})
    loading.item("Source")["dataFormat"] = {"ref": "Form"}
    assert _is_placeholder(loading.convert())


def test_a_retry_that_comes_too_late_is_told(loading):
    loading.item("Activity").update(insertMode="APPEND", retryDelay="1 day")
    (finding,) = loading.convert().findings
    assert "could be added twice" in finding.message
    loading.item("Activity")["insertMode"] = "TRUNCATE"
    loading.convert_cleanly()


def test_a_cluster_is_left_out_too(loading, statuses_of):
    loading.item("Computer").update(type="EmrCluster", releaseLabel="emr-7.9.0")
    conversion = loading.convert_cleanly()
    assert [task.operator for task in conversion.report.tasks] == ["RedshiftCopyOperator"]
    statuses = statuses_of(conversion)
    assert statuses["Computer", "type"] == (Status.DROPPED, "the work needs no cluster")
    assert Status.NEEDS_DECISION not in {status for status, _ in statuses.values()}


def test_a_computer_stays_as_long_as_anything_runs_on_it(loading, statuses_of):
    other = {"id": "Shell", "type": "ShellCommandActivity", "command": "ls"}
    loading.add(other | {"runsOn": {"ref": "Computer"}})
    conversion = loading.convert()
    operators = sorted(task.operator for task in conversion.report.tasks)
    assert operators == [
        "Ec2InstanceOperator",
        "Ec2TerminateInstanceOperator",
        "RedshiftCopyOperator",
        "ShellCommandOperator",
    ]
    assert statuses_of(conversion)["Computer", "type"][0] is Status.CARRIED_OVER


def test_two_databases(loading):
    loading.document["objects"].remove(loading.item("Source"))
    loading.add(
        loading.item("Base") | {"id": "Other", "clusterId": "other"},
        loading.item("Target") | {"id": "Source", "database": {"ref": "Other"}},
    )
    assert "through S3" in _reason(loading.convert())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "jdbc:redshift://dw.abc.us-west-2.redshift.amazonaws.com:5439/sales",
            {"cluster_identifier": "dw", "database": "sales", "region_name": "us-west-2"},
        ),
        (
            "#{myUrl}",
            {
                "cluster_identifier": "{{ params.myUrl.split('//')[1].split('.')[0] }}",
                "database": "{{ params.myUrl.split('/')[3].split('?')[0] }}",
            },
        ),
    ],
)
def test_a_connection_string(loading, tasks_of, statuses_of, address, expected):
    base = loading.item("Base")
    for name in ("clusterId", "databaseName", "region"):
        del base[name]
    base["connectionString"] = address
    loading.document["parameters"].append({"id": "myUrl", "type": "String"})
    conversion = loading.convert_cleanly()
    task = tasks_of(conversion)["load_orders"]
    assert {name: task.get(name) for name in expected} == expected
    assert task["db_user"] == "loader"
    status, note = statuses_of(conversion)["Base", "connectionString"]
    assert status is Status.APPROXIMATED
    assert "another account" in note


def test_a_workgroup_takes_no_user(loading, tasks_of, statuses_of):
    base = loading.item("Base")
    del base["clusterId"]
    host = "wg.123456789012.us-east-1.redshift-serverless.amazonaws.com"
    base["connectionString"] = f"jdbc:redshift://{host}:5439/dev"
    conversion = loading.convert_cleanly()
    task = tasks_of(conversion)["load_orders"]
    assert task["workgroup_name"] == "wg"
    assert not task.keys() & {"db_user", "cluster_identifier"}
    assert "secret_arn" in statuses_of(conversion)["Base", "username"][1]


def test_an_unload(unloading, arguments_of, tasks_of, statuses_of):
    conversion = unloading.convert_cleanly()
    assert tasks_of(conversion)["load_orders"]["operator"] == "RedshiftUnloadOperator"
    assert arguments_of(conversion) == {
        "table": "orders",
        "s3_uri": "s3://b/out/{{ dag_run.run_after.strftime('%Y-%m-%d') }}",
        "file_format": "text",
        "parallel": False,
    }
    assert statuses_of(conversion)["Activity", "insertMode"][0] is Status.DROPPED


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["GZIP", "ADDQUOTES"], {"compression": "gzip", "add_quotes": True}),
        ("DELIMITER AS ',' NULL AS 'it''s' ESCAPE", {"delimiter": ",", "null_as": "it's"}),
        ("ALLOWOVERWRITE PARALLEL ON", {"if_exists": "replace", "parallel": True}),
        ("MANIFEST VERBOSE HEADER", {"manifest": "verbose", "header": True}),
        ("FORMAT AS PARQUET", {"file_format": "parquet"}),
    ],
)
def test_options_of_an_unload(unloading, arguments_of, options, expected):
    unloading.item("Activity")["commandOptions"] = options
    found = arguments_of(unloading.convert_cleanly())
    assert {name: found[name] for name in expected} == expected


def test_an_unload_with_a_format(unloading, arguments_of):
    unloading.add({"id": "Form", "type": "CSV"})
    unloading.item("Source").update(dataFormat={"ref": "Form"}, compression="gzip")
    found = arguments_of(unloading.convert_cleanly())
    assert (found["delimiter"], found["escape"], found["compression"]) == (",", True, "gzip")


@pytest.mark.parametrize(
    ("name", "value"), [("commandOptions", "ENCRYPTED"), ("transformSql", "SELECT 1")]
)
def test_unloads_that_stay_placeholders(unloading, name, value):
    unloading.item("Activity")[name] = value
    assert _is_placeholder(unloading.convert())


def test_an_unload_to_a_fixed_place_is_told(unloading):
    unloading.item("Source")["directoryPath"] = "s3://b/out"
    (finding,) = unloading.convert().findings
    assert "same place" in finding.message


_OPTIONS = st.sampled_from(
    ["CSV", "GZIP", "IGNOREHEADER 1", "DELIMITER '|'", "EMPTYASNULL", "NULL AS 'x'", "JSON 'auto'"]
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.fixed_dictionaries(
        {
            "options": st.lists(_OPTIONS, unique=True),
            "mode": st.sampled_from(["APPEND", "TRUNCATE", "KEEP_EXISTING", "OVERWRITE_EXISTING"]),
            "table": st.text(
                st.characters(codec="utf-8", exclude_characters="\0#"), min_size=1, max_size=20
            ),
            "compression": st.sampled_from(["none", "gzip"]),
        }
    )
)
def test_no_field_goes_unaccounted_and_the_operator_takes_all_arguments(loading, tasks_of, case):
    activity, source, target = (loading.item(one) for one in ("Activity", "Source", "Target"))
    activity["insertMode"] = case["mode"]
    activity["commandOptions"] = case["options"]
    target["tableName"] = case["table"]
    source["compression"] = case["compression"]
    conversion = loading.convert()
    if conversion.failed:
        return
    for task in tasks_of(conversion).values():
        if task.pop("operator") == "RedshiftCopyOperator":
            task |= {"execution_timeout": None, "s3_uri": "s3://bucket/in/"}
            # Braces and a line break at the end of a name are templates.
            task["table"] = jinja2.Template(task["table"]).render()
            RedshiftCopyOperator(task_id="t", **task).check()
    rows = {(one.object_id, one.field): one for one in conversion.report.fields}
    written = {
        (one["id"], name)
        for one in loading.document["objects"]
        for name, value in one.items()
        if name not in {"id", "name"} and value not in ("", [])
    }
    assert written <= rows.keys()
    assert not any("has no rule" in one.note for one in rows.values())
