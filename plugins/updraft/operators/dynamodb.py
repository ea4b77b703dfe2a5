"""Operators for Amazon DynamoDB."""

import difflib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import AirflowException, AirflowFailException, Context
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.export import MAXIMUM_THREADS
from updraft.dynamodb.formats import ITEM_FORMATS
from updraft.dynamodb.table import TableReference
from updraft.errors import UpdraftError
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.operators.dynamodb_export_engines import (
    ExportEngine,
    ExportOutcome,
    ExportRequest,
    WorkerExportEngine,
)
from updraft.operators.links import S3PrefixLink

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

DEFAULT_SEGMENTS = 4
"""Enough to hide the latency of AWS behind the parsing on a worker with 1 or 2 vCPUs."""

_NAMESPACE = uuid.UUID("0f2b4d6e-6a55-5c0e-9d0a-6f1f2c7f3b11")
_Choice = TypeVar("_Choice")


EXPORT_ENGINES: dict[str, Callable[["DynamoDBExportOperator"], ExportEngine]] = {
    "worker": lambda operator: WorkerExportEngine(operator.hook, operator.s3_hook_parameters),
}


class DynamoDBExportOperator(AwsBaseOperator[DynamoDBClientHook]):
    """Export a DynamoDB table to S3.

    It takes the place of AWS Data Pipeline's template "Export DynamoDB table to S3" and writes the
    same files: one JSON item per line, and a ``manifest`` last, whose presence says that the
    export is complete. All ten types come out as they are stored, numbers with all their digits.

    File names derive from DAG, task, map index, run and attempt. So a retry replaces what the
    attempts before it left, even while a lost one is still running, and a task that was killed
    after its work was complete finds the result and succeeds. A prefix that holds anything else
    is refused.

    .. seealso::
        https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-template-exportddbtos3.html

    :param table_name: name or ARN of the table. (templated)
    :param s3_uri: ``s3://bucket/prefix`` that the files go to, without anything in it so far.
        (templated)
    :param engine: what does the work: ``worker`` scans on the Airflow worker.
    :param export_format: format of the files: ``DATA_PIPELINE``.
    :param read_throughput_ratio: share of the table's read capacity that the export may use,
        above 0 and at most 1; of 40,000 units per second for a table in on-demand mode.
        (templated)
    :param total_segments: number of segments that the table is read in, 4 by default; at most
        eight are read at the same time.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the table; by default that of the table's ARN, then that of the
        connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own
        (standard retries, ten attempts, a pooled connection for each thread).
    """

    aws_hook_class = DynamoDBClientHook
    template_fields: Sequence[str] = aws_template_fields(
        "table_name", "s3_uri", "read_throughput_ratio"
    )
    operator_extra_links = (S3PrefixLink(),)
    ui_color = "#d9e6f7"

    def __init__(
        self,
        *,
        table_name: str,
        s3_uri: str,
        engine: str = "worker",
        export_format: str = "DATA_PIPELINE",
        read_throughput_ratio: float | str = 0.25,
        total_segments: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table_name = table_name
        self.s3_uri = s3_uri
        self.engine = engine
        self.export_format = export_format
        self.read_throughput_ratio = read_throughput_ratio
        self.total_segments = total_segments
        self._engine: ExportEngine | None = None
        self._outcome: ExportOutcome | None = None

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        region = self.region_name or TableReference.parse(self.table_name).region
        return {**self.s3_hook_parameters, "region_name": region}

    @property
    def s3_hook_parameters(self) -> dict[str, Any]:
        """Arguments of the hook for S3; botocore finds the bucket's region by itself."""
        own = {
            "retries": {"mode": "standard", "total_max_attempts": 10},
            "max_pool_connections": MAXIMUM_THREADS + 2,
        }
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": {**own, **(self.botocore_config or {})}}

    def execute(self, context: Context) -> dict[str, Any]:
        """Export the table.

        :param context: context of the task instance.
        :returns: ``manifest`` (URI), ``items``, ``bytes``, ``files`` and ``table_arn``.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when the export failed.
        """
        try:
            request = self._request(context)
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        self._persist_link(context, request.location)
        self._engine = _choose("engine", self.engine, EXPORT_ENGINES)(self)
        try:
            self._outcome = self._engine.export(request)
        except UpdraftError as error:
            raise AirflowException(str(error)) from None  # it is complete on its own
        return asdict(self._outcome.result)

    def _persist_link(self, context: Context, location: S3Prefix) -> None:
        try:
            S3PrefixLink.persist(
                context=context,
                operator=self,
                region_name=self.hook.conn_region_name,
                aws_partition=self.hook.conn_partition,
                bucket=location.bucket,
                prefix=location.prefix,
            )
        except Exception as error:  # noqa: BLE001 - a convenience must not fail the task
            self.log.warning("The task has no link to the AWS console: %s", error)

    def on_kill(self) -> None:
        """Stop the export; what it has written so far is removed."""
        if self._engine is not None:
            self._engine.stop()

    def _request(self, context: Context) -> ExportRequest:
        _choose("engine", self.engine, EXPORT_ENGINES)
        table = TableReference.parse(self.table_name)
        if table.region and self.region_name and table.region != self.region_name:
            raise UpdraftError(
                f"region_name: {self.region_name!r} contradicts the ARN {table.text!r}; leave one "
                "of them out"
            )
        segments = DEFAULT_SEGMENTS if self.total_segments is None else self.total_segments
        if not isinstance(segments, int) or not 1 <= segments <= 1_000_000:  # noqa: PLR2004 - API
            raise UpdraftError(
                f"total_segments: {segments!r} is not a whole number from 1 to 1,000,000"
            )
        return ExportRequest(
            export_id=_export_id(context),
            attempt=context["ti"].try_number,
            table=table,
            location=S3Prefix.parse(self.s3_uri),
            item_format=_choose("export_format", self.export_format, ITEM_FORMATS),
            read_throughput_ratio=_ratio(self.read_throughput_ratio),
            total_segments=segments,
        )

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what is known before the export: the prefix, and the table if its ARN was given.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        try:
            from updraft.operators.dynamodb_lineage import planned_export  # noqa: PLC0415 - optional
        except ImportError:
            return None
        arn = self.table_name if self.table_name.startswith("arn:") else None
        return planned_export(arn, S3Prefix.parse(self.s3_uri).uri)

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
        )

    def get_openlineage_facets_on_failure(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name what should have been read and written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self.get_openlineage_facets_on_start()


def _export_id(context: Context) -> str:
    """Identify a task instance across its attempts; JSON keeps the parts apart."""
    instance = context["ti"]
    parts = [instance.dag_id, instance.task_id, instance.map_index, instance.run_id]
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))


def _choose(argument: str, value: str, choices: Mapping[str, _Choice]) -> _Choice:
    if value in choices:
        return choices[value]
    by_lower_case = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(str(value).lower(), by_lower_case, n=1)
    hint = f"; did you mean {by_lower_case[near[0]]!r}?" if near else "."
    raise UpdraftError(
        f"{argument}: {value!r} is unknown{hint} Known: {', '.join(sorted(choices))}."
    )


def _ratio(value: float | str) -> float:
    try:
        ratio = float(value)
    except (TypeError, ValueError):
        ratio = 0.0
    if not 0 < ratio <= 1:
        raise UpdraftError(
            f"read_throughput_ratio: {value!r} is not a number above 0 and at most 1, such as 0.25"
        )
    return ratio
