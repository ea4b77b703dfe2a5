"""Takes lineage out of Amazon Redshift's history of queries."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.outbox import open_outbox
from updraft.hooks.redshift_data import RedshiftDatabase, RedshiftStatementsHook
from updraft.lineage.harvest_outbox import HarvestOutbox
from updraft.lineage.harvest_position import HarvestPosition
from updraft.lineage.outbox import Outbox
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.failures import task_failure
from updraft.operators.lineage import configured_outbox_uri
from updraft.operators.redshift_query_events import QueryEvents
from updraft.operators.template_arguments import given, number_argument, truth
from updraft.redshift.query_history import (
    LEFT_OUT_BY_THE_CATALOG,
    WRITING,
    past_queries,
    server_time,
    users_named,
)

LONGEST_LOOK_BACK = 168.0
"""Hours that Amazon Redshift keeps its history: seven days."""

_WINDOW = timedelta(hours=6)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass
class QueryCounts:
    """What was done with a history.

    :param queries: queries that were read.
    :param without_lineage: those whose SQL names no table or file that can be told.
    :param stored: events that were new.
    :param duplicates: events that were harvested before.
    """

    queries: int = 0
    without_lineage: int = 0
    stored: int = 0
    duplicates: int = 0


@dataclass(frozen=True)
class RedshiftQueryHarvest:
    """A harvest of the history of a database.

    :param hook: access to the Data API.
    :param database: the database, and who reads its history.
    :param outbox: where events and position go.
    :param every_statement: whether statements whose lineage the catalog finds itself are harvested
        as well.
    :param exclude_users: names of database users whose queries are left out.
    """

    hook: RedshiftStatementsHook
    database: RedshiftDatabase
    outbox: Outbox
    every_statement: bool = False
    exclude_users: Sequence[str] = ()

    def run(self, look_back: timedelta, overlap: timedelta) -> QueryCounts:
        """Harvest what has ended since the last time.

        :param look_back: where to begin the first time.
        :param overlap: how long before the end of the last time to begin, because a query may turn
            up in the history a while after it has ended.
        :returns: what was done.
        :raises UpdraftError: when history or outbox cannot be read or written.
        """
        position = HarvestPosition(self.outbox, self._reader)
        until, through = server_time(self._rows), position.load()
        begin = until - look_back if through is None else through - overlap
        begin = max(begin, until - timedelta(hours=LONGEST_LOOK_BACK))
        others = users_named(self._rows, self.exclude_users)
        counts = QueryCounts()
        while begin < until:
            end = min(begin + _WINDOW, until)
            self._harvest(begin, end, others, counts)
            position.save(end)
            begin = end
        return counts

    def _harvest(
        self, since: datetime, until: datetime, others: Sequence[int], counts: QueryCounts
    ) -> None:
        target = HarvestOutbox(self.outbox)
        events = QueryEvents(self.hook, self.database)
        types = WRITING if self.every_statement else LEFT_OUT_BY_THE_CATALOG
        queries = list(
            past_queries(
                self._rows,
                self.database.database,
                since,
                until,
                types=types,
                without_users=others,
            )
        )
        for identity, found in events.of(queries):
            target.add(found, identity)
        target.save()
        counts.queries += len(queries)
        counts.without_lineage += len(events.unreadable)
        counts.stored += target.stored
        counts.duplicates += target.duplicates

    def _rows(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        return self.hook.rows(self.database, sql, parameters)

    @property
    def _reader(self) -> str:
        place = self.database
        name = f"{place.cluster_identifier or place.workgroup_name}-{place.database}"
        digest = sha256(f"{self.hook.conn_region_name}/{name}".encode()).hexdigest()[:8]
        return f"redshift-{_UNSAFE.sub('_', name)[:80]}-{digest}"


class HarvestRedshiftQueriesOperator(AwsOperator[RedshiftStatementsHook]):
    """Take lineage out of the history of queries of a cluster or workgroup, each query once.

    Amazon DataZone collects lineage from Amazon Redshift itself, but leaves ``COPY``, ``UNLOAD``,
    ``MERGE``, ``UPDATE`` and ``DELETE`` out. This reads which of them have ended since the last
    run, whoever has run them, and puts a start and an end of each into the outbox, from where
    ``ForwardLineageOperator`` takes them.

    A query of the Data API takes seconds, so the task waits for it in its slot.

    .. seealso:: ``docs/lineage-harvest.md``; SYS_QUERY_HISTORY in the Amazon Redshift Database
        Developer Guide.

    :param cluster_identifier: the cluster. (templated)
    :param workgroup_name: or the workgroup of Redshift Serverless, or its ARN. (templated)
    :param database: the database whose queries are harvested. (templated)
    :param db_user: the database user that reads the history; it needs the role ``sys:monitor`` to
        see the queries of others. (templated)
    :param secret_arn: or a secret of Secrets Manager. (templated)
    :param outbox_uri: ``s3://bucket/prefix`` or ``file:///directory``; the URI of the
        ``OutboxTransport`` in ``[openlineage] transport`` if empty. (templated)
    :param every_statement: harvest ``INSERT``, ``CREATE TABLE AS`` and other DDL too: for external
        tables, which the catalog leaves out, or for a catalog that collects nothing itself.
        (templated)
    :param exclude_users: database users whose queries have lineage already, such as the one that
        Airflow connects as; a list, or a text with commas. (templated)
    :param look_back_hours: where to begin for the first time, at most 168. (templated)
    :param overlap_minutes: how long before the end of the last run to begin. (templated)
    :param kwargs: as of the provider's ``AwsBaseOperator``.
    """

    aws_hook_class = RedshiftStatementsHook
    template_fields: Sequence[str] = aws_template_fields(
        "cluster_identifier",
        "workgroup_name",
        "database",
        "db_user",
        "secret_arn",
        "outbox_uri",
        "every_statement",
        "exclude_users",
        "look_back_hours",
        "overlap_minutes",
    )
    ui_color = "#e8e4f5"

    def __init__(
        self,
        *,
        cluster_identifier: str | None = None,
        workgroup_name: str | None = None,
        database: str = "dev",
        db_user: str | None = None,
        secret_arn: str | None = None,
        outbox_uri: str | None = None,
        every_statement: bool | str = False,
        exclude_users: Sequence[str] | str | None = None,
        look_back_hours: float | str = 24,
        overlap_minutes: float | str = 15,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_identifier = cluster_identifier
        self.workgroup_name = workgroup_name
        self.database = database
        self.db_user = db_user
        self.secret_arn = secret_arn
        self.outbox_uri = outbox_uri
        self.every_statement = every_statement
        self.exclude_users = exclude_users
        self.look_back_hours = look_back_hours
        self.overlap_minutes = overlap_minutes

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002 - Airflow's interface
        """Harvest what is new.

        :param context: Airflow's context.
        :returns: counts by name; see :class:`QueryCounts`.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when Redshift or the outbox refuses.
        """
        try:
            hours = number_argument("look_back_hours", self.look_back_hours)
            if hours > LONGEST_LOOK_BACK:
                raise ArgumentError(
                    f"look_back_hours: {hours:g} is more than the {LONGEST_LOOK_BACK:g} that "
                    "Amazon Redshift keeps its history"
                )
            minutes = number_argument("overlap_minutes", self.overlap_minutes)
            counts = self._harvest().run(timedelta(hours=hours), timedelta(minutes=minutes))
        except UpdraftError as error:
            raise task_failure(error) from None
        said = asdict(counts)
        self.log.info("Queries: %s", ", ".join(f"{name} {count}" for name, count in said.items()))
        return said

    def _harvest(self) -> RedshiftQueryHarvest:
        place = RedshiftDatabase(
            database=given(self.database) or "",
            cluster_identifier=given(self.cluster_identifier),
            workgroup_name=given(self.workgroup_name),
            db_user=given(self.db_user),
            secret_arn=given(self.secret_arn),
        )
        try:
            place.check()
        except UpdraftError as error:
            raise ArgumentError(str(error)) from None
        named = self.exclude_users or ()
        users = named.split(",") if isinstance(named, str) else named
        outbox = open_outbox(
            given(self.outbox_uri) or configured_outbox_uri(),
            aws_conn_id=self.aws_conn_id,
            verify=self.verify,
            config=self.botocore_config,
        )
        return RedshiftQueryHarvest(
            self.hook,
            place,
            outbox,
            truth("every_statement", self.every_statement),
            [name.strip() for name in users if name.strip()],
        )
