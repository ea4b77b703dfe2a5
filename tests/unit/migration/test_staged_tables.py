"""Pig and Hive between tables of a database: the tasks around the step."""

from datetime import UTC, datetime

import jinja2
import pytest

from updraft.datapipeline.query_columns import pig_columns
from updraft.migration.ledger import Status
from updraft.operators.copy_formats import row_format
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

_ORDERS = {
    "id": "Orders",
    "type": "SqlDataNode",
    "database": {"ref": "Shop"},
    "table": "orders",
    "selectQuery": "SELECT id, amount FROM #{table}",
}
_SCORES = {
    "id": "Scores",
    "type": "MySqlDataNode",
    "connectionString": "jdbc:mysql://db.example.com/scores",
    "table": "scores",
    "insertQuery": "INSERT INTO #{table} VALUES (?, ?)",
}
_LOGIN = {"username": "scores", "*password": "hunter2"}
_SHOP = {
    "id": "Shop",
    "type": "JdbcDatabase",
    "connectionString": "jdbc:postgresql://db.example.com/shop",
    "jdbcDriverClass": "org.postgresql.Driver",
    **_LOGIN,
}
_SCRIPT = "${output1} = FILTER ${input1} BY amount > 2;"


@pytest.fixture
def scoring(definition):
    """Let Pig work in place of the shared definition's export."""

    def make(source="Orders", target="Scores", **fields):
        item = definition.item("ExportActivity")
        del item["step"]
        item.update(
            id="Activity",
            name="Score",
            type="PigActivity",
            input={"ref": source},
            output={"ref": target},
            **{"stage": "true", "script": _SCRIPT} | fields,
        )
        definition.add(dict(_ORDERS), dict(_SCORES), dict(_SHOP))
        lines = {"id": "Lines", "type": "TSV", "column": ["id INT", "amount INT"]}
        definition.add(lines)
        definition.item("Backup")["dataFormat"] = {"ref": "Lines"}
        return definition

    return make


@pytest.fixture
def converted(tasks_of):
    """Convert, and give the tasks but those of the cluster, in the order of the DAG."""

    def convert(definition):
        conversion = definition.convert()
        assert all(task.migrated for task in conversion.report.tasks)
        tasks = tasks_of(conversion)
        return {name: one for name, one in tasks.items() if name.startswith("score")}

    return convert


def _script(task):
    *_, last = task["steps"]
    return last["HadoopJarStep"]["Args"][4].splitlines()


def test_rows_go_through_files_before_and_after_the_step(scoring, converted):
    tasks = converted(scoring())
    assert list(tasks) == ["score_read_input1", "score_pig", "score"]
    read, step, load = tasks.values()
    assert read["operator"] == "CopySqlToS3Operator"
    assert read["query"] == "SELECT id, amount FROM orders"
    assert read["sql_conn_id"] == "shop"
    assert load["operator"] == "CopyS3ToSqlOperator"
    assert load["insert_query"] == "INSERT INTO scores VALUES (?, ?)"
    assert load["sql_conn_id"] == "scores"
    source, folder = (task["s3_uri"].rpartition("/")[0] for task in (read, load))
    assert _script(step) == [
        f"input1 = LOAD '{source}' USING PigStorage('\\u0001') AS "
        "({{ macros.updraft.pigColumns(ti.xcom_pull(task_ids='score_read_input1')['columns']) }});",
        _SCRIPT,
        f"STORE output1 INTO '{folder}' USING PigStorage('\\u0001');",
    ]
    # Pig writes to no directory that is there, as it is after a try that failed.
    remove, _ = step["steps"]
    assert remove["HadoopJarStep"]["Args"] == [
        *("hadoop", "fs", "-rm", "-r", "-f", "-skipTrash"),
        folder,
    ]
    assert step["retry_from"] == "first_step"


def test_the_names_of_the_columns_come_from_the_query(scoring, converted):
    step = converted(scoring(target="Backup"))["score"]
    load, *_ = _script(step)

    class Instance:
        def xcom_pull(self, task_ids):
            assert task_ids == "score_read_input1"
            return {"columns": ["id", "amount"]}

    context = {
        "macros": {"updraft": {"pigColumns": pig_columns}},
        "ti": Instance(),
        "params": {"staging_s3_uri": "s3://b"},
        "dag_run": {"run_after": datetime(2026, 1, 1, tzinfo=UTC)},
    }
    assert jinja2.Template(load).render(context).endswith("PigStorage('\\u0001') AS (id, amount);")


