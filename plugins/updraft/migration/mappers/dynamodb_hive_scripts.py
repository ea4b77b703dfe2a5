"""The Hive scripts that copied DynamoDB tables before AWS had tools for it.

A step ran them through ``script-runner.jar``: the script follows ``-f``, its variables follow
``-d`` as ``NAME=value``. Only the two scripts that AWS published are known here; what a script of
somebody else does, nobody can tell by its name.
"""

import re
from dataclasses import dataclass

from updraft.datapipeline.expressions import Part, Verbatim
from updraft.datapipeline.findings import Severity
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.dynamodb_copies import (
    EXPORT,
    IMPORT,
    CopyKind,
    TableCopy,
    checked_ratio,
    report_fixed_target,
)
from updraft.migration.mappers.table_regions import Region, region_of

Argument = tuple[Part, ...]

_RUNNER = re.compile(r"(^|/)(script-runner|command-runner)\.jar$")
_HIVE = re.compile(r"(^|/)hive-script$")
# Each region had a copy of the bucket: <region>.elasticmapreduce.
_SCRIPT = re.compile(
    r"(^s3n?://|\.)elasticmapreduce/libs/hive/dynamodb/"
    r"(?P<name>exportDynamoDBTableToS3|importDynamoDBTableFromS3)$"
)
_ENDPOINT = "DYNAMODB_ENDPOINT"
_ENDPOINT_START = re.compile(r"^(https?://)?dynamodb\.")
_ENDPOINT_END = re.compile(r"\.amazonaws\.com(\.cn)?/?$")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")


@dataclass(frozen=True, slots=True)
class _Script:
    kind: CopyKind
    table: str
    s3_uri: str
    ratio: str


_SCRIPTS = {
    "exportDynamoDBTableToS3": _Script(
        EXPORT, "DYNAMODB_INPUT_TABLE", "S3_OUTPUT_BUCKET", "DYNAMODB_READ_PERCENT"
    ),
    "importDynamoDBTableFromS3": _Script(
        IMPORT, "DYNAMODB_OUTPUT_TABLE", "S3_INPUT_BUCKET", "DYNAMODB_WRITE_PERCENT"
    ),
}


def is_hive_step(arguments: tuple[Argument, ...]) -> bool:
    """Tell whether a step runs a Hive script.

    :param arguments: the JAR and its arguments.
    :returns: true for ``hive-script`` under one of EMR's runners.
    """
    return (
        len(arguments) > 1
        and _RUNNER.search(_tail(arguments[0])) is not None
        and _HIVE.search(_tail(arguments[1])) is not None
    )


def hive_script_kind(arguments: tuple[Argument, ...]) -> CopyKind | None:
    """Tell whether a step runs one of AWS's scripts that copied tables.

    :param arguments: the JAR and its arguments.
    :returns: the direction, none for any other step.
    """
    script = _script(arguments) if is_hive_step(arguments) else None
    return script.kind if script is not None else None


def hive_script_copy(
    arguments: tuple[Argument, ...], item: ResolvedObject, workflow: Workflow
) -> TableCopy | None:
    """Read what a step with one of AWS's scripts copies.

    :param arguments: the JAR and its arguments.
    :param item: the activity.
    :param workflow: missing variables and a ratio out of bounds become errors there.
    :returns: the copy, none when variables are missing.
    :raises NotCompilableError: when a variable is not one of the script's own.
    """
    script = _script(arguments)
    if script is None:
        raise NotCompilableError("the Hive script is none of those that AWS published")
    required = (script.table, script.s3_uri, script.ratio)
    variables = _variables(arguments, (*required, _ENDPOINT))
    missing = [name for name in required if not variables.get(name)]
    if missing:
        workflow.report(
            Severity.ERROR,
            item,
            "step",
            f"The {script.kind.noun} step lacks its {' and '.join(missing)}",
            "Append " + ",".join(f"-d,{name}=<value>" for name in missing),
        )
        return None
    compiled = {
        name: workflow.compiler.compile_parts(parts, item) for name, parts in variables.items()
    }
    ratio = compiled[script.ratio]
    if script.kind is EXPORT:
        report_fixed_target(compiled[script.s3_uri], item, "step", workflow)
    return TableCopy(
        kind=script.kind,
        table_name=compiled[script.table],
        s3_uri=compiled[script.s3_uri],
        region=_region(variables, script.kind, item, workflow),
        ratio=checked_ratio(ratio, script.kind, item, "step", workflow),
        templates=(ratio,),
        by_hive=True,
    )


def _tail(argument: Argument) -> str:
    """Give what an argument ends with: the whole of it unless it has expressions."""
    last = argument[-1] if argument else None
    return last.text.strip() if isinstance(last, Verbatim) else ""


def _script(arguments: tuple[Argument, ...]) -> _Script | None:
    texts = [_tail(argument) for argument in arguments]
    place = texts.index("-f") + 1 if "-f" in texts else len(texts)
    match = _SCRIPT.search(texts[place]) if place < len(texts) else None
    return _SCRIPTS[match["name"]] if match is not None else None


def _variables(arguments: tuple[Argument, ...], known: tuple[str, ...]) -> dict[str, Argument]:
    """Collect the variables of a script, and make sure that nothing else is asked of Hive."""
    texts = [_tail(argument) for argument in arguments]
    begin = texts.index("--args") + 1 if "--args" in texts else texts.index("-f")
    options = list(arguments[begin:])
    variables: dict[str, Argument] = {}
    while options:
        option, value = _tail(options.pop(0)), options.pop(0) if options else ()
        if option == "-f":
            continue
        first = value[0].text if value and isinstance(value[0], Verbatim) else ""
        name, equals, rest = first.strip().partition("=")
        if option != "-d" or not equals:
            raise NotCompilableError(f"the option {option!r} of the Hive step is not supported yet")
        if name not in known:
            raise NotCompilableError(f"AWS's Hive script has no variable {name!r}")
        if name in variables:
            raise NotCompilableError(f"the Hive step sets {name} more than once")
        variables[name] = (*([Verbatim(rest)] if rest else []), *value[1:])
    return variables


def _region(
    variables: dict[str, Argument], kind: CopyKind, item: ResolvedObject, workflow: Workflow
) -> Region:
    endpoint = variables.get(_ENDPOINT)
    if not endpoint:
        return region_of(item, kind.table_role, workflow, node_first=False)
    begins = isinstance(endpoint[0], Verbatim) and _ENDPOINT_START.match(endpoint[0].text)
    ends = isinstance(endpoint[-1], Verbatim) and _ENDPOINT_END.search(endpoint[-1].text)
    template: Template | None = None
    if begins and ends:
        parts = list(endpoint)
        for index, pattern in ((0, _ENDPOINT_START), (-1, _ENDPOINT_END)):
            part = parts[index]
            if isinstance(part, Verbatim):
                parts[index] = Verbatim(pattern.sub("", part.text))
        template = workflow.compiler.compile_parts(
            tuple(part for part in parts if part != Verbatim("")), item
        )
    if template is None or not (template.literal is None or _REGION.fullmatch(template.literal)):
        raise NotCompilableError(f"{_ENDPOINT} is no dynamodb.<region>.amazonaws.com")
    return Region(template)
