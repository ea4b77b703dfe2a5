"""Compares a DynamoDB table with files in S3."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.choices import require_choice
from updraft.compat import AirflowFailException, Context
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.difference_report import DifferenceReport
from updraft.dynamodb.formats import FORMAT_NAMES
from updraft.errors import ArgumentError, UpdraftError
from updraft.operators.dynamodb_base import (
    DynamoDBTableOperator,
    options_argument,
    prefix_argument,
    task_identity,
    throughput_ratio,
)
from updraft.operators.dynamodb_verify_engine import VerifyEngine, VerifyRequest
from updraft.operators.failures import task_failure
from updraft.operators.template_arguments import given

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class DynamoDBVerifyOperator(DynamoDBTableOperator):
    """Compare a DynamoDB table with an export in S3, item by item.

    Both are read once, in any order and in constant memory; the worker needs about 160 bytes of
    temporary disk space for each item. Items are the same when DynamoDB holds them to be the same:
    the order of attributes and of the members of a set does not matter, nor how a number is
    written. Of several records with the same key the last one counts, as in an import. Keys that an
    incremental export says are deleted must not be in the table, and items that it does not mention
    are no differences. What is no item for the table counts as ``unreadable``, with file and line.

    The log, the result and the list of differences hold keys of items, and the reason why a record
    is unreadable can quote what is wrong in it; the values of other items appear nowhere.

    A table that is being written while it is read shows the differences that this makes; so does
    one that was written just before, unless reads are consistent.

    :param table_name: name or ARN of the table. (templated)
    :param s3_uri: ``s3://bucket/prefix`` with the files, or the URI of a manifest. (templated)
    :param import_format: format of the files, see ``docs/dynamodb-formats.md``. By default what the
        manifest says, and ``DATA_PIPELINE`` where it says nothing. (templated)
    :param format_options: options of the format, such as ``{"delimiter": ";"}``. (templated)
    :param read_throughput_ratio: share of the table's read capacity that may be used, above 0 and
        at most 1; of 40,000 units per second for a table in on-demand mode. (templated)
    :param consistent_read: whether reads are strongly consistent, for twice the capacity.
    :param allow_other_items: whether the table may have items that the files have not.
    :param on_difference: what a difference means: ``fail`` fails the task, without retries;
        ``report`` leaves it to the reader of the result. (templated)
    :param differences_s3_uri: ``s3://bucket/prefix`` for a file that lists all differences as JSON
        lines, ``differences_<id>.jsonl``; a retry writes it again. (templated)
    :param maximum_differences: number of differences that the result names one by one.
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
        "import_format",
        "format_options",
        "read_throughput_ratio",
        "on_difference",
        "differences_s3_uri",
    )

    def __init__(
        self,
        *,
        import_format: str | None = None,
        format_options: Mapping[str, Any] | str | None = None,
        read_throughput_ratio: float | str = 0.25,
        consistent_read: bool = False,
        allow_other_items: bool = False,
        on_difference: str = "fail",
        differences_s3_uri: str | None = None,
        maximum_differences: int = 100,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.import_format = import_format
        self.format_options = format_options
        self.read_throughput_ratio = read_throughput_ratio
        self.consistent_read = consistent_read
        self.allow_other_items = allow_other_items
        self.on_difference = on_difference
        self.differences_s3_uri = differences_s3_uri
        self.maximum_differences = maximum_differences
        self._engine: VerifyEngine | None = None
        self._report: DifferenceReport | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare table and files.

        :param context: context of the task instance.
        :returns: what :class:`updraft.dynamodb.difference_report.DifferenceReport` holds.
        :raises AirflowFailException: when an argument is wrong, or when there are differences and
            ``on_difference`` is ``fail``: no retry can mend that.
        :raises AirflowException: when one of the two could not be read.
        """
        try:
            request = self._request(context)
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        self.persist_link(context, S3Prefix.parse(request.s3_uri))
        self._engine = VerifyEngine(self.hook, self.s3_hook_parameters)
        try:
            self._report = self._engine.verify(request)
        except UpdraftError as error:
            raise task_failure(error) from None
        if self._report.differences and self.on_difference == "fail":
            raise AirflowFailException(self._report.summary())
        return asdict(self._report)

    def on_kill(self) -> None:
        """Stop reading and remove the temporary files."""
        if self._engine is not None:
            self._engine.stop()

    def _request(self, context: Context) -> VerifyRequest:
        require_choice("on_difference", self.on_difference, ("fail", "report"))
        if self.import_format:
            require_choice("import_format", self.import_format, FORMAT_NAMES)
        maximum = self.maximum_differences
        if not isinstance(maximum, int) or maximum < 1:
            raise ArgumentError(f"maximum_differences: {maximum!r} is not a whole number above 0")
        return VerifyRequest(
            verification_id=task_identity(context),
            table=self.parse_table(),
            s3_uri=S3Prefix.parse(self.s3_uri).uri,
            import_format=given(self.import_format),
            format_options=options_argument(self.format_options),
            read_throughput_ratio=throughput_ratio(
                "read_throughput_ratio", self.read_throughput_ratio
            ),
            consistent_read=self.consistent_read,
            partial=self.allow_other_items,
            differences=prefix_argument("differences_s3_uri", self.differences_s3_uri),
            maximum_differences=maximum,
        )

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what is known before the comparison: the prefix, and the table if by its ARN.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._lineage(self.table_name if self.table_name.startswith("arn:") else None)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name what was read.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        if self._report is None:
            return self.get_openlineage_facets_on_start()
        return self._lineage(self._report.table_arn)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """Name what was read, as far as it is known; see the one for completion."""
        return self.get_openlineage_facets_on_complete(task_instance)

    def _lineage(self, table_arn: str | None) -> "OperatorLineage[Any, Any] | None":
        try:
            from updraft.operators.dynamodb_verify_lineage import (  # noqa: PLC0415 - optional
                verification,
            )
        except ImportError:
            return None
        return verification(table_arn, S3Prefix.parse(self.s3_uri).uri)