def test_a_format_tells_the_types(scoring, converted):
    definition = scoring(target="Backup")
    definition.item("Orders")["dataFormat"] = {"ref": "Lines"}
    load, *_ = _script(converted(definition)["score"])
    assert load.endswith(" AS (id:int, amount:int);")


@pytest.mark.parametrize("argument", ["score_read_input1", "score"])
def test_both_sides_agree_on_the_format(scoring, converted, argument):
    task = converted(scoring())[argument]
    form = row_format("file_format", task["file_format"], task["file_format_options"])
    text = "1\x01a,b\t\\n\n2\x01\n"  # as PigStorage writes 2 and null
    rows = [tuple(record.values) for record in form.read([text])]
    assert rows == [("1", "a,b\t\\n"), ("2", None)]
    assert "".join(form.write(rows)) == text


def test_the_operators_take_their_arguments(scoring, converted):
    read, _, load = converted(scoring()).values()
    for kind, task in ((CopySqlToS3Operator, read), (CopyS3ToSqlOperator, load)):
        arguments = {name: one for name, one in task.items() if name != "operator"}
        operator = kind(task_id="t", **arguments)
        assert {name: getattr(operator, name) for name in arguments} == arguments


def test_a_load_that_is_last_keeps_the_cluster_and_its_order(scoring):
    source = scoring().convert().dag_source
    order = "cluster >> score_read_input1 >> score_pig >> score >> cluster_terminate"
    assert order in " ".join(source.split())


def test_a_script_in_s3_stages_every_table(scoring, converted):
    definition = scoring(scriptUri="s3://b/s.pig")
    del definition.item("Activity")["script"]
    _, step, _ = converted(definition).values()
    arguments = step["steps"][-1]["HadoopJarStep"]["Args"]
    assert arguments[4].startswith("input1 = LOAD")
    assert arguments[5] == "s3://b/s.pig"
    assert arguments[6].startswith("STORE output1 INTO")
    names = [one for one in arguments if "=" in one and one[:5] in {"input", "INPUT"}]
    assert names[-2:] == ["input1=input1", "INPUT1=input1"]


def test_several_tables(scoring, converted):
    definition = scoring(script="${output1} = ${input1}; ${output2} = ${input2};")
    definition.add({**_SCORES, "id": "Others"}, {**_ORDERS, "id": "Returns"})
    activity = definition.item("Activity")
    activity.update(
        input=[{"ref": "Orders"}, {"ref": "Returns"}],
        output=[{"ref": "Scores"}, {"ref": "Others"}],
    )
    assert list(converted(definition)) == [
        *("score_read_input1", "score_read_input2", "score_pig"),
        *("score_load_output1", "score"),
    ]


def test_tables_that_nothing_stages(scoring, converted):
    definition = scoring(stage="false", script="fs -ls /;")
    assert list(converted(definition)) == ["score"]


def test_the_report_says_how_it_differs(scoring, statuses_of):
    conversion = scoring().convert()
    statuses = statuses_of(conversion)
    status, note = statuses["Activity", "stage"]
    assert status is Status.APPROXIMATED
    assert "no types" in note
    assert "Scores gets NULL for an empty text" in note
    assert statuses["Activity", "type"][0] is Status.EQUIVALENT
    assert statuses["Activity", "script"][0] is Status.CARRIED_OVER
    assert [one.field for one in conversion.findings] == ["stage"]
    assert "hunter2" not in conversion.dag_source


@pytest.mark.parametrize(
    ("node", "changes", "words"),
    [
        ("Orders", {"database": []}, "Orders names no database"),
        ("Scores", {"insertQuery": "INSERT INTO t VALUES (1)"}, "has no question marks"),
        (
            "Scores",
            {"connectionString": "jdbc:redshift://x.redshift.amazonaws.com/d"},
            "Scores is in Redshift",
        ),
    ],
)
def test_tables_that_can_not_be_reached(scoring, node, changes, words):
    definition = scoring()
    definition.item(node).update(changes)
    conversion = definition.convert()
    (task,) = (one for one in conversion.report.tasks if one.object_id == "Activity")
    assert not task.migrated
    assert words in task.reason


