"""Copies a table in a process of its own, as a task does, so that a test can kill it.

Arguments: ``export`` or ``import``, table, S3 URI, number of the attempt. It prints ``started``
when the work begins, and in the end a line of JSON: the result, the segments that were scanned, and
the number of records that were written.
"""

import json
import sys
from dataclasses import asdict

from updraft.dynamodb import block_ledger
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import TableScan
from updraft.dynamodb.table import TableReference
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.dynamodb_export_engine import ExportRequest
from updraft.operators.dynamodb_export_worker import WorkerExportEngine
from updraft.operators.dynamodb_import_engine import ImportRequest
from updraft.operators.dynamodb_import_worker import WorkerImportEngine

SEGMENTS = 12

direction, table, s3_uri, attempt = sys.argv[1:]
parameters = {"aws_conn_id": None, "config": client_configuration()}
hook = DynamoDBClientHook(**parameters)
progress = Progress()
scanned: list[int] = []
pages = TableScan.pages


def noted_pages(self, segment, total_segments):
    scanned.append(segment)
    return pages(self, segment, total_segments)


TableScan.pages = noted_pages
block_ledger._SAVE_INTERVAL = 0.2

print("started", flush=True)
if direction == "export":
    outcome = WorkerExportEngine(hook, parameters, progress).export(
        ExportRequest(
            export_id="chaos",
            attempt=int(attempt),
            table=TableReference.parse(table),
            location=S3Prefix.parse(s3_uri),
            export_format="DATA_PIPELINE",
            read_throughput_ratio=1.0,
            total_segments=SEGMENTS,
        )
    )
else:
    outcome = WorkerImportEngine(hook, parameters, progress).import_files(
        ImportRequest(
            import_id="chaos",
            attempt=int(attempt),
            table=TableReference.parse(table),
            s3_uri=s3_uri,
            write_throughput_ratio=1.0,
        )
    )
print(
    json.dumps(
        {
            "result": asdict(outcome.result),
            "scanned": sorted(scanned),
            "written": progress.items - progress.items_before,
        }
    )
)
