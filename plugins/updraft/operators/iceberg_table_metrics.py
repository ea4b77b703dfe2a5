"""Publishes metrics of Iceberg tables, and the dashboard and alarms over them."""

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import explained
from updraft.errors import UpdraftError
from updraft.hooks.cloudwatch import CloudWatchClientHook
from updraft.hooks.glue import GlueClientHook
from updraft.hooks.s3 import s3_client
from updraft.iceberg.dashboard import anomaly_alarms, dashboard_body
from updraft.iceberg.metric_data import OLDEST, batches, metric_datum, recent
from updraft.iceberg.metrics import (
    Metric,
    aggregated_partition_metrics,
    file_metrics,
    partition_figures,
    partition_metrics,
    snapshot_metrics,
    table_metrics,
)
from updraft.iceberg.table_state import TableSnapshot, TableState
from updraft.lineage.naming import s3_prefix
from updraft.operators.aws_operator import AwsOperator
from updraft.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

NAMESPACE = "Updraft/Iceberg"
"""Namespace of the metrics, if none is given."""

_ICEBERG = "iceberg"


class IcebergTableListOperator(AwsOperator[GlueClientHook]):
    """List the Iceberg tables of the Data Catalog whose names match.

    :param tables: patterns such as ``sales.*`` or ``sales.orders``, with ``*``, ``?`` and
        ``[...]`` in the name of the table, or their JSON. (templated)
    :param kwargs: as of the provider's operators.
    """

    aws_hook_class = GlueClientHook
    template_fields: Sequence[str] = aws_template_fields("tables")

    def __init__(self, *, tables: Sequence[str] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tables = tables

    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002
        """List them.

        :param context: context of the task instance.
        :returns: ``database`` and ``table`` of each, sorted, as a mapped task takes them.
        :raises UpdraftError: when a pattern is none, or finds no Iceberg table.
        """
        found: set[tuple[str, str]] = set()
        for pattern in self._patterns():
            database, _, name = pattern.partition(".")
            matching = {(database, table) for table in self._tables(database, name)}
            if not matching:
                raise UpdraftError(
                    f"tables: {pattern!r} finds no Iceberg table in the Data Catalog"
                )
            found |= matching
        return [{"database": database, "table": table} for database, table in sorted(found)]

    def _tables(self, database: str, pattern: str) -> Iterator[str]:
        for table in self.hook.pages(
            "GetTables", "TableList", f"database {database!r}", DatabaseName=database
        ):
            kind = str(table.get("Parameters", {}).get("table_type", "")).lower()
            if kind == _ICEBERG and fnmatch.fnmatchcase(table["Name"], pattern):
                yield table["Name"]

    def _patterns(self) -> Sequence[str]:
        patterns: Any = self.tables
        if isinstance(patterns, str):
            try:
                patterns = json.loads(patterns)
            except ValueError:
                patterns = [part.strip() for part in patterns.split(",")]
        if not isinstance(patterns, list) or not patterns:
            raise UpdraftError(f"tables: {self.tables!r} names no table; it looks like ['sales.*']")
        for pattern in patterns:
            database, dot, name = str(pattern).partition(".")
            if not (database and dot and name) or set(database) & set("*?["):
                raise UpdraftError(
                    f"tables: {pattern!r} is no pattern; it looks like 'sales.*' or 'sales.orders'"
                )
        return patterns


class IcebergTableMetricsOperator(AwsOperator[GlueClientHook]):
    """Send what an Iceberg table's metadata tells to CloudWatch.

    Only metadata is read. Figures carry the moment of their snapshot: with a window, each snapshot
    whose moment is in it is reported, and files and partitions as of the newest of them; without
    one, the current snapshot.

    A writer stamps a snapshot before it commits it, so a window may still gain snapshots after its
    end. Windows that follow each other report each snapshot of the current branch once if they are
    read later than their end by more than a commit takes. A retry may send a figure twice: average,
    minimum and maximum stay the same, sum and number of samples do not, since CloudWatch knows no
    idempotent request.

    .. seealso:: https://iceberg.apache.org/spec/#snapshots

    :param database: database of the table in the Data Catalog. (templated)
    :param table: its name. (templated)
    :param namespace: namespace of the metrics. (templated)
    :param window_start: begin of the window, in ISO format; empty for none. (templated)
    :param window_end: end of the window, exclusive; before the task runs, by more than a commit
        takes. (templated)
    :param partition_limit: for how many partitions, those with most records first, figures of
        their own are sent; each is a custom metric that CloudWatch charges for. (templated)
    :param kwargs: as of the provider's operators.
    """

    aws_hook_class = GlueClientHook
    template_fields: Sequence[str] = aws_template_fields(
        "database", "table", "namespace", "window_start", "window_end", "partition_limit"
    )

    def __init__(
        self,
        *,
        database: str,
        table: str,
        namespace: str = NAMESPACE,
        window_start: str = "",
        window_end: str = "",
        partition_limit: int | str = 100,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database = database
        self.table = table
        self.namespace = namespace
        self.window_start = window_start
        self.window_end = window_end
        self.partition_limit = partition_limit
        self._location: str | None = None

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002
        """Read the metadata and send the metrics.

        :param context: context of the task instance.
        :returns: ``snapshots`` that were reported and ``metrics`` that were sent.
        :raises UpdraftError: when it is no Iceberg table, or AWS refuses.
        """
        begin, end = (
            _moment("window_start", self.window_start),
            _moment("window_end", self.window_end),
        )
        limit = self._limit()
        now = datetime.now(UTC)
        state = TableState(self._metadata_location(), self._read)
        snapshots = state.snapshots()
        # What was committed after the window belongs to the next one.
        known = [one for one in snapshots if end is None or one.moment < end]
        reported = [one for one in known if begin is None or one.moment >= begin]
        if begin is None:
            reported = reported[-1:]
        kept, old = recent(self._metrics(state, known, reported, limit, min(end or now, now)), now)
        if old:
            self.log.warning(
                "%s figures are of snapshots older than %s days, which CloudWatch does not take",
                f"{old:,}",
                OLDEST.days,
            )
        data = [metric_datum(metric, self.database, self.table) for metric in kept]
        sent = CloudWatchClientHook(**self._hook_parameters).put_metrics(
            self.namespace, batches(data)
        )
        self.log.info(
            "Sent %s metrics of %s snapshots of %s.%s",
            f"{sent:,}",
            len(reported),
            self.database,
            self.table,
        )
        return {"snapshots": len(reported), "metrics": sent}

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> "OperatorLineage[Any, Any]":  # noqa: ARG002
        """Name the table's prefix as input.

        :param task_instance: the task instance.
        :returns: the lineage; metrics are no dataset.
        """
        # Where OpenLineage is not installed, nobody calls this.
        from airflow.providers.common.compat.openlineage.facet import (  # noqa: PLC0415
            InputDataset,
        )
        from airflow.providers.openlineage.extractors import OperatorLineage  # noqa: PLC0415

        inputs = [InputDataset(*s3_prefix(self._location))] if self._location else []
        return OperatorLineage(inputs=inputs)

    def _metrics(
        self,
        state: TableState,
        known: Sequence[TableSnapshot],
        reported: Sequence[TableSnapshot],
        limit: int,
        moment: datetime,
    ) -> Iterator[Metric]:
        yield from table_metrics(state.snapshot_count, known[-1].moment if known else None, moment)
        for snapshot in reported:
            yield from snapshot_metrics(snapshot)
        if not reported:
            return
        newest = reported[-1]
        files = list(state.files(newest.id))
        yield from file_metrics(files, newest.moment)
        partitions = partition_figures(files)
        yield from aggregated_partition_metrics(partitions, newest.moment)
        yield from partition_metrics(partitions[:limit], newest.moment)
        if len(partitions) > limit:
            self.log.info(
                "%s of %s partitions have no figures of their own (partition_limit is %s)",
                f"{len(partitions) - limit:,}",
                f"{len(partitions):,}",
                limit,
            )

    def _metadata_location(self) -> str:
        name = f"{self.database}.{self.table}"
        answer = self.hook.request(
            "GetTable", f"table {name!r}", DatabaseName=self.database, Name=self.table
        )
        parameters = answer["Table"].get("Parameters", {})
        location = parameters.get("metadata_location")
        if str(parameters.get("table_type", "")).lower() != _ICEBERG or not location:
            raise UpdraftError(f"{name} is no Iceberg table in the Data Catalog")
        self._location = answer["Table"].get("StorageDescriptor", {}).get("Location")
        return str(location)

    def _read(self, uri: str) -> bytes:
        bucket, key = parse_s3_uri(uri)
        client = s3_client(**self._hook_parameters)
        with explained("s3:GetObject", uri):
            return client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def _limit(self) -> int:
        if not str(self.partition_limit).isdecimal():
            raise UpdraftError(f"partition_limit: {self.partition_limit!r} is not a number")
        return int(self.partition_limit)


class IcebergDashboardOperator(AwsOperator[CloudWatchClientHook]):
    """Keep a CloudWatch dashboard and anomaly alarms for Iceberg tables.

    They are templates in ``include/infra/cloudwatch``. What is as it should be is left alone.

    :param tables: ``database`` and ``table`` of each, or their JSON. (templated)
    :param dashboard_name: name of the dashboard; alarms begin with it too. (templated)
    :param namespace: namespace of the metrics. (templated)
    :param alarm_actions: ARNs that an alarm notifies, or their JSON. (templated)
    :param band: width of the band of normal values, in standard deviations. (templated)
    :param period: seconds that a data point covers. (templated)
    :param kwargs: as of the provider's operators.
    """

    aws_hook_class = CloudWatchClientHook
    template_fields: Sequence[str] = aws_template_fields(
        "tables", "dashboard_name", "namespace", "alarm_actions", "band", "period"
    )

    def __init__(
        self,
        *,
        tables: Sequence[Mapping[str, str]] | str,
        dashboard_name: str,
        namespace: str = NAMESPACE,
        alarm_actions: Sequence[str] | str = (),
        band: float | str = 2,
        period: int | str = 3600,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tables = tables
        self.dashboard_name = dashboard_name
        self.namespace = namespace
        self.alarm_actions = alarm_actions
        self.band = band
        self.period = period

    def execute(self, context: Context) -> list[str]:  # noqa: ARG002
        """Apply the templates.

        :param context: context of the task instance.
        :returns: names of the dashboard and the alarms that had to be made or changed.
        :raises UpdraftError: when AWS refuses.
        """
        tables = [dict(one) for one in _listed(self.tables)]
        settings: dict[str, Any] = {"namespace": self.namespace, "period": int(self.period)}
        body = dashboard_body(tables, region=self.hook.conn_region_name or "", **settings)
        changed = []
        if self.hook.ensure_dashboard(self.dashboard_name, body):
            changed.append(self.dashboard_name)
        alarms = anomaly_alarms(
            tables,
            prefix=self.dashboard_name,
            band=float(self.band),
            actions=list(_listed(self.alarm_actions)),
            **settings,
        )
        changed += [alarm["AlarmName"] for alarm in alarms if self.hook.ensure_alarm(alarm)]
        self.log.info("Made or changed: %s", ", ".join(changed) or "nothing")
        return changed


def _listed(value: Any) -> Sequence[Any]:
    return json.loads(value or "[]") if isinstance(value, str) else list(value)


def _moment(argument: str, value: str) -> datetime | None:
    if value in {"", "None"}:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise UpdraftError(
            f"{argument}: {value!r} is no moment; it looks like 2026-11-23T05:00:00+00:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
