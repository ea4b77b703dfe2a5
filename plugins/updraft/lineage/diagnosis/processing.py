"""What the catalog says of events that it took and could not process."""

from collections.abc import Sequence

from updraft.lineage.diagnosis.findings import Finding, error, ok
from updraft.lineage.processing_failures import ProcessingFailure

_SHOWN = 20  # the processing of each is a case of its own


def diagnose_processing(failures: Sequence[ProcessingFailure], domain_id: str) -> Finding:
    """Say which events the catalog took and could not process.

    :param failures: the events.
    :param domain_id: id of the domain that was asked.
    :returns: the finding.
    """
    if not failures:
        return ok("processing", "the domain has processed what it took")
    listed = "; ".join(map(str, failures[:_SHOWN]))
    more = len(failures) - _SHOWN
    return error(
        "processing",
        f"{len(failures):,} events were taken and could not be processed: {listed}"
        + (f"; and {more:,} more" if more > 0 else ""),
        "read one with `aws datazone get-lineage-event --domain-identifier "
        f"{domain_id} --identifier {failures[0].event_id} event.json`, and mend what emits it",
    )
