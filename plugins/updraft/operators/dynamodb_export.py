"""Exports a DynamoDB table to S3."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.choices import require_choice
from updraft.compat import AirflowFailException, Context
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.formats import FORMAT_NAMES
from updraft.errors import UpdraftError
from updraft.hooks.owned_glue_resources import owner_arguments
from updraft.operators.dynamodb_base import (
    options_argument,
    task_identity,
    throughput_ratio,
)
from updraft.operators.dynamodb_copy import DynamoDBCopyOperator
from updraft.operators.dynamodb_export_engine import (
    ExportEngine,
    ExportOutcome,
    ExportRequest,
    PointInTime,
)
from updraft.operators.dynamodb_export_glue import GlueExportEngine
from updraft.operators.dynamodb_export_native import NativeExportEngine
from updraft.operators.dynamodb_export_worker import WorkerExportEngine
from updraft.operators.failures import task_failure
from updraft.operators.template_arguments import given, time_argument
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


_EXPORT_TYPES = ("FULL_EXPORT", "INCREMENTAL_EXPORT")
_EXPORT_VIEW_TYPES = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")


def _native_engine(operator: "DynamoDBExportOperator") -> ExportEngine:
    return NativeExportEngine(
        operator.hook,
        operator.s3_hook_parameters,
        deferrable=operator.deferrable,
        poll_interval=operator.poll_interval,
    )


def _glue_engine(operator: "DynamoDBExportOperator") -> ExportEngine:
    return GlueExportEngine(
        operator.hook,
        operator.s3_hook_parameters,
        operator.glue_runs("--export_id"),
        operator.glue_arguments,
        operator.owner_arguments,
    )


EXPORT_ENGINES: dict[str, Callable[["DynamoDBExportOperator"], ExportEngine]] = {
    "glue": _glue_engine,
    "native": _native_engine,
    "worker": lambda operator: WorkerExportEngine(operator.hook, operator.s3_hook_parameters),
}
"""Makes the engine of an operator, by the name that the argument ``engine`` takes."""


class DynamoDBExportOperator(DynamoDBCopyOperator):
    """Export a DynamoDB table to S3.

    It takes the place of AWS Data Pipeline's template "Export DynamoDB table to S3", and by default
    writes the same files: one JSON item per line, and a ``manifest`` last, whose presence says that
    the export is complete. All ten types come out as they are stored, numbers with all their
    digits.

    ``engine="worker"`` scans the table on the Airflow worker, at a share of its read capacity. File
    names derive from DAG, task, map index, run and attempt; segments that are finished are noted
    beside them. So a retry goes on where the last attempt stopped, even while a lost one is still
    running, and a task that was killed after its work was complete finds the result and succeeds.
    A prefix that holds anything else is refused.

    ``engine="glue"`` does the same with a Spark job on AWS Glue, for tables that are too large
    for one machine. A retry adopts a run of the job that goes on.

    ``engine="native"`` lets DynamoDB export a point in time from its backups, without any read
    capacity: the whole table, or the changes of a period. The table needs point-in-time recovery.

    .. seealso::
        https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-template-exportddbtos3.html
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.HowItWorks.html

    :param table_name: name or ARN of the table. (templated)
    :param s3_uri: ``s3://bucket/prefix`` that the files go to, without anything in it so far.
        (templated)
    :param engine: what does the work: ``worker``, ``glue`` or ``native``. (templated)
    :param export_format: format of the files: with ``worker`` any of ``DATA_PIPELINE`` (the
        default), ``DYNAMODB_JSON``, ``DYNAMODB_JSON_LINES``, ``ION``, ``CSV`` and ``PARQUET``; with
        ``native`` ``DYNAMODB_JSON`` (the default) or ``ION``. (templated)
    :param format_options: options of the format, such as ``{"delimiter": ";"}``; see
        ``docs/dynamodb-formats.md``. Only for ``worker``. (templated)
    :param read_throughput_ratio: share of the table's read capacity that ``worker`` may use,
        above 0 and at most 1; of 40,000 units per second for a table in on-demand mode.
        (templated)
    :param total_segments: number of segments that ``worker`` reads the table in, by default one
        for every 64 MB and at least four; at most eight are read at the same time. What a retry
        has to read again is the unfinished ones.
    :param export_type: what ``native`` exports: ``FULL_EXPORT``, the whole table, or
        ``INCREMENTAL_EXPORT``, what has changed in a period. (templated)
    :param export_time: state of the table that a full export shows, by default the current one;
        a time, or its text in ISO 8601. (templated)
    :param export_from_time: begin of the period, inclusive. (templated)
    :param export_to_time: end of the period, exclusive; 15 minutes to 24 hours after its begin.
        (templated)
    :param export_view_type: whether an incremental export shows changed items as they are
        (``NEW_IMAGE``) or also as they were (``NEW_AND_OLD_IMAGES``).
    :param kms_key_id: KMS key that encrypts the files of ``native``. (templated)
    :param glue_job_name: name of the Glue job of the engine ``glue``, which must exist; see
        ``docs/dynamodb-glue.md``. (templated)
    :param glue_workers: number of workers of the run, by default that of the job.
    :param glue_worker_type: type of these workers, if a number is given.
    :param glue_arguments: further arguments of the run, such as ``{"--enable-metrics": "true"}``.
        (templated)
    :param deferrable: whether the task gives its slot back while AWS exports.
    :param poll_interval: seconds between two looks at what AWS is doing.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the table; by default that of the table's ARN, then that of the
        connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own
        (standard retries, ten attempts, a pooled connection for each thread).
    """

    template_fields: Sequence[str] = aws_template_fields(
        "table_name",
        "s3_uri",
        "engine",
        "export_format",
        "format_options",
        "read_throughput_ratio",
        "export_type",
        "export_time",
        "export_from_time",
        "export_to_time",
        "kms_key_id",
        "glue_job_name",
        "glue_arguments",
    )

    def __init__(
        self,
        *,
        engine: str = "worker",
        export_format: str | None = None,
        format_options: Mapping[str, Any] | str | None = None,
        read_throughput_ratio: float | str = 0.25,
        total_segments: int | None = None,
        export_type: str = "FULL_EXPORT",
        export_time: datetime | str | None = None,
        export_from_time: datetime | str | None = None,
        export_to_time: datetime | str | None = None,
        export_view_type: str = "NEW_AND_OLD_IMAGES",
        kms_key_id: str | None = None,
        glue_job_name: str | None = None,
        glue_workers: int | None = None,
        glue_worker_type: str = "G.1X",
        glue_arguments: Mapping[str, str] | None = None,
        deferrable: bool = True,
        poll_interval: int = 30,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.engine = engine
        self.export_format = export_format
        self.format_options = format_options
        self.read_throughput_ratio = read_throughput_ratio
        self.total_segments = total_segments
        self.export_type = export_type
        self.export_time = export_time
        self.export_from_time = export_from_time
        self.export_to_time = export_to_time
        self.export_view_type = export_view_type
        self.kms_key_id = kms_key_id
        self.glue_job_name = glue_job_name
        self.glue_workers = glue_workers
        self.glue_worker_type = glue_worker_type
        self.glue_arguments = glue_arguments
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self._outcome: ExportOutcome | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Export the table.

        :param context: context of the task instance.
        :returns: ``manifest`` (URI), ``items``, ``bytes``, ``files``, ``table_arn`` and
            ``already_exported`` (whether an earlier attempt had done all of it, so that this one
            read nothing; never with ``native``); with the engine ``native`` also ``export_arn``.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when the export failed.
        """
        request = self._checked_request(context)
        self.persist_link(context, request.location)
        return self._run(lambda engine: engine.export(request))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Go on when AWS has made the export.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowFailException: as :meth:`execute`.
        :raises AirflowException: when the export failed.
        """
        request = self._checked_request(context)
        return self._run(lambda engine: engine.resume(request, event))

    def _run(self, step: Callable[[ExportEngine], ExportOutcome | Deferral]) -> dict[str, Any]:
        try:
            self._engine = engine = EXPORT_ENGINES[self.engine](self)
            self._kill_switch.check()
            outcome = step(engine)
        except UpdraftError as error:
            raise task_failure(error) from None
        if isinstance(outcome, Deferral):
            self.defer(
                trigger=outcome.trigger, method_name="execute_complete", timeout=outcome.timeout
            )
        self._outcome = outcome
        arn = {"export_arn": outcome.export_arn} if outcome.export_arn else {}
        return {**asdict(outcome.result), **arn}

    def _checked_request(self, context: Context) -> ExportRequest:
        try:
            return self._request(context)
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None

    def _request(self, context: Context) -> ExportRequest:
        self.owner_arguments = owner_arguments(ResourceOwner.of(context))
        self.check_engine(EXPORT_ENGINES)
        default_format = "DYNAMODB_JSON" if self.engine == "native" else "DATA_PIPELINE"
        export_format = given(self.export_format) or default_format
        require_choice("export_format", export_format, FORMAT_NAMES)
        return ExportRequest(
            export_id=task_identity(context),
            attempt=context["ti"].try_number,
            table=self.parse_table(),
            location=S3Prefix.parse(self.s3_uri),
            export_format=export_format,
            format_options=options_argument(self.format_options),
            read_throughput_ratio=throughput_ratio(
                "read_throughput_ratio", self.read_throughput_ratio
            ),
            total_segments=self.total_segments,
            point_in_time=self._point_in_time(),
        )

    def _point_in_time(self) -> PointInTime:
        require_choice("export_type", self.export_type, _EXPORT_TYPES)
        require_choice("export_view_type", self.export_view_type, _EXPORT_VIEW_TYPES)
        return PointInTime(
            export_type=self.export_type,
            export_time=time_argument("export_time", self.export_time),
            export_from_time=time_argument("export_from_time", self.export_from_time),
            export_to_time=time_argument("export_to_time", self.export_to_time),
            export_view_type=self.export_view_type,
            kms_key_id=given(self.kms_key_id),
        )

    def _planned_lineage(self, table_arn: str | None, s3_uri: str) -> "OperatorLineage[Any, Any]":
        from updraft.operators.dynamodb_lineage import planned_export  # noqa: PLC0415 - optional

        return planned_export(table_arn, s3_uri)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Describe the table with its schema, and what was written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        if self._outcome is None:
            return self.get_openlineage_facets_on_start()
        try:
            from updraft.operators.dynamodb_lineage import finished_export  # noqa: PLC0415
        except ImportError:
            return None
        return finished_export(
            self._outcome.table,
            S3Prefix.parse(self.s3_uri).uri,
            self._outcome.result,
            self._outcome.attributes,
            self._outcome.export_arn,
        )
