import ast
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from updraft.migration.constants import with_constants
from updraft.migration.source_values import LINE_LENGTH, script
from updraft.migration.tasks import Code, DagSpec, TaskOutput, TaskSpec

VOLUMES = {"EbsOptimized": True, "EbsBlockDeviceConfigs": [{"VolumesPerInstance": 2, "Size": 500}]}
SQL = "BEGIN;\nDELETE FROM sales;\nINSERT INTO sales SELECT * FROM staged;\nCOMMIT;\n"


def dag(**arguments):
    tasks = tuple(
        TaskSpec(task_id, task_id, "SqlActivity", "some.Operator", given, "does something")
        for task_id, given in arguments.items()
    )
    return DagSpec(
        "d", "t", "d.json", tasks, {}, (), "By hand.", {}, 1, 2, Code("timedelta(minutes=10)")
    )


def arguments_of(dag, task_id):
    return next(task.arguments for task in dag.tasks if task.task_id == task_id)


def sources(constants):
    return {one.name: ast.literal_eval(one.source) for one in constants}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_a_script_is_the_same_text(text):
    assert ast.literal_eval(script(text)) == text


@given(st.text(st.sampled_from("ab \\\"'{}\n\t\r\u2028"), max_size=300))
def test_a_script_of_quotes_and_backslashes_is_the_same_text(text):
    written = script(text)
    assert ast.literal_eval(written) == text
    assert all(len(line) <= LINE_LENGTH + len('"""') for line in written.split("\n"))
    assert not any(line != line.rstrip() for line in written.split("\n"))


def test_a_script_stands_before_the_dag_under_the_name_of_its_task():
    changed, constants = with_constants(dag(sum_up={"sql": SQL, "conn_id": "warehouse"}))

    assert sources(constants) == {"SUM_UP_SQL": SQL}
    assert arguments_of(changed, "sum_up") == {"sql": Code("SUM_UP_SQL"), "conn_id": "warehouse"}


def test_a_short_text_stays_where_it_is():
    given = dag(sum_up={"sql": "DELETE FROM sales;\nCOMMIT;"})
    assert with_constants(given) == (given, ())


def test_a_script_that_two_tasks_share_stands_once():
    changed, constants = with_constants(dag(a={"sql": SQL}, b={"sql": SQL}))

    assert sources(constants) == {"SQL": SQL}
    assert arguments_of(changed, "b") == {"sql": Code("SQL")}


def test_what_stands_repeatedly_is_named_by_its_key():
    groups = [{"Name": name, "EbsConfiguration": VOLUMES} for name in ("Core", "Task")]
    changed, constants = with_constants(dag(cluster={"groups": groups}))

    assert sources(constants) == {"EBS_CONFIGURATION": VOLUMES}
    assert arguments_of(changed, "cluster") == {
        "groups": [
            {"Name": name, "EbsConfiguration": Code("EBS_CONFIGURATION")}
            for name in ("Core", "Task")
        ]
    }


def test_the_same_security_groups_have_one_name():
    groups = ["{{ params.a_group_with_a_long_name }}", "{{ params.a_group_with_another_name }}"]
    cluster = {"AdditionalMasterSecurityGroups": groups}
    _, constants = with_constants(dag(cluster=cluster, host={"security_group_ids": groups}))
    assert sources(constants) == {"SECURITY_GROUPS": groups}


def test_what_one_task_writes_and_others_read_is_named_after_the_one():
    folder = ["s3://acme-marketing/campaigns/{{ data_interval_start.format('YYYY-MM-DD') }}/"]
    changed, constants = with_constants(dag(plan={"outputs": folder}, run={"inputs": folder}))

    assert sources(constants) == {"PLAN_OUTPUTS": folder}
    assert arguments_of(changed, "run") == {"inputs": Code("PLAN_OUTPUTS")}


def test_a_script_needs_no_line_break_at_its_end():
    _, constants = with_constants(dag(a={"command": SQL.rstrip() + "{{ '\\n' }}"}))
    assert sources(constants) == {"A_COMMAND": SQL.rstrip()}


def test_of_what_stands_repeatedly_the_largest_is_named():
    group = {"Name": "Core", "EbsConfiguration": VOLUMES}
    changed, constants = with_constants(dag(cluster={"groups": [group, group]}))

    assert sources(constants) == {"GROUPS": group}
    assert arguments_of(changed, "cluster") == {"groups": [Code("GROUPS")] * 2}


def test_what_refers_to_another_task_is_not_shared():
    step = {"cluster": TaskOutput("cluster"), "volumes": [VOLUMES["EbsBlockDeviceConfigs"]] * 1}
    given = dag(a={"step": step}, b={"step": step})
    assert with_constants(given)[1] == ()


def test_one_and_true_are_not_the_same():
    text = "x" * 200
    one, true = {"n": 1, "text": text}, {"n": True, "text": text}
    changed, constants = with_constants(dag(a={"x": one}, b={"x": true}))

    assert sources(constants) == {"TEXT": text}
    assert arguments_of(changed, "b")["x"]["n"] is True


def test_names_differ():
    other = SQL.replace("sales", "orders")
    _, constants = with_constants(dag(a={"sql": SQL, "x": {"sql": other}}))

    assert sources(constants) == {"A_SQL": SQL, "A_SQL_2": other}


def test_a_task_whose_id_begins_with_a_digit():
    task = replace(dag(a={"sql": SQL}).tasks[0], task_id="2024_sales")
    _, constants = with_constants(replace(dag(), tasks=(task,)))
    assert sources(constants) == {"VALUE_2024_SALES_SQL": SQL}


def test_a_repeated_value_below_a_key_that_is_an_import():
    groups = [{"Name": name, "UTC": VOLUMES} for name in ("Core", "Task")]
    _, constants = with_constants(dag(cluster={"groups": groups}))

    assert sources(constants) == {"UTC_2": VOLUMES}
