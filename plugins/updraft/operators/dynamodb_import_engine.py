"""What the ways to get files into a table have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.table import TableDescription, TableReference
from updraft.dynamodb.table_import import ImportResult
from updraft.operators.waiting import Deferral


@dataclass(frozen=True)
class ImportRequest:
    """The arguments of an import after they have been checked.

    :param import_id: identity of the import, the same in each attempt of a task instance.
    :param attempt: number of the attempt, higher than that of every earlier one.
    :param table: the table.
    :param s3_uri: URI of the prefix with the files, or of a manifest.
    :param import_format: name of the format, ``None`` to find it out.
    :param format_options: options of the format.
    :param write_throughput_ratio: share of the table's write capacity, above 0, at most 1.
    :param keep_existing: whether items that the table has stay as they are.
    :param rejected_records: where records that are no items go, ``None`` to fail at the first.
    :param rejected_argument: what the user calls ``rejected_records``, for error messages.
    :param checkpoint: where progress is noted, ``None`` for the prefix with the files.
    :param table_creation_parameters: the new table of the engine ``native``, as in the API.
    :param series: which attempts belong together, see :mod:`updraft.operators.try_series`; empty
        where an import that is complete is never done again.
    """

    import_id: str
    attempt: int
    table: TableReference
    s3_uri: str
    import_format: str | None = None
    format_options: Mapping[str, Any] = field(default_factory=dict)
    write_throughput_ratio: float = 0.25
    keep_existing: bool = False
    rejected_records: S3Prefix | None = None
    rejected_argument: str = "dead_letter_s3_uri"
    checkpoint: S3Prefix | None = None
    table_creation_parameters: Mapping[str, Any] | None = None
    series: str = ""


@dataclass(frozen=True)
class ImportOutcome:
    """What an engine did.

    :param result: what became of the records.
    :param table: the table.
    :param attributes: type keys of the attributes that were seen, by name.
    :param import_arn: ARN of the import, if AWS made it.
    """

    result: ImportResult
    table: TableDescription
    attributes: Mapping[str, Sequence[str]]
    import_arn: str | None = None


class ImportEngine(Protocol):
    """One way to get files into a table."""

    def import_files(self, request: ImportRequest) -> ImportOutcome | Deferral:
        """Import files.

        :param request: what to import.
        :returns: what was done, or what to wait for.
        :raises UpdraftError: when it was not possible.
        """

    def resume(self, request: ImportRequest, event: Mapping[str, Any]) -> ImportOutcome | Deferral:
        """Go on after a deferral.

        :param request: what to import.
        :param event: the event of the trigger.
        :returns: what was done, or what else to wait for.
        :raises UpdraftError: when it was not possible.
        """

    def stop(self) -> None:
        """Stop an import that is going on; called from a signal handler."""
