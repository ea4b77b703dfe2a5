"""All contenders by name, in the order in which they run, and how each is started."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dynamodb.items import BATCH

EXPORT, IMPORT = "export", "import"

TABLE, BUCKET = "benchmark", "benchmark"
"""The table that all exports read, and the bucket that they write to."""

BEST_FILE_SIZE = 64 * 1024**2
"""``file_size`` of the provider's export in bytes; beyond a few MB it makes no difference."""

IMPORTED_FORMATS = ("DYNAMODB_JSON", "DYNAMODB_JSON_LINES", "DATA_PIPELINE")

Run = Callable[[], object]


@dataclass(frozen=True)
class Work:
    """What one contender has to do.

    :param table: name of the table to read, or of an empty one to write.
    :param items: number of items.
    :param prefix: key prefix to write to, or to read from; without slashes around it.
    """

    table: str
    items: int
    prefix: str

    @property
    def uri(self) -> str:
        """URI of the prefix."""
        return f"s3://{BUCKET}/{self.prefix}"


@dataclass(frozen=True)
class Contender:
    """One way to export or import.

    :param name: its name on the command line.
    :param title: what the figures are headed by.
    :param direction: ``export`` or ``import``.
    :param prepare: imports what it needs and makes the work ready; None for awswrangler, which
        has an interpreter of its own.
    :param source: name of the export whose files it reads.
    :param needs_import_table: whether the server has to have the operation ImportTable.
    """

    name: str
    title: str
    direction: str
    prepare: Callable[[Work], Run] | None
    source: str = ""
    needs_import_table: bool = False

    def command(self, work: Work, awswrangler: Path | None) -> list[str]:
        """Make the command that runs the contender and prints its figures.

        :param work: what it has to do.
        :param awswrangler: interpreter that has awswrangler.
        :returns: program and arguments.
        """
        if self.prepare is None:
            module = "benchmarks.dynamodb.awswrangler_import"
            return [str(awswrangler), "-m", module, work.table, str(work.items)]
        module = "benchmarks.dynamodb.contender_process"
        return [sys.executable, "-m", module, self.name, work.table, str(work.items), work.prefix]


# Contenders import what they need when they are prepared: none must pay for what others need.
def _scan(work: Work) -> Run:
    from benchmarks.dynamodb import bare_client  # noqa: PLC0415 - see above

    return bare_client.scan(work.table, work.items, dump=False)


def _scan_and_dump(work: Work) -> Run:
    from benchmarks.dynamodb import bare_client  # noqa: PLC0415 - see above

    return bare_client.scan(work.table, work.items, dump=True)


def _batch_write(work: Work) -> Run:
    from benchmarks.dynamodb import bare_client  # noqa: PLC0415 - see above

    return bare_client.write(work.table, work.items)


def _worker_export(export_format: str) -> Callable[[Work], Run]:
    def prepare(work: Work) -> Run:
        from benchmarks.dynamodb import operators  # noqa: PLC0415 - see above

        return operators.worker_export(work.table, work.uri, work.items, export_format)

    return prepare


def _worker_import(import_format: str) -> Callable[[Work], Run]:
    def prepare(work: Work) -> Run:
        from benchmarks.dynamodb import operators  # noqa: PLC0415 - see above

        return operators.worker_import(work.table, work.uri, work.items, import_format)

    return prepare


def _provider_export(file_size: int | None) -> Callable[[Work], Run]:
    def prepare(work: Work) -> Run:
        from benchmarks.dynamodb import operators  # noqa: PLC0415 - see above

        arguments = {} if file_size is None else {"file_size": file_size}
        return operators.provider_export(work.table, BUCKET, f"{work.prefix}/", **arguments)

    return prepare


def _provider_import(work: Work) -> Run:
    from benchmarks.dynamodb import operators  # noqa: PLC0415 - see above

    return operators.provider_import(work.table, BUCKET, f"{work.prefix}/")


_ALL = (
    Contender("scan", "boto3 Scan, items thrown away", EXPORT, _scan),
    Contender("scan-dump", "boto3 Scan and json.dumps", EXPORT, _scan_and_dump),
    *(
        Contender(f"worker-export-{name.lower()}", f"worker, {name}", EXPORT, _worker_export(name))
        for name in (*IMPORTED_FORMATS, "CSV", "PARQUET", "ION")
    ),
    Contender("provider-export", "DynamoDBToS3Operator", EXPORT, _provider_export(None)),
    Contender(
        "provider-export-large",
        f"DynamoDBToS3Operator, file_size {BEST_FILE_SIZE // 1024**2} MiB",
        EXPORT,
        _provider_export(BEST_FILE_SIZE),
    ),
    Contender("batch-write", "boto3 BatchWriteItem from memory", IMPORT, _batch_write),
    *(
        Contender(
            f"worker-import-{name.lower()}",
            f"worker, {name}",
            IMPORT,
            _worker_import(name),
            source=f"worker-export-{name.lower()}",
        )
        for name in IMPORTED_FORMATS
    ),
    Contender("awswrangler", "awswrangler put_items from memory", IMPORT, None),
    Contender(
        "provider-import",
        "S3ToDynamoDBOperator",
        IMPORT,
        _provider_import,
        source="worker-export-dynamodb_json",
        needs_import_table=True,
    ),
)

CONTENDERS = {contender.name: contender for contender in _ALL}
"""Contender by name."""


def whole_batches(items: int) -> int:
    """Round a number of items up to whole batches.

    :param items: number of items.
    :returns: a multiple of 25.
    """
    return -(-items // BATCH) * BATCH
