"""Imports files from S3 into a DynamoDB table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.choices import require_choice
from updraft.compat import AirflowFailException, Context
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.formats import FORMAT_NAMES
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.owned_glue_resources import owner_arguments
from updraft.operators.dynamodb_base import (
    copy_identity,
    options_argument,
    prefix_argument,
    task_identity,
    throughput_ratio,
)
from updraft.operators.dynamodb_copy import DynamoDBCopyOperator
from updraft.operators.dynamodb_import_engine import ImportEngine, ImportOutcome, ImportRequest
from updraft.operators.dynamodb_import_glue import GlueImportEngine
from updraft.operators.dynamodb_import_native import NativeImportEngine
from updraft.operators.dynamodb_import_worker import WorkerImportEngine
from updraft.operators.dynamodb_verify_engine import VerifyEngine, VerifyRequest
from updraft.operators.failures import task_failure
from updraft.operators.template_arguments import given
from updraft.operators.try_series import series_digest
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


def _native_engine(operator: "DynamoDBImportOperator") -> ImportEngine:
    return NativeImportEngine(
        operator.hook,
        operator.s3_hook_parameters,
        deferrable=operator.deferrable,
        poll_interval=operator.poll_interval,
    )


def _glue_engine(operator: "DynamoDBImportOperator") -> ImportEngine:
    return GlueImportEngine(
        operator.hook,
        operator.s3_hook_parameters,
        operator.glue_runs("--import_id"),
        operator.glue_arguments,
        operator.owner_arguments,
    )


IMPORT_ENGINES: dict[str, Callable[["DynamoDBImportOperator"], ImportEngine]] = {
    "glue": _glue_engine,
    "native": _native_engine,
    "worker": lambda operator: WorkerImportEngine(operator.hook, operator.s3_hook_parameters),
}
"""Makes the engine of an operator, by the name that the argument ``engine`` takes."""


class DynamoDBImportOperator(DynamoDBCopyOperator):
    """Import files from S3 into a DynamoDB table.

    It takes the place of AWS Data Pipeline's template "Import DynamoDB backup data from S3", and
    reads what the legacy exports wrote, DynamoDB's own exports (full and incremental), what
    :class:`updraft.operators.dynamodb_export.DynamoDBExportOperator` writes, and plain files.

    ``engine="worker"`` writes into an existing table, at a share of its write capacity; what the
    table has under other keys stays. Progress is noted in a small object,
    ``_updraft/import_<id>.json``, so that a retry goes on where the last attempt stopped, and a
    task that was killed after its work was complete succeeds without writing anything. A task that
    is cleared after its success imports again.

    ``engine="glue"`` does the same with a Spark job on AWS Glue, which writes more than one machine
    can. It imports files side by side, so that no key may be in two of them.

    ``engine="native"`` lets DynamoDB create a new table from the files.

    .. seealso::
        https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-template-importddbfroms3.html
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html

    :param table_name: name or ARN of the table. (templated)
    :param s3_uri: ``s3://bucket/prefix`` with the files, or the URI of a manifest. (templated)
    :param engine: what does the work: ``worker``, ``glue`` or ``native``. (templated)
    :param import_format: format of the files, see ``docs/dynamodb-formats.md``. By default what the
        manifest says, and ``DATA_PIPELINE`` where it says nothing. (templated)
    :param format_options: options of the format, such as ``{"delimiter": ";"}``. (templated)
    :param write_throughput_ratio: share of the table's write capacity that ``worker`` may use,
        above 0 and at most 1; of 40,000 units per second for a table in on-demand mode. (templated)
    :param on_conflict: what happens to an item that the table has already: ``put`` replaces it,
        ``skip`` leaves it alone. (templated)
    :param on_error: what happens to a record that is no item for this table: ``fail`` stops at the
        first one, ``dead_letter`` keeps them all at ``dead_letter_s3_uri`` and goes on. (templated)
    :param dead_letter_s3_uri: ``s3://bucket/prefix`` for records that were rejected. (templated)
    :param checkpoint_s3_uri: ``s3://bucket/prefix`` where progress is noted, by default the prefix
        with the files. (templated)
    :param mode: ``import`` writes; ``verify`` compares files and table as
        :class:`updraft.operators.dynamodb_verify.DynamoDBVerifyOperator` does, writes nothing, and
        fails if the table lacks something. The ratio is then one of the read capacity. (templated)
    :param table_creation_parameters: the table that ``native`` creates, as
        ``TableCreationParameters`` of the API without its name. (templated)
    :param glue_job_name: name of the Glue job of the engine ``glue``, which must exist; see
        ``docs/dynamodb-glue.md``. (templated)
    :param glue_workers: number of workers of the run, by default that of the job.
    :param glue_worker_type: type of these workers, if a number is given.
    :param glue_arguments: further arguments of the run, such as ``{"--enable-metrics": "true"}``.
        (templated)
    :param deferrable: whether the task gives its slot back while AWS imports.
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
        "import_format",
        "format_options",
        "write_throughput_ratio",
        "on_conflict",
        "on_error",
        "dead_letter_s3_uri",
        "checkpoint_s3_uri",
        "mode",
        "table_creation_parameters",
        "glue_job_name",
        "glue_arguments",
    )

    def __init__(
        self,
        *,
        engine: str = "worker",
        import_format: str | None = None,
        format_options: Mapping[str, Any] | str | None = None,
        write_throughput_ratio: float | str = 0.25,
        on_conflict: str = "put",
        on_error: str = "fail",
        dead_letter_s3_uri: str | None = None,
        checkpoint_s3_uri: str | None = None,
        mode: str = "import",
        table_creation_parameters: Mapping[str, Any] | None = None,
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
        self.import_format = import_format
        self.format_options = format_options
        self.write_throughput_ratio = write_throughput_ratio
        self.on_conflict = on_conflict
        self.on_error = on_error
        self.dead_letter_s3_uri = dead_letter_s3_uri
        self.checkpoint_s3_uri = checkpoint_s3_uri
        self.mode = mode
        self.table_creation_parameters = table_creation_parameters
        self.glue_job_name = glue_job_name
        self.glue_workers = glue_workers
        self.glue_worker_type = glue_worker_type
        self.glue_arguments = glue_arguments
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self._outcome: ImportOutcome | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Import the files.

        :param context: context of the task instance.
        :returns: ``table_arn``, ``files``, ``items``, ``deleted``, ``skipped``, ``superseded``,
            ``rejected``, ``rejected_records`` (URI) and ``already_imported`` (whether an earlier
            attempt had done all of it, so that this one wrote nothing); with the engine ``native``
            also ``import_arn``. With ``mode="verify"`` what
            :class:`updraft.dynamodb.difference_report.DifferenceReport` holds.
        :raises AirflowFailException: when an argument or a record is wrong, which no retry can
            mend.
        :raises AirflowException: when the import failed.
        """
        request = self._checked_request(context)
        self.persist_link(context, S3Prefix.parse(request.s3_uri))
        if self.mode == "verify":
            return self._verify(request)
        return self._run(lambda engine: engine.import_files(request))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Go on when AWS has made the import.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowFailException: as :meth:`execute`.
        :raises AirflowException: when the import failed.
        """
        request = self._checked_request(context)
        return self._run(lambda engine: engine.resume(request, event))

    def _verify(self, request: ImportRequest) -> dict[str, Any]:
        """Compare files and table; what the table has besides is no difference after an import."""
        self._engine = engine = VerifyEngine(self.hook, self.s3_hook_parameters)
        try:
            self._kill_switch.check()
            report = engine.verify(
                VerifyRequest(
                    verification_id=request.import_id,
                    table=request.table,
                    s3_uri=request.s3_uri,
                    import_format=request.import_format,
                    format_options=request.format_options,
                    read_throughput_ratio=request.write_throughput_ratio,
                    partial=True,
                    differences=request.rejected_records,
                )
            )
        except UpdraftError as error:
            raise task_failure(error) from None
        if report.differences:
            raise AirflowFailException(report.summary())
        return asdict(report)

    def _run(self, step: Callable[[ImportEngine], ImportOutcome | Deferral]) -> dict[str, Any]:
        self._engine = engine = IMPORT_ENGINES[self.engine](self)
        try:
            self._kill_switch.check()
            outcome = step(engine)
        except UpdraftError as error:
            raise task_failure(error) from None
        if isinstance(outcome, Deferral):
            self.defer(
                trigger=outcome.trigger, method_name="execute_complete", timeout=outcome.timeout
            )
        self._outcome = outcome
        arn = {"import_arn": outcome.import_arn} if outcome.import_arn else {}
        return {**asdict(outcome.result), **arn}

    def _checked_request(self, context: Context) -> ImportRequest:
        try:
            return self._request(context)
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None

    def _request(self, context: Context) -> ImportRequest:
        self.owner_arguments = owner_arguments(ResourceOwner.of(context))
        self.check_engine(IMPORT_ENGINES)
        require_choice("mode", self.mode, ("import", "verify"))
        require_choice("on_conflict", self.on_conflict, ("put", "skip"))
        require_choice("on_error", self.on_error, ("fail", "dead_letter"))
        if self.import_format:
            require_choice("import_format", self.import_format, FORMAT_NAMES)
        keeps_rejected = self.on_error == "dead_letter"
        if keeps_rejected and not given(self.dead_letter_s3_uri):
            raise ArgumentError(
                "dead_letter_s3_uri: on_error='dead_letter' needs a prefix such as "
                "s3://bucket/rejected/{{ ds }}"
            )
        if not keeps_rejected and given(self.dead_letter_s3_uri):
            raise ArgumentError(
                f"dead_letter_s3_uri: {self.dead_letter_s3_uri!r} has no meaning with "
                "on_error='fail'; leave it out, or use on_error='dead_letter'"
            )
        location = S3Prefix.parse(self.s3_uri)
        return ImportRequest(
            import_id=copy_identity(
                task_identity(context),
                self.import_format or None,
                options_argument(self.format_options),
                self.on_conflict,
            ),
            attempt=context["ti"].try_number,
            table=self.parse_table(),
            s3_uri=location.uri,
            import_format=given(self.import_format),
            format_options=options_argument(self.format_options),
            write_throughput_ratio=throughput_ratio(
                "write_throughput_ratio", self.write_throughput_ratio
            ),
            keep_existing=self.on_conflict == "skip",
            rejected_records=(
                prefix_argument("dead_letter_s3_uri", self.dead_letter_s3_uri)
                if keeps_rejected
                else None
            ),
            checkpoint=prefix_argument("checkpoint_s3_uri", self.checkpoint_s3_uri),
            table_creation_parameters=self.table_creation_parameters,
            series=series_digest(context),
        )

    def _planned_lineage(self, table_arn: str | None, s3_uri: str) -> "OperatorLineage[Any, Any]":
        from updraft.operators.dynamodb_lineage import planned_import  # noqa: PLC0415 - optional

        return planned_import(table_arn, s3_uri)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name prefix and table, and say how much was written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        if self._outcome is None:
            return self.get_openlineage_facets_on_start()
        try:
            from updraft.operators.dynamodb_lineage import finished_import  # noqa: PLC0415
        except ImportError:
            return None
        return finished_import(
            S3Prefix.parse(self.s3_uri).uri,
            self._outcome.table,
            self._outcome.result,
            self._outcome.attributes,
            self._outcome.import_arn,
        )
