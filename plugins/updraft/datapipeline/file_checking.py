"""Checks of what a file holds: of every definition in it, and of the values given for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from updraft.datapipeline.checking import check
from updraft.datapipeline.findings import Finding, Severity, did_you_mean
from updraft.datapipeline.mentions import mentions
from updraft.datapipeline.model import Definition, Parameter, ParameterValue
from updraft.datapipeline.reading import ReadResult
from updraft.datapipeline.resolution import Resolved
from updraft.datapipeline.slots import repair_slots


@dataclass(frozen=True)
class Checked:
    """A definition that was checked.

    :param definition: with values in the right slots, and what was given beside the file.
    :param resolved: its objects with inheritance applied.
    :param findings: what was found wrong or odd in it.
    """

    definition: Definition
    resolved: Resolved
    findings: tuple[Finding, ...]


def check_definition(
    definition: Definition,
    values: tuple[ParameterValue, ...] = (),
    parameters: tuple[Parameter, ...] = (),
) -> Checked:
    """Check a definition together with what is given beside its file.

    :param definition: the definition as read.
    :param values: parameter values that go before those in the file.
    :param parameters: parameters declared in a file of their own.
    :returns: the definition and all findings, in the order of the file.
    """
    declared = definition.parameters_by_name
    added = tuple(one for one in parameters if one.name not in declared)
    repaired, slots = repair_slots(definition.with_parameters(added).with_values(values))
    resolved, found = check(repaired)
    findings = [*slots, *(one for one in found if not _said_before(one, slots))]
    findings.sort(key=by_place)
    return Checked(repaired, resolved, tuple(findings))


def check_result(
    result: ReadResult,
    values: tuple[ParameterValue, ...] = (),
    parameters: tuple[Parameter, ...] = (),
) -> tuple[Finding, ...]:
    """Check everything that could be read of a file.

    :param result: what came out of reading it.
    :param values: parameter values that go before those in the file.
    :param parameters: parameters declared in a file of their own.
    :returns: all findings in the order of the file, each once.
    """
    findings = [*result.findings]
    for definition in result.definitions:
        findings += check_definition(definition, values, parameters).findings
    return tuple(sorted(dict.fromkeys(findings), key=by_place))


def by_place(finding: Finding) -> tuple[int, int]:
    """Give what findings are sorted by.

    :param finding: the finding.
    :returns: line and column.
    """
    return (finding.position.line, finding.position.column) if finding.position else (0, 0)


def unknown_values(
    definitions: Sequence[Definition],
    values: Iterable[ParameterValue],
    parameters: Iterable[Parameter] = (),
) -> list[Finding]:
    """Find values for parameters that no definition has.

    :param definitions: all definitions that the values are given for.
    :param values: the values given beside their files.
    :param parameters: parameters declared in a file of their own.
    :returns: one error for each; none when no definition has objects to compare with.
    """
    declared = {name for one in definitions for name in one.parameters_by_name}
    declared |= {one.name for one in parameters}
    declared |= {name for one in definitions for name in one.template_names}
    known = declared | {name for one in definitions for name in mentions(one)}
    if not any(one.objects for one in definitions):
        return []
    return [
        Finding(
            severity=Severity.ERROR,
            file=value.source,
            position=value.position,
            object_id=value.id,
            message="A value is given for a parameter that the definition does not have",
            advice=did_you_mean(value.name, declared, "Remove the value, or add the parameter"),
        )
        for value in values
        if value.name not in known
    ]


def _said_before(finding: Finding, others: tuple[Finding, ...]) -> bool:
    return any(
        (finding.position, finding.object_id, finding.field)
        == (other.position, other.object_id, other.field)
        for other in others
    )
