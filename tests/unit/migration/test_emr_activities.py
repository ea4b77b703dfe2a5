"""Activities that run as steps on a cluster: of each type what it runs, and in which order."""

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.datapipeline.steps import join_step
from updraft.migration.ledger import Status

_TIME = "{{ dag_run.run_after.strftime('%Y') }}"
_FORMAT = "#{format(@scheduledStartTime,'YYYY')}"
_SCRIPT = {"id": "Script", "type": "ShellScriptConfig", "scriptUri": "s3://b/s.sh"}
_RUNNER = "s3://eu-west-1.elasticmapreduce/libs/script-runner/script-runner.jar"


@pytest.fixture
def activity(definition):
    """Make another activity of the shared definition's, and give its steps after conversion."""

    def make(object_type, **fields):
        item = definition.item("ExportActivity")
        del item["step"]
        item.update(id="Activity", name="Work", type=object_type, **fields)
        return definition

    return make


@pytest.fixture
def steps_of(tasks_of):
    """Give the steps of the activity as pairs of JAR and arguments."""

    def steps(conversion):
        found = tasks_of(conversion)["work"]["steps"]
        return [
            (one["HadoopJarStep"]["Jar"], one["HadoopJarStep"].get("Args", [])) for one in found
        ]

    return steps


def _reason(conversion):
    return next(
        one.note
        for one in conversion.report.fields
        if (one.object_id, one.field) == ("Activity", "type")
    )


def test_steps_commands_and_their_order(activity, tasks_of, steps_of):
    definition = activity(
        "EmrActivity",
        preStepCommand="echo 'a' > /tmp/x && ls",
        step=[f"s3://b/one.jar,low\\\\,high,{_FORMAT}", "s3://b/two.jar"],
        postStepCommand=["one", "two"],
    )
    conversion = definition.convert_cleanly()
    assert steps_of(conversion) == [
        ("command-runner.jar", ["bash", "-c", "echo 'a' > /tmp/x && ls"]),
        ("s3://b/one.jar", ["low,high", _TIME]),
        ("s3://b/two.jar", []),
        ("command-runner.jar", ["bash", "-c", "one"]),
        ("command-runner.jar", ["bash", "-c", "two"]),
    ]
    steps = tasks_of(conversion)["work"]["steps"]
    assert [one["Name"] for one in steps] == [f"Work {index}/5" for index in range(1, 6)]
    assert [one["ActionOnFailure"] for one in steps] == ["CANCEL_AND_WAIT"] * 4 + ["CONTINUE"]


_ARGUMENT = st.text(st.characters(codec="ascii", exclude_characters="\\#\0"), max_size=9)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_ARGUMENT, min_size=1, max_size=4))
def test_any_arguments_arrive_to_the_letter(definition, tasks_of, arguments):
    step = join_step(["s3://b/one.jar", *arguments])
    definition.item("ExportActivity").update(name="Work", step=step)
    (step,) = tasks_of(definition.convert())["work"]["steps"]
    rendered = [
        jinja2.Template(one, keep_trailing_newline=False).render()
        for one in step["HadoopJarStep"]["Args"]
    ]
    assert rendered == arguments


def test_a_rewritten_jar_is_a_line_of_the_report(activity, steps_of, statuses_of):
    definition = activity(
        "EmrActivity", step="/home/hadoop/contrib/streaming/hadoop-streaming.jar,-input,s3n://b/i"
    )
    conversion = definition.convert_cleanly()
    expected = ["hadoop-streaming", "-input", "s3://b/i"]
    assert steps_of(conversion) == [("command-runner.jar", expected)]
    status, note = statuses_of(conversion)["Activity", "step"]
    assert status is Status.EQUIVALENT
    assert "command-runner.jar hadoop-streaming" in note
    assert "s3n://" in note


