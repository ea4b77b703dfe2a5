from updraft.migration.shared_arguments import with_shared_arguments
from updraft.migration.tasks import PLACEHOLDER, Code, DagSpec, TaskSpec

BASH = "airflow.providers.standard.operators.bash.BashOperator"


def dag(*tasks):
    specs = tuple(
        TaskSpec(f"t{index}", "T", "EmrActivity", operator, arguments, "does something")
        for index, (operator, arguments) in enumerate(tasks)
    )
    return DagSpec(
        "d", "t", "d.json", specs, {}, (), "By hand.", {}, 1, 2, Code("timedelta(minutes=10)")
    )


def arguments(dag):
    return [task.arguments for task in dag.tasks]


def test_one_region_is_named_once():
    given = {"region_name": "eu-west-1"}
    found = with_shared_arguments(dag(("a.A", {**given, "x": 1}), ("a.B", given)))

    assert found.default_args == given
    assert arguments(found) == [{"x": 1}, {}]


def test_tasks_that_take_no_region_do_not_mind():
    given = {"region_name": "{{ params.myRegion }}"}
    found = with_shared_arguments(
        dag(("a.A", given), ("a.B", given), (BASH, {}), (PLACEHOLDER, {}))
    )
    assert found.default_args == given


def test_a_task_without_the_argument_keeps_the_default_of_its_operator():
    given = {"region_name": "eu-west-1"}
    found = dag(("a.A", given), ("a.B", given), ("a.C", {}))
    assert with_shared_arguments(found) == found


def test_different_values_stay():
    found = dag(("a.A", {"region_name": "eu-west-1"}), ("a.B", {"region_name": "eu-west-2"}))
    assert with_shared_arguments(found) == found


def test_a_task_by_itself_shares_nothing():
    found = dag(("a.A", {"region_name": "eu-west-1", "execution_timeout": Code("x")}))
    assert with_shared_arguments(found) == found
