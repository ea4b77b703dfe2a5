"""Copies between a DynamoDB table and S3, whichever activity asked for them."""

from dataclasses import dataclass

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import parameter_code
from updraft.migration.ledger import Status
from updraft.migration.mapper import ParameterUse, Workflow
from updraft.migration.mappers.table_regions import Region, clusters_of
from updraft.migration.mappers.task_settings import code_for, fixed_duration
from updraft.migration.tasks import ArgumentValue, TaskSpec

HIVE_FORMAT_NOTE = (
    "the files are JSON lines with a `manifest`, as AWS's later tool wrote them; Hive wrote lines "
    "of another form without a manifest, which matters to those that read the files by Hive"
)
# A table's throughput ratios lie between these (guide, "DynamoDBDataNode").
_LOWEST_RATIO, HIGHEST_RATIO = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class CopyKind:
    """One of the two directions.

    :param noun: what people call it.
    :param operator: import path of the operator class.
    :param table_role: the field of the activity that points to the table.
    :param s3_role: the field of the activity that points to S3.
    :param capacity: which of the table's capacities it uses up, ``read`` or ``write``.
    :param summary: what it does, a sentence without subject.
    :param account: what the operator does in another way than the legacy tool.
    """

    noun: str
    operator: str
    table_role: str
    s3_role: str
    capacity: str
    summary: str
    account: tuple[Status, str]


EXPORT = CopyKind(
    noun="export",
    operator="updraft.operators.dynamodb.DynamoDBExportOperator",
    table_role="input",
    s3_role="output",
    capacity="read",
    summary="exports a DynamoDB table to S3, in the format that the pipeline wrote",
    account=(
        Status.CARRIED_OVER,
        "`DynamoDBExportOperator`; a retry goes on where the last try stopped",
    ),
)
IMPORT = CopyKind(
    noun="import",
    operator="updraft.operators.dynamodb.DynamoDBImportOperator",
    table_role="output",
    s3_role="input",
    capacity="write",
    summary="imports files from S3 into a DynamoDB table, which has to exist",
    account=(
        Status.EQUIVALENT,
        "`DynamoDBImportOperator`; a retry goes on where the last try stopped, which a small "
        "object in `_updraft/` below the input tells; where the task may not write there, a retry "
        "begins anew, as before",
    ),
)


@dataclass(frozen=True, slots=True)
class TableCopy:
    """A copy between a table and S3.

    :param kind: the direction.
    :param table_name: name of the table.
    :param s3_uri: prefix in S3.
    :param ratio: share of the table's capacity, checked; templates only if it is not fixed.
    :param region: region of the table.
    :param templates: further templates whose reads count as used.
    :param total_segments: number of segments of an export, none for the operator's own choice.
    :param by_hive: whether Hive did it, which wrote files of another form.
    """

    kind: CopyKind
    table_name: Template
    s3_uri: Template
    ratio: ArgumentValue
    region: Region
    templates: tuple[Template, ...] = ()
    total_segments: int | None = None
    by_hive: bool = False

    @property
    def summary(self) -> str:
        """What the copy does, a sentence without subject."""
        if self.by_hive and self.kind is EXPORT:
            return "exports a DynamoDB table to S3, one JSON item per line"
        return self.kind.summary


def copy_task(
    item: ResolvedObject,
    copy: TableCopy,
    task_id: str,
    settings: dict[str, ArgumentValue],
) -> TaskSpec:
    """Make the task of a copy.

    :param item: the activity.
    :param copy: what to copy.
    :param task_id: id of the task.
    :param settings: arguments that do not depend on the direction, such as time limits.
    :returns: the task.
    """
    table, s3_uri = {"table_name": copy.table_name.text}, {"s3_uri": copy.s3_uri.text}
    arguments: dict[str, ArgumentValue] = {
        **(table | s3_uri if copy.kind is EXPORT else s3_uri | table),
        f"{copy.kind.capacity}_throughput_ratio": copy.ratio,
    }
    if copy.kind is IMPORT:
        # Names such as *.json would stand for another format.
        arguments["import_format"] = "DATA_PIPELINE"
    if copy.total_segments is not None:
        arguments["total_segments"] = copy.total_segments
    if copy.region.template is not None:
        arguments["region_name"] = copy.region.template.text
    return TaskSpec(
        task_id=task_id,
        object_id=item.id,
        object_type=item.type or "-",
        operator=copy.kind.operator,
        arguments=arguments | settings,
        summary=copy.summary,
    )


