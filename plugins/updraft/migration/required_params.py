"""Parameters without a value in a DAG that runs by a schedule, where no form asks for them.

Airflow does not load such a DAG. So each gets an empty default, and a task before all others makes
sure that somebody has filled it in.
"""

from dataclasses import replace

from updraft.migration.mapper import Workflow
from updraft.migration.tasks import ParamSpec, TaskSpec

OPERATOR = "updraft.operators.required_params.RequiredParamsOperator"
_TASK_ID = "check_parameters"

Upstream = dict[str, tuple[str, ...]]


def guard_parameters(
    params: tuple[ParamSpec, ...], upstream: Upstream, workflow: Workflow
) -> tuple[tuple[ParamSpec, ...], Upstream]:
    """Let a scheduled DAG be loaded, and fail as long as a parameter has no value.

    :param params: the fields of the form.
    :param upstream: for each task id the ids of the tasks before it.
    :param workflow: the workflow, which gets the task.
    :returns: the fields, all with a default where the DAG runs by a schedule, and the order of
        tasks with the one that checks them.
    """
    lacking = [one.name for one in params if _lacks_value(one, workflow)]
    if workflow.schedule.dag.timetable is None or not lacking or not upstream:
        return params, upstream
    task_id = workflow.free_task_id(_TASK_ID)
    workflow.others.append(
        TaskSpec(
            task_id=task_id,
            object_id="",
            object_type="",
            operator=OPERATOR,
            arguments={"names": [*lacking]},
            summary="fails as long as a parameter without a value is left empty",
        )
    )
    implied = {one.task_id for one in workflow.all_tasks if one.implied_upstream}
    guarded: Upstream = {
        one: others if others or one in implied else (task_id,) for one, others in upstream.items()
    }
    filled = tuple(_with_default(one) if one.name in lacking else one for one in params)
    return filled, {task_id: (), **guarded}


def _lacks_value(param: ParamSpec, workflow: Workflow) -> bool:
    if "default" not in param.arguments:
        return True
    declared = workflow.definition.parameters_by_name.get(param.name)
    return param.arguments["default"] == [] and declared is not None and not declared.optional


def _with_default(param: ParamSpec) -> ParamSpec:
    arguments = dict(param.arguments)
    kind = arguments.get("type")
    if "default" not in arguments and isinstance(kind, str):
        arguments["type"] = ["null", kind]
        choices = arguments.get("enum")
        if isinstance(choices, list):
            arguments["enum"] = [None, *choices]
        arguments = {"default": None, **arguments}
    return replace(param, arguments=arguments, required=True)