def test_hadoop(activity, tasks_of, steps_of, statuses_of):
    definition = activity(
        "HadoopActivity",
        jarUri="s3://b/j.jar",
        mainClass="org.Main",
        argument=["in", _FORMAT],
        hadoopQueue="high",
        preActivityTaskConfig={"ref": "Script"},
        postActivityTaskConfig={"ref": "Script"},
    )
    definition.add({**_SCRIPT, "scriptArgument": ["a", "b c"]})
    conversion = definition.convert_cleanly()
    script = (_RUNNER, ["s3://b/s.sh", "a", "b c"])
    job = ("s3://b/j.jar", ["-D", "mapreduce.job.queuename=high", "in", _TIME])
    assert steps_of(conversion) == [script, job, script]
    assert tasks_of(conversion)["work"]["steps"][1]["HadoopJarStep"]["MainClass"] == "org.Main"
    for name in ("scriptUri", "scriptArgument"):
        assert statuses_of(conversion)["Script", name][0] is Status.CARRIED_OVER


def test_hive_without_staging(activity, steps_of):
    definition = activity(
        "HiveActivity",
        hiveScript="SELECT '#{myTable}';\nSELECT 1;",
        scriptVariable=["A=1", f"B={_FORMAT}"],
        stage="false",
        hadoopQueue="q",
    )
    (step,) = steps_of(definition.convert_cleanly())
    jar, arguments = step
    assert jar == "command-runner.jar"
    assert arguments == [
        "hive",
        "-d",
        "A=1",
        "-d",
        f"B={_TIME}",
        "--hiveconf",
        "mapreduce.job.queuename=q",
        "--hiveconf",
        "tez.queue.name=q",
        "-e",
        "SELECT '{{ params.myTable }}';\nSELECT 1;",
    ]


@pytest.fixture
def staged(definition):
    """Give both data nodes of the shared definition a form that Hive and Pig read."""
    table = definition.item("Table")
    table.clear()
    table.update(
        id="Table",
        type="S3DataNode",
        directoryPath="s3://b/it's/#{myTable}/",
        dataFormat={"ref": "Lines"},
    )
    definition.item("Backup")["dataFormat"] = {"ref": "Lines"}
    definition.add({"id": "Lines", "type": "TSV", "column": ["a STRING", "b INT"]})
    return definition


def test_hive_with_tables(staged, activity, steps_of, statuses_of):
    activity(
        "HiveActivity", hiveScript="INSERT OVERWRITE TABLE ${output1} SELECT a, b FROM ${input1}"
    )
    conversion = staged.convert_cleanly()
    ((_, arguments),) = steps_of(conversion)
    *options, text = arguments
    assert options == ["hive", "-d", "input1=work_input1", "-d", "output1=work_output1", "-e"]
    assert text.splitlines() == [
        "DROP TABLE IF EXISTS work_input1;",
        "CREATE EXTERNAL TABLE work_input1 (`a` STRING, `b` INT)",
        "ROW FORMAT DELIMITED",
        "FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\'",
        "LINES TERMINATED BY '\\n'",
        "STORED AS TEXTFILE",
        "LOCATION 's3://b/it\\'s/{{ params.myTable }}/';",
        "DROP TABLE IF EXISTS work_output1;",
        "CREATE EXTERNAL TABLE work_output1 (`a` STRING, `b` INT)",
        "ROW FORMAT DELIMITED",
        "FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\'",
        "LINES TERMINATED BY '\\n'",
        "STORED AS TEXTFILE",
        "LOCATION '{{ params.myBackup }}/{{ dag_run.run_after.strftime('%Y-%m-%d') }}';",
        "INSERT OVERWRITE TABLE ${output1} SELECT a, b FROM ${input1}",
        ";",
        "DROP TABLE IF EXISTS work_input1;",
        "DROP TABLE IF EXISTS work_output1;",
    ]
    statuses = statuses_of(conversion)
    assert statuses["Lines", "column"][0] is Status.CARRIED_OVER
    assert statuses["Lines", "type"][0] is Status.EQUIVALENT
    assert statuses["Table", "dataFormat"][0] is Status.CARRIED_OVER
    assert statuses["Activity", "type"][0] is Status.APPROXIMATED


