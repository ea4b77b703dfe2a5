"""Imports files with a Spark job on AWS Glue."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from updraft.aws.s3_destination import S3Destination, existing_destination
from updraft.aws.s3_files import S3Files
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.import_ledger import ImportLedger, fingerprint
from updraft.dynamodb.import_source import find_import_source, require_outside
from updraft.dynamodb.table import TableDescription
from updraft.dynamodb.table_import import RejectedRecordError
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.s3 import s3_client
from updraft.operators.dynamodb_glue_engine import GlueEngine
from updraft.operators.dynamodb_import_engine import ImportOutcome, ImportRequest
from updraft.operators.glue_job_calls import GlueJobRunError, JobRun
from updraft.operators.waiting import Deferral
from updraft.spark.import_job import ImportArguments, result_of

log = logging.getLogger(__name__)

_REJECTED = re.compile(rf"{RejectedRecordError.__name__}: (.*)", re.DOTALL)


class GlueImportEngine(GlueEngine):
    """Lets a Glue job write the files into the table, with as many workers as it takes.

    The job runs ``include/glue/dynamodb_import.py``.
    """

    def import_files(self, request: ImportRequest) -> ImportOutcome | Deferral:
        """Import files, or adopt what an earlier attempt has done or begun.

        :param request: what to import.
        :returns: what was done, or what to wait for.
        :raises RejectedRecordError: at a record that is no item, unless these are kept.
        :raises UpdraftError: when it was not possible; what was written stays.
        """
        if request.table_creation_parameters is not None:
            raise ArgumentError(
                "table_creation_parameters: the engine glue writes into an existing table; leave "
                "them out, or use engine='native'"
            )
        table = self._described(request.table)
        finished = self._result(request, table, request.series)
        if finished is not None:
            log.warning("Nothing is written: an earlier attempt has imported everything")
            return replace(finished, result=replace(finished.result, already_imported=True))
        arguments = self._script_arguments(request)
        return self._outcome(request, table, lambda: self._ended(arguments, request.attempt))

    def resume(self, request: ImportRequest, event: Mapping[str, Any]) -> ImportOutcome | Deferral:
        """Go on after a deferral.

        :param request: what to import.
        :param event: the event of the trigger.
        :returns: what was done, or what to wait for again.
        :raises RejectedRecordError: as :meth:`import_files`.
        :raises UpdraftError: when it was not possible.
        """
        if self._has_room(event):
            return self.import_files(request)
        return self._outcome(
            request, self._described(request.table), lambda: self._runs.look_again(event)
        )

    def _script_arguments(self, request: ImportRequest) -> ImportArguments:
        return ImportArguments(
            table_name=request.table.text,
            s3_uri=request.s3_uri,
            import_id=request.import_id,
            attempt=request.attempt,
            series=request.series,
            region_name=self._hook.conn_region_name,
            import_format=request.import_format,
            format_options=dict(request.format_options),
            write_throughput_ratio=request.write_throughput_ratio,
            on_conflict="skip" if request.keep_existing else "put",
            dead_letter_s3_uri=_uri(request.rejected_records),
            checkpoint_s3_uri=_uri(request.checkpoint),
        )

    def _outcome(
        self,
        request: ImportRequest,
        table: TableDescription,
        wait: Callable[[], JobRun | Deferral],
    ) -> ImportOutcome | Deferral:
        try:
            ended = wait()
        except GlueJobRunError as error:
            rejected = _REJECTED.search(error.reason)
            if rejected is not None:
                raise RejectedRecordError(rejected[1]) from error
            raise
        if isinstance(ended, Deferral):
            return ended
        # What the run has done counts, also if it was begun before the task was cleared.
        outcome = self._result(request, table, series="")
        if outcome is None:
            raise UpdraftError(
                f"Run {ended['Id']} has succeeded, but the import is not noted as complete where "
                "its progress goes. Does the job run include/glue/dynamodb_import.py, may its role "
                "write there, and have the files stayed the same?"
            )
        log.info("Glue imported %s items", f"{outcome.result.items:,}")
        return outcome

    def _result(
        self, request: ImportRequest, table: TableDescription, series: str
    ) -> ImportOutcome | None:
        """Read what the ledger of the import says, if the series of attempts has completed it."""
        client = s3_client(**self._s3_hook_parameters)
        source = find_import_source(S3Files(client, sleep=time.sleep), request.s3_uri)
        require_outside(source, request.rejected_argument, request.rejected_records)
        existing_destination(client, request.rejected_records)
        ledger = ImportLedger(
            S3Destination(client, request.checkpoint or S3Prefix.parse(source.uri)),
            request.import_id,
            request.attempt,
            series,
        )
        state = ledger.load(
            table.identity, fingerprint((file.uri, file.size) for file in source.files)
        )
        if not state.complete:
            return None
        result = result_of(state, table, _uri(request.rejected_records))
        return ImportOutcome(result, table, state.attributes)


def _uri(prefix: S3Prefix | None) -> str | None:
    return None if prefix is None else prefix.uri