def test_rows_of_redshift(scoring):
    definition = scoring()
    definition.add({"id": "House", "type": "RedshiftDatabase", "clusterId": "c"} | _LOGIN)
    orders = definition.item("Orders")
    orders.update(type="RedshiftDataNode", database={"ref": "House"}, tableName="orders")
    del orders["selectQuery"]
    del orders["table"]
    conversion = definition.convert()
    (task,) = (one for one in conversion.report.tasks if one.object_id == "Activity")
    assert "Orders is a RedshiftDataNode, whose rows" in task.reason


def test_times_that_pig_would_lose(scoring):
    definition = scoring()
    definition.item("Orders")["dataFormat"] = {"ref": "Lines"}
    definition.item("Lines")["column"] = ["id INT", "day TIMESTAMP"]
    conversion = definition.convert()
    (task,) = (one for one in conversion.report.tasks if one.object_id == "Activity")
    assert "day TIMESTAMP" in task.reason


@pytest.fixture
def hive(scoring, converted):
    """Let Hive work between the same tables, and give its tasks."""

    def make(**changes):
        definition = scoring()
        activity = definition.item("Activity")
        del activity["script"]
        activity.update(
            type="HiveActivity",
            hiveScript="INSERT INTO TABLE ${output1} SELECT id, amount FROM ${input1}",
        )
        for object_id, fields in changes.items():
            definition.item(object_id).update(fields)
        return definition

    return make


def test_hive_gets_tables_over_the_files(hive, converted):
    tasks = converted(hive())
    assert list(tasks) == ["score_read_input1", "score_hive", "score"]
    read, step, load = tasks.values()
    source, folder = (task["s3_uri"].rpartition("/")[0] for task in (read, load))
    remove, work = (one["HadoopJarStep"]["Args"] for one in step["steps"])
    assert remove[-1] == folder
    *options, text = work
    assert options == ["hive", "-d", "input1=score_input1", "-d", "output1=score_output1", "-e"]
    lines = text.splitlines()
    names = (
        "{{ macros.updraft.hiveColumns(ti.xcom_pull(task_ids='score_read_input1')['columns']) }}"
    )
    assert f"CREATE EXTERNAL TABLE score_input1 ({names})" in lines
    assert f"LOCATION '{source}/';" in lines
    # The INSERT of the target has two question marks.
    assert "CREATE EXTERNAL TABLE score_output1 (`column1` STRING, `column2` STRING)" in lines
    assert f"LOCATION '{folder}/';" in lines
    assert lines.count("FIELDS TERMINATED BY '\\001'") == 2
    for task in (read, load):
        assert task["file_format_options"]["null_text"] == r"\N"


def test_a_format_tells_hive_the_columns(hive, converted):
    definition = hive(
        Orders={"dataFormat": {"ref": "Lines"}},
        Scores={"dataFormat": {"ref": "Lines"}, "insertQuery": []},
    )
    text = converted(definition)["score_hive"]["steps"][-1]["HadoopJarStep"]["Args"][-1]
    assert text.count("(`id` INT, `amount` INT)") == 2


def test_times_and_formats_of_tables_in_the_report(hive, statuses_of):
    definition = hive(Orders={"dataFormat": {"ref": "Lines"}})
    definition.item("Lines")["column"] = ["id INT", "day TIMESTAMP"]
    statuses = statuses_of(definition.convert())
    assert "a time of Orders that has a zone is NULL" in statuses["Activity", "stage"][1]
    assert statuses["Orders", "dataFormat"][0] is Status.CARRIED_OVER


def test_a_format_that_only_the_load_has(scoring, statuses_of):
    definition = scoring()
    definition.item("Scores")["dataFormat"] = {"ref": "Lines"}
    assert statuses_of(definition.convert())["Scores", "dataFormat"][0] is Status.DROPPED
    # It tells the columns to those that read the table.
    other = dict(definition.item("Activity"), id="Other", input={"ref": "Scores"}, output=[])
    definition.add(other | {"script": "DUMP ${input1};"})
    definition.item("Scores")["selectQuery"] = "SELECT * FROM scores"
    assert statuses_of(definition.convert())["Scores", "dataFormat"][0] is Status.CARRIED_OVER


def test_a_table_whose_width_nobody_knows(hive):
    conversion = hive(Scores={"insertQuery": []}).convert()
    (task,) = (one for one in conversion.report.tasks if one.object_id == "Activity")
    assert not task.migrated
    assert "how many columns" in task.reason
