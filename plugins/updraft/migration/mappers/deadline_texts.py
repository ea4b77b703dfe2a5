"""What a deadline tells: texts of an ``SnsAlarm`` for every object that is late by it.

A deadline watches a run, so that one message stands for several objects. It knows the times of the
run, what the definition says, and nothing of the tasks.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from updraft.datapipeline.expressions import (
    Call,
    Embedded,
    Expression,
    ExpressionError,
    Member,
    Name,
    String,
    Verbatim,
    parse_text,
)
from updraft.datapipeline.findings import mask_passwords
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import require_no_password
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import JinjaCode, to_template
from updraft.migration.mapper import Workflow

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
# A subject has 99 characters.
_MOST_IN_A_SUBJECT = 3


def deadline_text(
    name: str, alarm: ResolvedObject, items: Sequence[ResolvedObject], workflow: Workflow
) -> Template | None:
    """Write a text of an alarm with what is known of a run; the rest stays as it is written.

    :param name: the field of the alarm.
    :param alarm: the SnsAlarm.
    :param items: the objects that the text is about, at least one; where they differ it lists what
        each of them has, and a subject the first three.
    :param workflow: the workflow.
    :returns: the text, none when there is none or it must not be said.
    """
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
    pieces: list[str | JinjaCode] = []
    for part in parts:
        if isinstance(part, Verbatim):
            pieces.append(part.text)
        elif code := _of_the_run(part):
            pieces.append(code)
        else:
            values = [_of_the_object(part, alarm, item, workflow) for item in items]
            pieces.append(_listed(values, is_short=name == "subject"))
    plain = [piece for piece in pieces if isinstance(piece, str)]
    literal = "".join(plain) if len(plain) == len(pieces) else None
    return replace(own, text=to_template(tuple(pieces)), literal=literal)


def _listed(values: Sequence[str], *, is_short: bool) -> str:
    distinct = [*dict.fromkeys(values)]
    left_out = len(distinct) - _MOST_IN_A_SUBJECT
    if is_short and left_out > 0:
        return f"{', '.join(distinct[:_MOST_IN_A_SUBJECT])} and {left_out} more"
    return ", ".join(distinct)


def _of_the_run(part: Embedded) -> JinjaCode | None:
    source = part.source.strip().removeprefix("node.")
    return _OF_THE_RUN.get(source) or _formatted(part.tree)


def _of_the_object(
    part: Embedded, alarm: ResolvedObject, item: ResolvedObject, workflow: Workflow
) -> str:
    if _NAME.fullmatch(part.source.strip()):
        return item.item.name
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
