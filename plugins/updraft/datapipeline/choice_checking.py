"""Fields that rule one another out, and fields of which an object needs one."""

from collections.abc import Iterator

from updraft.datapipeline.field_findings import field_finding
from updraft.datapipeline.findings import Finding, Severity
from updraft.datapipeline.model import Definition
from updraft.datapipeline.object_types import category_of, object_types
from updraft.datapipeline.resolution import DEFAULT_ID, Resolved, ResolvedObject
from updraft.datapipeline.typed_values import TypedValueError, typed_value

# What the pages of the guide's object reference say in words.
_NOT_BOTH: dict[str, tuple[tuple[str, str], ...]] = {
    "HiveActivity": (("hiveScript", "scriptUri"),),
    "PigActivity": (("script", "scriptUri"),),
    "RedshiftDatabase": (("clusterId", "connectionString"),),
    "S3DataNode": (("directoryPath", "filePath"),),
    "Schedule": (("startAt", "startDateTime"), ("endDateTime", "occurrences")),
    "ShellCommandActivity": (("command", "scriptUri"),),
    "ShellCommandPrecondition": (("command", "scriptUri"),),
    "SqlActivity": (("script", "scriptUri"),),
}
_ONE_OF_IN_WORDS = {"S3DataNode": ("filePath", "directoryPath", "manifestFilePath")}
_NOT_ON_RESOURCES = ("runsOn", "workerGroup")


def check_choices(resolved: Resolved, definition: Definition) -> Iterator[Finding]:
    """Check what fields objects have together.

    :param resolved: the objects with inheritance applied.
    :param definition: the definition.
    :returns: one finding for each problem.
    """
    parents = {one for item in definition.objects for one in _parents(item.id, resolved)}
    for item in resolved.values():
        if item.id == DEFAULT_ID or item.id in parents or item.type not in object_types():
            continue
        yield from _check_exclusions(item, definition)
        yield from _check_in_words(item, definition)
        yield from _check_schedule(item, resolved, definition)
        if item.type == "Schedule":
            yield from _check_end(item, definition)


def _parents(object_id: str, resolved: Resolved) -> tuple[str, ...]:
    field = resolved[object_id].item.field("parent") if object_id in resolved else None
    return field.references if field else ()


def _check_exclusions(item: ResolvedObject, definition: Definition) -> Iterator[Finding]:
    for one, other in _NOT_BOTH.get(item.type or "", ()):
        field = item.field(other)
        if item.field(one) is not None and field is not None:
            yield field_finding(
                definition,
                item.item,
                field,
                severity=Severity.WARNING,
                message=f"{item.type} takes either {one!r} or {other!r}, here it has both",
                advice="Remove the one that is not meant",
            )
    if category_of(item.type) != "resource":
        return
    for name in _NOT_ON_RESOURCES:
        field = item.item.field(name)
        if field is not None:
            yield field_finding(
                definition,
                item.item,
                field,
                severity=Severity.WARNING,
                message=f"{name} is not allowed on {item.type}",
                advice="Remove it: a resource runs by itself",
            )


def _check_in_words(item: ResolvedObject, definition: Definition) -> Iterator[Finding]:
    names = _ONE_OF_IN_WORDS.get(item.type or "", ())
    if names and all(item.field(name) is None for name in names):
        wanted = " or ".join(repr(name) for name in names)
        yield _missing(item, definition, names[0], f"{item.type} needs a field {wanted}")


def _check_schedule(
    item: ResolvedObject, resolved: Resolved, definition: Definition
) -> Iterator[Finding]:
    types = object_types()[item.type or ""].fields
    if not any(one.invocation for one in types.values()) or item.field("schedule") is not None:
        return
    default = resolved.get(DEFAULT_ID)
    on_demand = (default.text("scheduleType") or "" if default else "").casefold() == "ondemand"
    # Data nodes and resources run with the activities that use them.
    if not on_demand and item.category == "activity" and default is not None:
        yield _missing(
            item, definition, "schedule", f"{item.type} needs a schedule, or Default on demand"
        )


def _check_end(item: ResolvedObject, definition: Definition) -> Iterator[Finding]:
    end = item.field("endDateTime")
    start = item.text("startDateTime")
    fields = object_types()["Schedule"].fields
    if end is None or start is None or end.text is None:
        return
    try:
        first = typed_value("startDateTime", fields["startDateTime"], start)
        last = typed_value("endDateTime", fields["endDateTime"], end.text)
    except TypedValueError:
        return
    if not isinstance(first, str) and not isinstance(last, str) and str(last) <= str(first):
        yield field_finding(
            definition,
            item.item,
            end,
            severity=Severity.WARNING,
            message="The schedule ends before it starts, so that it never runs",
            advice="Give it an end after startDateTime",
        )


def _missing(item: ResolvedObject, definition: Definition, field: str, message: str) -> Finding:
    return Finding(
        severity=Severity.WARNING,
        file=definition.source,
        position=item.item.position,
        object_id=item.id,
        field=field,
        message=message,
        advice="Add it to the object, its parent or Default",
    )