def templates_of(copy: TableCopy) -> tuple[Template, ...]:
    """List the templates of a copy.

    :param copy: the copy.
    :returns: all whose reads count as used.
    """
    region = copy.region.template
    return (copy.table_name, copy.s3_uri, *copy.templates, *([region] if region else []))


def checked_ratio(
    given: Template, kind: CopyKind, item: ResolvedObject, field: str, workflow: Workflow
) -> ArgumentValue:
    """Check a share of a table's capacity.

    :param given: the compiled value.
    :param kind: the direction.
    :param item: the object that it is written on.
    :param field: the field that it is written in.
    :param workflow: a value out of bounds becomes an error there, a parameter gets its bounds.
    :returns: a number, or a template that yields one.
    """
    literal = given.literal
    if literal is None:
        if len(given.parameters) == 1:
            (name,) = given.parameters
            if given.text == f"{{{{ {parameter_code(name)} }}}}":
                workflow.bounds[name] = ParameterUse(_LOWEST_RATIO, HIGHEST_RATIO)
        return given.text
    try:
        ratio = float(literal)
    except ValueError:
        ratio = 0.0
    if not _LOWEST_RATIO <= ratio <= HIGHEST_RATIO:
        workflow.report(
            Severity.ERROR,
            item,
            field,
            f"The {kind.capacity} throughput ratio {literal!r} is no number from 0.1 to 1.0",
            f"Give the share of the table's {kind.capacity} capacity that the {kind.noun} may "
            "use, such as 0.25",
        )
    return ratio


def time_limit(item: ResolvedObject, workflow: Workflow) -> dict[str, ArgumentValue]:
    """Map the activity's and its cluster's time limits.

    :param item: the activity.
    :param workflow: where the accounts go.
    :returns: ``execution_timeout``, nothing when there is no limit.
    """
    limits = []
    attempt = fixed_duration(item, "attemptTimeout", workflow)
    if attempt is not None:
        limits.append(attempt)
        note = "`execution_timeout`, for each try as before"
        workflow.ledger.account(item, "attemptTimeout", Status.CARRIED_OVER, note)
    for cluster in clusters_of(item, workflow):
        lifetime = fixed_duration(cluster, "terminateAfter", workflow)
        if lifetime is not None:
            limits.append(lifetime)
    return {"execution_timeout": code_for(min(limits))} if limits else {}


def report_fixed_target(s3_uri: Template, item: ResolvedObject, field: str, w: Workflow) -> None:
    """Warn where every run exports to the same place, which Hive overwrote.

    :param s3_uri: where the export goes to.
    :param item: the object that says so.
    :param field: the field that says so.
    :param w: the workflow, which gets the warning.
    """
    if s3_uri.literal is not None:
        w.report(
            Severity.WARNING,
            item,
            field,
            "Every run exports to the same place: Hive replaced what was there, the export "
            "refuses a place that holds anything",
            "Append the time, such as /#{format(@scheduledStartTime, 'YYYY-MM-dd-HH-mm-ss')}",
        )


def account_cluster_use(
    item: ResolvedObject, nouns: str, regions: tuple[Region, ...], workflow: Workflow
) -> None:
    """Account for what tied an activity to its cluster.

    :param item: the activity.
    :param nouns: what takes its place, such as ``export``.
    :param regions: where its tables are.
    :param workflow: where the accounts go.
    """
    account = workflow.ledger.account
    gone = f"the {nouns} needs no cluster"
    notes = dict.fromkeys(region.note for region in regions if region.note)
    status = Status.APPROXIMATED if notes else Status.EQUIVALENT
    account(item, "runsOn", status, "; ".join([gone, *notes]))
    account(
        item,
        "workerGroup",
        status if item.field("runsOn") is None else Status.DROPPED,
        "; ".join([f"the {nouns} needs no worker of its own", *notes]),
    )
    note = f"{gone}, and goes as fast as the ratio of the table's capacity allows"
    for name in ("resizeClusterBeforeRunning", "resizeClusterMaxInstances"):
        account(item, name, Status.EQUIVALENT, note)
