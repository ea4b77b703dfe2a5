"""The report over all pipelines of a run."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.findings import Finding, Severity
from updraft.migration.inputs import shown_path
from updraft.migration.ledger import FieldAccount, Status
from updraft.migration.reporting.effort import FORMULA, Effort, Stage
from updraft.migration.reporting.model import (
    Coverage,
    Report,
    activity_fields,
    coverage_of,
)
from updraft.migration.reporting.template_files import markdown_template

if TYPE_CHECKING:
    from updraft.migration.conversion import Conversion

PAGE, JSON, MARKDOWN = "index.html", "report.json", "index.md"
"""The files of the report over all pipelines."""

_MOST_COMMON = 25
_WEIGHT = {status: weight for weight, status in enumerate(Status)}


class Unconverted(BaseModel):
    """A file, or a pipeline of one, that no DAG was made of.

    :param source: name of the file.
    :param dag_id: id that the DAG would have had, empty when the file could not be read.
    :param findings: why.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    dag_id: str
    findings: tuple[Finding, ...]


class CommonNote(BaseModel):
    """What keeps several fields, or tasks, from being done.

    :param note: the note at the fields, or the reason of the placeholders.
    :param status: ``needs a decision``, ``approximated`` or ``placeholder``.
    :param count: at how many fields, or for how many tasks.
    :param pipelines: in how many pipelines.
    """

    model_config = ConfigDict(frozen=True)

    note: str
    status: str
    count: int
    pipelines: int


class TypeCount(BaseModel):
    """How often an object type occurs.

    :param object_type: the type, ``-`` for none.
    :param objects: how many objects have it.
    :param pipelines: in how many pipelines.
    :param kept_percent: the share of their fields that are carried over or equivalent.
    """

    model_config = ConfigDict(frozen=True)

    object_type: str
    objects: int
    pipelines: int
    kept_percent: float


class Totals(BaseModel):
    """All pipelines together.

    :param pipelines: pipelines that were converted.
    :param dags: their DAGs; none of a pipeline in which nothing runs.
    :param unconverted: files and pipelines that no DAG was made of.
    :param tasks: tasks of all DAGs.
    :param coverage: fates of all fields, counted once per pipeline.
    :param activity_coverage: the same for fields that are written on activities.
    :param effort: what is left to do.
    :param errors: findings that are errors.
    :param warnings: findings that are warnings.
    :param stages: how many DAGs, or unconverted files, are at each stage.
    """

    model_config = ConfigDict(frozen=True)

    pipelines: int
    dags: int
    unconverted: int
    tasks: int
    coverage: Coverage
    activity_coverage: Coverage
    effort: Effort
    errors: int
    warnings: int
    stages: dict[Stage, int]


