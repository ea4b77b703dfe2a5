"""Does the work of `updraft dynamodb`; what it imports brings Airflow along."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from updraft.choices import require_choice
from updraft.cli.progress_bar import progress_bar
from updraft.cli.service_reachability import require_services
from updraft.dynamodb.attempt_numbers import shell_attempt
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.difference_report import DifferenceReport
from updraft.dynamodb.formats import FORMAT_NAMES
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.table import TableReference
from updraft.errors import UpdraftError
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.operators.dynamodb_base import (
    client_configuration,
    copy_identity,
    prefix_argument,
    throughput_ratio,
)
from updraft.operators.dynamodb_export_engine import ExportRequest
from updraft.operators.dynamodb_export_worker import WorkerExportEngine
from updraft.operators.dynamodb_import_engine import ImportRequest
from updraft.operators.dynamodb_import_worker import WorkerImportEngine
from updraft.operators.dynamodb_verify_engine import VerifyEngine, VerifyRequest

if TYPE_CHECKING:
    from rich.console import Console

_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class CopyArguments:
    """What the commands have in common, as it was typed.

    :param table: name or ARN of the table.
    :param s3_uri: ``s3://bucket/prefix``.
    :param format_name: format of the files, ``None`` to find it out.
    :param options: ``NAME=VALUE`` of each option of the format.
    :param ratio: share of the table's capacity.
    :param region: region of the table, ``None`` for that of the ARN or the AWS configuration.
    :param profile: profile of the AWS configuration.
    """

    table: str
    s3_uri: str
    format_name: str | None
    options: list[str]
    ratio: float
    region: str | None
    profile: str | None


def export_table(
    arguments: CopyArguments, segments: int | None, console: "Console"
) -> dict[str, Any]:
    """Export a table.

    :param arguments: what the commands have in common; the format is ``DATA_PIPELINE`` if none is
        given.
    :param segments: number of segments of the scan, ``None`` to choose by the table's size.
    :param console: where progress is shown.
    :returns: what was written, by name.
    :raises UpdraftError: when an argument is wrong, or the export not possible.
    """
    copy = _Copy(arguments)
    format_name = arguments.format_name or "DATA_PIPELINE"
    request = ExportRequest(
        export_id=copy_identity("shell", arguments.table, copy.location.uri, format_name),
        attempt=shell_attempt(),
        table=copy.table,
        location=copy.location,
        export_format=format_name,
        format_options=copy.options,
        read_throughput_ratio=copy.ratio,
        total_segments=segments,
    )
    progress = Progress()
    engine = WorkerExportEngine(copy.connect(console), copy.parameters, progress)
    with progress_bar(progress, "Exporting", console):
        return asdict(engine.export(request).result)


def import_table(
    arguments: CopyArguments,
    console: "Console",
    *,
    keep_existing: bool,
    again: bool,
    rejected: str | None,
    checkpoint: str | None,
) -> dict[str, Any]:
    """Import files into an existing table.

    :param arguments: what the commands have in common.
    :param console: where progress is shown.
    :param keep_existing: whether items that the table has stay as they are.
    :param again: whether to import what an earlier command has imported.
    :param rejected: URI of the prefix for records that are no items, ``None`` to stop at the first.
    :param checkpoint: URI of the prefix where progress is noted, ``None`` for that of the files.
    :returns: what became of the records, by name.
    :raises UpdraftError: when an argument is wrong, or the import not possible.
    """
    copy = _Copy(arguments)
    attempt = shell_attempt()
    request = ImportRequest(
        import_id=copy_identity(
            "shell",
            arguments.table,
            copy.location.uri,
            arguments.format_name,
            copy.options,
            keep_existing,
            attempt if again else 0,
        ),
        attempt=attempt,
        table=copy.table,
        s3_uri=copy.location.uri,
        import_format=arguments.format_name,
        format_options=copy.options,
        write_throughput_ratio=copy.ratio,
        keep_existing=keep_existing,
        rejected_records=prefix_argument("--rejected", rejected),
        rejected_argument="--rejected",
        checkpoint=prefix_argument("--checkpoint", checkpoint),
    )
    progress = Progress(parts="files")
    engine = WorkerImportEngine(copy.connect(console), copy.parameters, progress)
    with progress_bar(progress, "Importing", console):
        return asdict(engine.import_files(request).result)


def verify_table(
    arguments: CopyArguments,
    console: "Console",
    *,
    consistent: bool,
    allow_other_items: bool,
    maximum: int,
) -> DifferenceReport:
    """Compare a table with files.

    :param arguments: what the commands have in common.
    :param console: where progress is shown.
    :param consistent: whether reads are strongly consistent, for twice the capacity.
    :param allow_other_items: whether the table may have more than the files have.
    :param maximum: number of differences that the report names one by one.
    :returns: what was found.
    :raises UpdraftError: when an argument is wrong, or one of the two cannot be read.
    """
    copy = _Copy(arguments)
    request = VerifyRequest(
        verification_id=copy_identity(
            "shell", arguments.table, copy.location.uri, arguments.format_name
        ),
        table=copy.table,
        s3_uri=copy.location.uri,
        import_format=arguments.format_name,
        format_options=copy.options,
        read_throughput_ratio=copy.ratio,
        consistent_read=consistent,
        partial=allow_other_items,
        maximum_differences=maximum,
    )
    progress = Progress(parts="segments and files")
    engine = VerifyEngine(copy.connect(console), copy.parameters, progress)
    with progress_bar(progress, "Comparing", console):
        return engine.verify(request)


class _Copy:
    """The arguments of a command after they have been checked."""

    def __init__(self, arguments: CopyArguments) -> None:
        if arguments.format_name is not None:
            require_choice("--format", arguments.format_name, FORMAT_NAMES)
        self.table = TableReference.parse(arguments.table)
        self.location = S3Prefix.parse(arguments.s3_uri)
        self.table.check_region(arguments.region, "--region")
        self.options = _format_options(arguments.options)
        self.ratio = throughput_ratio("--ratio", arguments.ratio)
        # Without an Airflow connection, boto3's own settings count.
        self.parameters: Mapping[str, Any] = {
            "aws_conn_id": None,
            "config": client_configuration({"connect_timeout": _CONNECT_SECONDS}),
        }
        self._region = arguments.region or self.table.region
        self._profile = arguments.profile

    def connect(self, console: "Console") -> DynamoDBClientHook:
        """Make the hook for the table, once DynamoDB and S3 answer."""
        if self._profile:
            os.environ["AWS_PROFILE"] = self._profile
        require_services(
            console,
            self.table.text,
            self.location.bucket,
            region=self._region,
            parameters=self.parameters,
        )
        return DynamoDBClientHook(region_name=self._region, **self.parameters)


def _format_options(given: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UpdraftError(f"--option: {text!r} is not NAME=VALUE, such as delimiter=;")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options
