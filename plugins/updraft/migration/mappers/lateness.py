"""``lateAfterTimeout`` and ``onLateAction``: deadlines of the run, and tasks that don't start late.

An object was late when it had not started so long after its scheduled start. Airflow watches a run
as a whole: its deadline passes when the run has not ended by then.
"""

import re
from dataclasses import replace
from datetime import timedelta

from updraft.datapipeline.expressions import (
    Call,
    Expression,
    ExpressionError,
    Member,
    Name,
    Part,
    String,
    Verbatim,
    parse_text,
)
from updraft.datapipeline.findings import mask_passwords
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import require_no_password
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import JinjaCode, to_template
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.alarms import NOTIFIER, fit_subject, topic_region
from updraft.migration.mappers.callbacks import check_keys
from updraft.migration.mappers.task_settings import code_for, fixed_duration
from updraft.migration.source_values import python
from updraft.migration.tasks import ArgumentValue, Code, TaskSpec, VariableSpec

# Airflow's type stubs do not list these in airflow.sdk itself.
_DEADLINES = "airflow.sdk.definitions.deadline.DeadlineAlert"
_DEADLINE_IMPORTS = (
    "from airflow.sdk.definitions.callback import AsyncCallback",
    "from airflow.sdk.definitions.deadline import DeadlineReference",
    f"from {NOTIFIER.rpartition('.')[0]} import {NOTIFIER.rpartition('.')[2]}",
)
_GUARD_IMPORT = "from updraft.operators.lateness import fail_when_late"
_NAME = re.compile(r"node\.(?:name|@?id)")
_PARAMETER = re.compile(r"\{\{ params\.(\w+) \}\}")
# What Airflow tells a deadline's callback is the run alone, its times as text, such as
# 2024-02-29T23:59:59Z; there are no macros.
_OF_THE_RUN = {
    "@pipelineId": JinjaCode("dag_run.dag_id", "text"),
    "@scheduledStartTime": JinjaCode("dag_run.data_interval_start or dag_run.run_after", "text"),
    "@scheduledEndTime": JinjaCode("dag_run.data_interval_end or dag_run.run_after", "text"),
}
_DAYS = {"YYYY-MM-dd", "yyyy-MM-dd"}
_NO_DEADLINES = "Airflow has deadlines since 3.2: watch the run from outside, or decide on that"
_NOBODY = "nobody can be told: the definition gives no topic or message, or only the form does"
_NOT_LATE = "a pipeline on demand is never late"


def add_lateness(workflow: Workflow) -> None:
    """Give the DAG deadlines, and tasks a guard, where objects may be late.

    :param workflow: the workflow with all its tasks.
    """
    deadlines: dict[tuple[str, timedelta, str], str] = {}
    for item in workflow.resolved.values():
        asked = [name for name in ("lateAfterTimeout", "onLateAction") if name in item.fields]
        if not asked or not _is_watched(item, workflow):
            continue
        limit = fixed_duration(item, "lateAfterTimeout", workflow)
        actions = [workflow.resolved.get(one) for one in item.references("onLateAction")]
        fate = _without_effect(item, actions, workflow)
        if fate is not None or limit is None:
            undecided = (Status.NEEDS_DECISION, "no fixed length: decide on a deadline")
            for name in asked:
                workflow.ledger.account(item, name, *(fate or undecided))
            continue
        notes = [_settle(item, action, limit, deadlines, workflow) for action in actions if action]
        settled = [note for note in notes if note]
        status = Status.APPROXIMATED if settled else Status.NEEDS_DECISION
        unsettled = _NOBODY if workflow.release.has_deadlines else _NO_DEADLINES
        note = "; ".join(dict.fromkeys(settled)) or unsettled
        for name in asked:
            workflow.ledger.account(item, name, status, note)
    if deadlines:
        workflow.dag_settings["deadline"] = [Code(name) for name in deadlines.values()]


def _settle(
    item: ResolvedObject,
    action: ResolvedObject,
    limit: timedelta,
    deadlines: dict[tuple[str, timedelta, str], str],
    workflow: Workflow,
) -> str:
    """Do what an action asks for, and say how it differs; nothing where that can't be done."""
    if action.type == "Terminate":
        return _guard(item, limit, workflow)
    if action.type == "SnsAlarm" and workflow.release.has_deadlines:
        return _add_deadline(item, action, limit, deadlines, workflow)
    return ""


def _without_effect(
    item: ResolvedObject, actions: list[ResolvedObject | None], workflow: Workflow
) -> tuple[Status, str] | None:
    default = workflow.resolved.get(DEFAULT_ID)
    on_demand = default is not None and (default.text("scheduleType") or "").casefold()
    if on_demand == "ondemand":
        return Status.DROPPED, _NOT_LATE
    if item.field("lateAfterTimeout") is None:
        return Status.DROPPED, "nothing is late without a lateAfterTimeout"
    if not actions:
        return Status.DROPPED, "nothing was done about lateness: there is no onLateAction"
    return None