def test_a_script_in_s3_finds_its_tables(staged, activity, steps_of):
    activity("HiveActivity", scriptUri="s3://b/q.hql", stage="true")
    create, run, drop = steps_of(staged.convert_cleanly())
    assert create[1][:2] == ["hive", "-e"]
    assert run[1] == [
        *("hive-script", "--run-hive-script", "--args", "-f", "s3://b/q.hql"),
        *("-d", "input1=work_input1", "-d", "output1=work_output1"),
    ]
    assert drop[1][-1].startswith("DROP TABLE")


def test_a_single_file_is_copied_first(staged, activity, steps_of):
    table = staged.item("Table")
    del table["directoryPath"]
    table["filePath"] = "s3://b/in.tsv"
    activity("HiveActivity", hiveScript="SELECT * FROM ${input1};")
    copy, run = steps_of(staged.convert_cleanly())
    assert copy[1][-2:] == ["s3://b/in.tsv", "hdfs:///updraft/work_input1/"]
    assert "LOCATION 'hdfs:///updraft/work_input1/'" in run[1][-1]


def test_pig_with_relations(staged, activity, steps_of):
    activity(
        "PigActivity",
        script="${output1} = FILTER ${INPUT1} BY b > $least;",
        scriptVariable="least=2",
        stage="true",
    )
    ((_, arguments),) = steps_of(staged.convert_cleanly())
    assert arguments[4].splitlines() == [
        "input1 = LOAD 's3://b/it\\'s/{{ params.myTable }}/' USING PigStorage('\\t') AS "
        "(a:chararray, b:int);",
        "${output1} = FILTER ${INPUT1} BY b > $least;",
        "STORE output1 INTO '{{ params.myBackup }}/"
        "{{ dag_run.run_after.strftime('%Y-%m-%d') }}' USING PigStorage('\\t');",
    ]
    expected = ["-p", "output1=output1", "-p", "INPUT1=input1", "-p", "least=2"]
    assert arguments[5:] == expected


def test_pig_without_staging(activity, steps_of):
    definition = activity("PigActivity", scriptUri="s3://b/s.pig", scriptVariable="A=1")
    definition.item("Activity")["stage"] = "false"
    ((_, arguments),) = steps_of(definition.convert_cleanly())
    expected = ["pig-script", "--run-pig-script", "--args", "-f", "s3://b/s.pig", "-p", "A=1"]
    assert arguments == expected


@pytest.mark.parametrize("escapes", ["\\", "\\\\"])
def test_a_pattern_may_be_escaped_once_or_twice(staged, activity, steps_of, escapes):
    lines = staged.item("Lines")
    lines.update(type="RegEx", inputRegEx=f"({escapes}S+) ({escapes}d+)")
    activity("HiveActivity", hiveScript="SELECT * FROM ${input1};")
    staged.item("Activity")["output"] = []
    ((_, arguments),) = steps_of(staged.convert())
    assert r"'input.regex' = '(\\S+) (\\d+)'" in arguments[-1]


@pytest.mark.parametrize(
    ("described", "changes", "words"),
    [
        (("HiveActivity", {"hiveScript": "${input2}"}), {}, "its script uses ${input2}"),
        (("HiveActivity", {"hiveScript": "${input1}"}), {"dataFormat": []}, "no data format lists"),
        (
            ("HiveActivity", {"hiveScript": "${input1}"}),
            {"type": "SqlDataNode", "table": "t"},
            "Table names no database",
        ),
        (
            ("HiveActivity", {"hiveScript": "x", "stage": "#{myTable}"}),
            {},
            "neither true nor false",
        ),
        (("HiveActivity", {"hiveScript": "x" * 10_241}), {}, "more than 10,240 characters"),
        (("HadoopActivity", {"jarUri": "s3://b/j.jar", "runsOn": []}), {}, "it runs on nothing"),
        (("EmrActivity", {"step": []}), {}, "it has no step"),
        (
            ("EmrActivity", {"step": "command-runner.jar,hive-script,--install-hive"}),
            {},
            "nothing is left to run",
        ),
    ],
)
def test_what_can_not_be_kept_is_a_placeholder(staged, activity, described, changes, words):
    object_type, fields = described
    activity(object_type, **fields)
    staged.item("Table").update(changes)
    conversion = staged.convert()
    assert words in _reason(conversion)
    (task,) = (one for one in conversion.report.tasks if one.object_id == "Activity")
    assert not task.migrated


