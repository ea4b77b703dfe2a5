"""Exports a table with a Spark job on AWS Glue."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from updraft.aws.s3_destination import S3Destination
from updraft.dynamodb.attempt import Attempt
from updraft.dynamodb.formats import create_format, format_identity
from updraft.dynamodb.table import TableDescription
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.s3 import s3_client
from updraft.operators.dynamodb_export_engine import ExportOutcome, ExportRequest, PointInTime
from updraft.operators.dynamodb_glue_engine import GlueEngine
from updraft.operators.glue_job_calls import JobRun
from updraft.operators.waiting import Deferral
from updraft.spark.export_job import ExportArguments

log = logging.getLogger(__name__)


class GlueExportEngine(GlueEngine):
    """Lets a Glue job scan the table, with as many workers as it takes.

    The job runs ``include/glue/dynamodb_export.py``. Its files are those of the engine ``worker``;
    so are the checkpoints, by which a retry goes on where the last attempt stopped.
    """

    def export(self, request: ExportRequest) -> ExportOutcome | Deferral:
        """Export a table, or adopt what an earlier attempt has done or begun.

        :param request: what to export.
        :returns: what was done, or what to wait for.
        :raises UpdraftError: when it was not possible; no manifest exists then.
        """
        if request.point_in_time != PointInTime():
            raise ArgumentError(
                "export_type, export_time, export_from_time, export_to_time, export_view_type and "
                "kms_key_id are for engine='native'; the engine glue exports the table as it is"
            )
        table = self._described(request.table)
        finished = self._result(request, table)
        if finished is not None:
            log.warning("Nothing is read: an earlier attempt has exported everything")
            return replace(finished, result=replace(finished.result, already_exported=True))
        ended = self._ended(self._script_arguments(request), request.attempt)
        return self._outcome(request, table, ended)

    def resume(self, request: ExportRequest, event: Mapping[str, Any]) -> ExportOutcome | Deferral:
        """Go on after a deferral.

        :param request: what to export.
        :param event: the event of the trigger.
        :returns: what was done, or what to wait for again.
        :raises UpdraftError: when it was not possible.
        """
        if self._has_room(event):
            return self.export(request)
        return self._outcome(request, self._described(request.table), self._runs.look_again(event))

    def _script_arguments(self, request: ExportRequest) -> ExportArguments:
        return ExportArguments(
            table_name=request.table.text,
            s3_uri=request.location.uri,
            export_id=request.export_id,
            attempt=request.attempt,
            region_name=self._hook.conn_region_name,
            export_format=request.export_format,
            format_options=dict(request.format_options),
            read_throughput_ratio=request.read_throughput_ratio,
            total_segments=request.total_segments,
        )

    def _outcome(
        self, request: ExportRequest, table: TableDescription, ended: JobRun | Deferral
    ) -> ExportOutcome | Deferral:
        if isinstance(ended, Deferral):
            return ended
        outcome = self._result(request, table)
        if outcome is None:
            raise UpdraftError(
                f"Run {ended['Id']} has succeeded, but {request.location.uri} has no complete "
                "export. Does the job run include/glue/dynamodb_export.py, and does nothing else "
                "write or delete there?"
            )
        log.info(
            "Glue exported %s items in %s files, %s bytes, in %s s",
            f"{outcome.result.items:,}",
            f"{outcome.result.files:,}",
            f"{outcome.result.bytes:,}",
            ended.get("ExecutionTime"),
        )
        return outcome

    def _result(self, request: ExportRequest, table: TableDescription) -> ExportOutcome | None:
        """Read what the manifest says, if there is one."""
        item_format = create_format(request.export_format, table.key_types, request.format_options)
        attempt = Attempt(
            S3Destination(s3_client(**self._s3_hook_parameters), request.location),
            request.export_id,
            request.attempt,
            table_arn=table.arn,
            item_format=format_identity(request.export_format, request.format_options),
            file_suffix=item_format.file_suffix,
        )
        result = attempt.adopt(clean=False)
        return None if result is None else ExportOutcome(result, table, attempt.attributes)