def _is_watched(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether an object can be late: those without a task that wait for what has one can."""
    if workflow.tasks_of(item.id) or check_keys(item, workflow):
        return True
    inherited = item.fields.get("onLateAction")
    return (
        item.category == "data node" and inherited is not None and inherited.owner_id != DEFAULT_ID
    )


def _guard(item: ResolvedObject, limit: timedelta, workflow: Workflow) -> str:
    """Keep what takes an object's place from starting late, and say how that differs."""
    duration = code_for(limit)
    guard = Code(f"fail_when_late({duration.text})", (*duration.imports, _GUARD_IMPORT))

    def guarded(task: TaskSpec) -> TaskSpec:
        return replace(task, arguments={**task.arguments, "pre_execute": guard})

    # Only what begins the object's work may be too late.
    if preparations := workflow.preparations.get(item.id, ()):
        workflow.preparations[item.id] = (guarded(preparations[0]), *preparations[1:])
    else:
        keys = [item.id] if item.id in workflow.tasks else check_keys(item, workflow)
        if not keys:
            return "nothing is cancelled: the data node is no task of its own"
        workflow.tasks |= {key: guarded(workflow.tasks[key]) for key in keys}
    return (
        f"`fail_when_late` fails the task when it would start more than {limit} after its run is "
        "due; the pipeline cancelled the object already while it waited"
    )


def _add_deadline(
    item: ResolvedObject,
    alarm: ResolvedObject,
    limit: timedelta,
    deadlines: dict[tuple[str, timedelta, str], str],
    workflow: Workflow,
) -> str:
    """Add a deadline, and say how it differs; nothing where nobody can be told."""
    topic, subject, message = (
        _text(name, alarm, item, workflow) for name in ("topicArn", "subject", "message")
    )
    if topic is None or message is None or "#{" in topic.text:
        return ""
    arguments: dict[str, ArgumentValue] = {"target_arn": topic.text}
    region = topic_region(topic)
    if region is not None:
        arguments["region_name"] = region
    if subject is not None and subject.text:
        arguments["subject"] = fit_subject(subject)
    arguments["message"] = message.text
    words = python(arguments)
    if (alarm.id, limit, words) not in deadlines:
        name = workflow.variable(f"{alarm.item.name}_late")
        deadlines[alarm.id, limit, words] = name
        interval = code_for(limit)
        workflow.variables.append(
            VariableSpec(
                name,
                _DEADLINES,
                {
                    "reference": Code("DeadlineReference.DAGRUN_QUEUED_AT"),
                    "interval": interval,
                    "callback": Code(f"AsyncCallback(SnsNotifier, kwargs={words})"),
                },
                (*interval.imports, *_DEADLINE_IMPORTS),
            )
        )
    texts = [one.text for one in (subject, message) if one is not None]
    raw = ", so that parts stay as they are written" if any("#{" in one for one in texts) else ""
    formats = [alarm.text(name) or "" for name in ("subject", "message")]
    if any("format(" in one for one in formats):
        raw += ", and prints times as 2024-02-29T23:59:59Z, or their day"
    return (
        f"`deadline` of the DAG: the message is sent when the run has not ended {limit} after it "
        "was queued, where the pipeline watched for the start of this object alone; it knows the "
        f"times of the run and nothing of the task or the form{raw}; needs Airflow 3.2"
    )


def _text(
    name: str, alarm: ResolvedObject, item: ResolvedObject, workflow: Workflow
) -> Template | None:
    """Write a text of an alarm with what is known of a run; the rest stays as it is written."""
    text = alarm.text(name)
    if text is None:
        return None
    try:
        workflow.compiler.require_public(name)
        require_no_password(name, alarm)
        parts = parse_text(text)
    except (ExpressionError, NotCompilableError):
        return None
    own = Template("", "", frozenset(), frozenset({(alarm.fields[name].owner_id, name)}))
    workflow.note_reads("`deadline`", (own,))
    pieces = tuple(_piece(part, alarm, item, workflow) for part in parts)
    plain = [piece for piece in pieces if isinstance(piece, str)]
    literal = "".join(plain) if len(plain) == len(pieces) else None
    return replace(own, text=to_template(pieces), literal=literal)


def _piece(
    part: Part, alarm: ResolvedObject, item: ResolvedObject, workflow: Workflow
) -> str | JinjaCode:
    if isinstance(part, Verbatim):
        return part.text
    source = part.source.strip()
    if _NAME.fullmatch(source):
        return item.item.name
    if code := _OF_THE_RUN.get(source.removeprefix("node.")) or _formatted(part.tree):
        return code
    as_written = f"#{{{part.source}}}"
    try:
        compiled = workflow.compiler.compile_parts((part,), alarm, item)
    except (ExpressionError, NotCompilableError):
        return as_written
    if compiled.literal is not None:
        workflow.note_reads("`deadline`", (compiled,))
        return compiled.literal
    parameter = _PARAMETER.fullmatch(compiled.text)
    value = _parameter_value(parameter[1], workflow) if parameter else None
    return as_written if value is None else value


def _formatted(tree: Expression) -> JinjaCode | None:
    """Write a formatted time of the run: a day as asked for, any other as it is."""
    match tree:
        case Call(function="format", arguments=(Name(name=name), String(text=pattern))):
            code = _OF_THE_RUN.get(name)
        case Call(
            function="format",
            arguments=(Member(target=Name(name="node"), name=name), String(text=pattern)),
        ):
            code = _OF_THE_RUN.get(name)
        case _:
            return None
    if code is None or pattern not in _DAYS:
        return code
    return JinjaCode(f"({code.text})[:10]", "text")


def _parameter_value(name: str, workflow: Workflow) -> str | None:
    """Take the value that the definition gives a parameter: a deadline knows no form."""
    given = workflow.definition.values_by_name.get(name)
    declared = workflow.definition.parameters_by_name.get(name)
    values = given.values if given else declared.default if declared else ()
    value = values[0] if len(values) == 1 else None
    return value if value is None or mask_passwords(value) == value else None
