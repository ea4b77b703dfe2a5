"""What came of one definition file, in figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from updraft.datapipeline.model import Definition
from updraft.datapipeline.object_types import category_of
from updraft.migration.conversion import Conversion
from updraft.migration.import_check import ImportOutcome
from updraft.migration.ledger import NO_RULE, FieldAccount, Status

_KEPT = {Status.CARRIED_OVER, Status.EQUIVALENT}
_WORST_FIRST = list(Status)[::-1]


@dataclass(frozen=True)
class Figures:
    """The figures of one file, or of all.

    :param name: the file.
    :param definitions: how many pipelines it has.
    :param dags: how many DAGs came of them.
    :param tasks: tasks of these DAGs.
    :param placeholders: those that fail until somebody has decided something.
    :param fields: fields of all objects in the file.
    :param accounted: those of which the report says what became of them.
    :param activity_fields: fields written on activities.
    :param kept: those carried over or equivalent.
    :param settled: fields carried over, equivalent or dropped for a reason.
    :param findings: errors found in the definition.
    :param refused: why the file is no definition, empty when it is one.
    :param problems: what must not be: crashes, import errors and import warnings.
    """

    name: str
    definitions: int = 0
    dags: int = 0
    tasks: int = 0
    placeholders: int = 0
    fields: int = 0
    accounted: int = 0
    activity_fields: int = 0
    kept: int = 0
    settled: int = 0
    findings: int = 0
    refused: str = ""
    problems: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether anything is not as it has to be."""
        return bool(self.problems) or self.accounted < self.fields


def figures_of(
    path: Path,
    definitions: Sequence[Definition],
    conversions: Sequence[Conversion],
    outcomes: dict[str, ImportOutcome],
) -> Figures:
    """Count what came of a file.

    :param path: the file.
    :param definitions: its pipelines, read once more.
    :param conversions: what came of them.
    :param outcomes: what Airflow said to each DAG, by file name.
    :returns: the figures.
    """
    reports = [one.report for one in conversions if one.report is not None]
    tasks = [task for report in reports for task in report.tasks]
    accounts = _accounts(account for report in reports for account in report.fields)
    written = {
        (item.id, field.name)
        for one in definitions
        for item in one.objects
        for field in item.fields
    }
    activity = [one for one in accounts.values() if category_of(one.object_type) == "activity"]
    known = {key for key, one in accounts.items() if one.note != NO_RULE}
    return Figures(
        name=str(path),
        definitions=len(definitions),
        dags=sum(one.dag_source is not None for one in conversions),
        tasks=len(tasks),
        placeholders=sum(not task.migrated for task in tasks),
        fields=len(written | accounts.keys()),
        accounted=len(known),
        activity_fields=len(activity),
        kept=sum(one.status in _KEPT for one in activity),
        settled=sum(one.status in _KEPT | {Status.DROPPED} for one in accounts.values()),
        findings=sum(
            finding.severity.value == "error" for one in conversions for finding in one.findings
        ),
        refused="; ".join(
            finding.message
            for one in conversions
            if one.report is None and one.crash is None
            for finding in one.findings
        ),
        problems=tuple(_problems(conversions, outcomes)),
    )


def total(all_figures: Sequence[Figures]) -> Figures:
    """Add figures up.

    :param all_figures: those of each file.
    :returns: their sums.
    """

    def added(name: str) -> int:
        return sum(getattr(one, name) for one in all_figures)

    names = [name for name, kind in Figures.__annotations__.items() if kind is int]
    return Figures(
        name=f"{len(all_figures)} files",
        problems=tuple(problem for one in all_figures for problem in one.problems),
        **{name: added(name) for name in names},
    )


def _accounts(accounts: Iterable[FieldAccount]) -> dict[tuple[str, str], FieldAccount]:
    """Take of a field that several DAGs account for the account that needs most attention."""
    found: dict[tuple[str, str], FieldAccount] = {}
    for one in accounts:
        key = (one.object_id, one.field)
        if key not in found or _weight(one) > _weight(found[key]):
            found[key] = one
    return found


def _weight(account: FieldAccount) -> int:
    return list(Status).index(account.status)


def _problems(
    conversions: Sequence[Conversion], outcomes: dict[str, ImportOutcome]
) -> Iterable[str]:
    for one in conversions:
        if one.crash is not None:
            yield f"crash: {one.crash.strip().splitlines()[-1]}"
        outcome = outcomes.get(f"{one.dag_id}.py")
        if one.dag_source is None or outcome is None:
            continue
        if outcome.error is not None or one.dag_id not in outcome.dag_ids:
            yield f"import error in {one.dag_id}: {outcome.error or 'no DAG in it'}"
        yield from (f"import warning in {one.dag_id}: {text}" for text in outcome.warnings)