def test_steps_of_a_worker_group_run_on_a_cluster_that_the_form_asks_for(
    activity, tasks_of, statuses_of
):
    group = {"runsOn": [], "workerGroup": "etl 1"}
    definition = activity("HadoopActivity", jarUri="s3://b/j.jar", **group)
    definition.add(dict(definition.item("Activity"), id="Other", name="Other"))
    conversion = definition.convert()
    assert conversion.placeholders == ()
    tasks = tasks_of(conversion)
    for task_id in ("work", "other"):
        assert tasks[task_id]["cluster_id"] == "{{ params.etl_1_cluster_id }}"
    assert conversion.dag_source.count('"etl_1_cluster_id": Param(') == 1
    status, note = statuses_of(conversion)["Activity", "workerGroup"]
    assert status is Status.APPROXIMATED
    assert "the form asks for the cluster" in note


@pytest.fixture
def copying(activity, definition):
    """Let Hive copy whole items to S3."""
    activity("HiveCopyActivity")
    for name in ("Table", "Backup"):
        definition.item(name)["dataFormat"] = {"ref": "Whole"}
    definition.add({"id": "Whole", "type": "DynamoDBExportDataFormat", "column": "id STRING"})
    return definition


def test_a_copy_of_picked_items_is_done_by_hive(copying, steps_of):
    copying.item("Activity")["filterSql"] = "id > 'm'"
    ((_, arguments),) = steps_of(copying.convert_cleanly())
    text = arguments[-1]
    assert "work_input1 (`item` MAP<STRING,STRING>, `id` STRING)" in text
    assert "'dynamodb.throughput.read.percent' = '0.5'" in text
    assert "work_output1 (`item` MAP<STRING,STRING>)" in text
    assert (
        "INSERT OVERWRITE TABLE work_output1\nSELECT `item` FROM work_input1\nWHERE id > 'm';"
        in text
    )


def test_a_copy_of_listed_attributes_is_done_by_hive(copying, steps_of):
    copying.item("Whole")["type"] = "DynamoDBDataFormat"
    copying.item("Backup")["dataFormat"] = {"ref": "Csv"}
    copying.add({"id": "Csv", "type": "CSV", "column": "key STRING"})
    ((_, arguments),) = steps_of(copying.convert_cleanly())
    assert "SELECT `id` FROM work_input1;" in arguments[-1]
    assert "work_output1 (`key` STRING)" in arguments[-1]


def test_scripts_around_a_copy(copying, steps_of):
    copying.item("Activity")["preActivityTaskConfig"] = {"ref": "Script"}
    copying.add(_SCRIPT)
    script, copy = steps_of(copying.convert_cleanly())
    assert script == (_RUNNER, ["s3://b/s.sh"])
    assert "WHERE" not in copy[1][-1]


def test_items_in_files_have_no_columns_to_filter_by(copying):
    item = copying.item("Activity")
    item["input"], item["output"] = item["output"], item["input"]
    item["filterSql"] = "id > 3"
    assert "each item is one column" in _reason(copying.convert())


@pytest.mark.parametrize(
    ("object_type", "fields"),
    [
        ("EmrActivity", {"step": "s3://b/j.jar,jdbc:mysql://h/d?password=hunter2"}),
        ("EmrActivity", {"step": "s3://b/j.jar", "preStepCommand": "x --password=hunter2"}),
        ("HadoopActivity", {"jarUri": "s3://b/j.jar", "argument": "mysql://u:hunter2@h/d"}),
        ("HiveActivity", {"hiveScript": "SET x='jdbc:a://h?password=hunter2';", "stage": "false"}),
    ],
)
def test_a_password_stands_in_no_dag(activity, object_type, fields):
    conversion = activity(object_type, **fields).convert()
    assert "a password stands in" in _reason(conversion)
    assert "hunter2" not in conversion.dag_source
    assert "hunter2" not in conversion.report.to_markdown()
