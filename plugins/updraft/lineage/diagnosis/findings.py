"""What a diagnosis has found, from all well to an error."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    """Events are lost, or will be, or do not reach the catalog."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    :param check: what was looked at, such as ``transport``.
    :param severity: how bad it is.
    :param message: what was seen.
    :param advice: what to do about it, empty when there is nothing to do.
    """

    check: str
    severity: Severity
    message: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """Give it as JSON can carry it."""
        return asdict(self)


def ok(check: str, message: str) -> Finding:
    """Make a finding that all is well.

    :param check: what was looked at.
    :param message: what was seen.
    :returns: the finding.
    """
    return Finding(check, Severity.OK, message)


def warning(check: str, message: str, advice: str) -> Finding:
    """Make a finding that somebody should know of.

    :param check: what was looked at.
    :param message: what was seen.
    :param advice: what to do about it.
    :returns: the finding.
    """
    return Finding(check, Severity.WARNING, message, advice)


def error(check: str, message: str, advice: str) -> Finding:
    """Make a finding that costs events.

    :param check: what was looked at.
    :param message: what was seen.
    :param advice: what to do about it.
    :returns: the finding.
    """
    return Finding(check, Severity.ERROR, message, advice)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether there is an error among findings.

    :param findings: the findings.
    :returns: whether there is one.
    """
    return any(one.severity is Severity.ERROR for one in findings)