class Overview(BaseModel):
    """The report over all pipelines of a run.

    :param format: version of this shape; it changes when a key changes its meaning or goes.
    :param totals: all pipelines together.
    :param types: which object types occur.
    :param common: what comes up most often, the rarest left out.
    :param formula: what the points of the effort mean.
    :param pipelines: a report for each DAG, in the order of the input.
    :param unconverted: what no DAG was made of.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    totals: Totals
    types: tuple[TypeCount, ...]
    common: tuple[CommonNote, ...]
    formula: str = FORMULA
    pipelines: tuple[Report, ...]
    unconverted: tuple[Unconverted, ...]

    def to_json(self) -> str:
        """Write the report for programs.

        :returns: JSON with a line break at the end.
        """
        return self.model_dump_json(indent=2) + "\n"

    def to_markdown(self) -> str:
        """Write the report for people.

        :returns: Markdown, with links to the reports of the pipelines beside it.
        """
        template = markdown_template("overview.md.j2")
        return template.render(overview=self, statuses=list(Status), file_name=report_file_name)


def report_file_name(dag_id: str, suffix: str) -> str:
    """Name the file of one DAG's report, other than those of the report over all.

    :param dag_id: id of the DAG.
    :param suffix: ``.md`` or ``.json``.
    :returns: the name.
    """
    name = f"{dag_id}{suffix}"
    # A DAG id has no blanks, so that this is no other DAG's name.
    return f"{dag_id} (DAG){suffix}" if name.casefold() in {JSON, MARKDOWN} else name


def overview_of(conversions: "Iterable[Conversion]") -> Overview:
    """Put the reports of a run together.

    :param conversions: the conversions.
    :returns: the report over all.
    """
    reports: list[Report] = []
    unconverted: list[Unconverted] = []
    for one in conversions:
        if one.report is not None:
            reports.append(one.report)
        else:
            findings = tuple(
                finding.model_copy(update={"file": _file_name(finding.file)})
                for finding in one.findings
            )
            unconverted.append(
                Unconverted(
                    source=_file_name(shown_path(one.path)), dag_id=one.dag_id, findings=findings
                )
            )
    fields = _fields_by_pipeline(reports)
    return Overview(
        totals=_totals(reports, unconverted, fields),
        types=_types(fields),
        common=_common(reports),
        pipelines=tuple(reports),
        unconverted=tuple(unconverted),
    )


def _file_name(path: str) -> str:
    """Leave out folders: a report is the same wherever the files lie."""
    return path.replace("\\", "/").rpartition("/")[2]


def _fields_by_pipeline(reports: list[Report]) -> dict[str, dict[tuple[str, str], FieldAccount]]:
    """Collect fields once: the DAGs of one pipeline share objects; the worst fate counts."""
    found: dict[str, dict[tuple[str, str], FieldAccount]] = defaultdict(dict)
    for report in reports:
        fields = found[report.pipeline_name]
        for one in report.fields:
            key = one.object_id, one.field
            if key not in fields or _WEIGHT[one.status] > _WEIGHT[fields[key].status]:
                fields[key] = one
    return found


def _totals(
    reports: list[Report],
    unconverted: list[Unconverted],
    fields: dict[str, dict[tuple[str, str], FieldAccount]],
) -> Totals:
    severities = Counter(one.severity for report in reports for one in report.findings)
    severities.update(one.severity for other in unconverted for one in other.findings)
    stages = Counter([report.stage for report in reports])
    stages[Stage.UNREADABLE] += len(unconverted)
    accounts = [tuple(one.values()) for one in fields.values()]
    return Totals(
        pipelines=len(fields),
        dags=sum(report.dag_file is not None for report in reports),
        unconverted=len(unconverted),
        tasks=sum(len(report.tasks) for report in reports),
        coverage=sum(map(coverage_of, accounts), Coverage()),
        activity_coverage=sum((coverage_of(activity_fields(one)) for one in accounts), Coverage()),
        effort=sum((report.effort for report in reports), Effort()),
        errors=severities[Severity.ERROR],
        warnings=severities[Severity.WARNING],
        stages={stage: stages[stage] for stage in Stage},
    )


def _types(
    fields: dict[str, dict[tuple[str, str], FieldAccount]],
) -> tuple[TypeCount, ...]:
    objects: dict[str, set[tuple[str, str]]] = defaultdict(set)
    accounts: dict[str, list[FieldAccount]] = defaultdict(list)
    for pipeline, found in fields.items():
        for one in found.values():
            objects[one.object_type].add((pipeline, one.object_id))
            accounts[one.object_type].append(one)
    return tuple(
        TypeCount(
            object_type=name,
            objects=len(objects[name]),
            pipelines=len({pipeline for pipeline, _ in objects[name]}),
            kept_percent=coverage_of(tuple(accounts[name])).kept_percent,
        )
        for name in sorted(objects, key=lambda name: (-len(objects[name]), name))
    )


def _common(reports: list[Report]) -> tuple[CommonNote, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    pipelines: dict[tuple[str, str], set[str]] = defaultdict(set)
    for report in reports:
        waiting = {task.object_id for task in report.tasks if not task.migrated}
        notes = [("placeholder", task.reason) for task in report.tasks if task.reason]
        notes += [
            (one.status.value, one.note)
            for one in report.fields
            if one.status is Status.APPROXIMATED
            or (one.status is Status.NEEDS_DECISION and one.object_id not in waiting)
        ]
        for note in notes:
            counts[note] += 1
            pipelines[note].add(report.pipeline_name)
    ordered = sorted(counts, key=lambda note: (-len(pipelines[note]), -counts[note], note))
    return tuple(
        CommonNote(
            note=note,
            status=status,
            count=counts[status, note],
            pipelines=len(pipelines[status, note]),
        )
        for status, note in ordered[:_MOST_COMMON]
    )
