"""Collecting what is found wrong or odd while a file is read."""

from updraft.datapipeline.findings import Finding, Position, Severity, shown_value


class FindingCollector:
    """Keeps the findings about one file.

    :param source: how to call the file in findings.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.findings: list[Finding] = []

    def error(
        self,
        message: str,
        position: Position | None,
        advice: str = "",
        *,
        object_id: str | None = None,
        field: str | None = None,
        value: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add a finding; the same one is kept once.

        :param message: what is wrong.
        :param position: where.
        :param advice: what to do about it.
        :param object_id: id of the object or parameter.
        :param field: name of the field.
        :param value: the offending value.
        :param severity: how much it matters.
        """
        finding = Finding(
            severity=severity,
            file=self.source,
            message=message,
            advice=advice,
            position=position,
            object_id=object_id,
            field=field,
            value=shown_value(value) if value is not None else None,
        )
        if finding not in self.findings:
            self.findings.append(finding)

    def warn(
        self, message: str, position: Position | None, advice: str = "", **place: str | None
    ) -> None:
        """Add a warning.

        :param message: what is odd.
        :param position: where.
        :param advice: what to do about it.
        :param place: object, field and value as for :meth:`error`.
        """
        self.error(message, position, advice, severity=Severity.WARNING, **place)
