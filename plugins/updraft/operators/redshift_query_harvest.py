"""Takes lineage out of Amazon Redshift's history of queries."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, NoReturn

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.outbox import open_outbox
from updraft.hooks.redshift_data import RedshiftDatabase, RedshiftStatementsHook
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.failures import task_failure
from updraft.operators.lineage import configured_outbox_uri
from updraft.operators.redshift_history_harvest import (
    LONGEST_LOOK_BACK,
    QueryProgress,
    RedshiftQueryHarvest,
)
from updraft.operators.redshift_lookups import RedshiftLookups, StatementGoesOnError
from updraft.operators.template_arguments import given, number_argument, truth
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.try_series import series_digest
from updraft.operators.waiting import GRACE, check_poll_interval, may_defer
from updraft.resource_owner import ResourceOwner
from updraft.triggers.polling import MOST_ERRORS
from updraft.triggers.redshift_data import RedshiftStatementTrigger


class HarvestRedshiftQueriesOperator(StopsAfterTrigger, AwsOperator[RedshiftStatementsHook]):
    """Take lineage out of the history of queries of a cluster or workgroup, each query once.

    Amazon DataZone collects lineage from Amazon Redshift itself, but leaves ``COPY``, ``UNLOAD``,
    ``MERGE``, ``UPDATE`` and ``DELETE`` out. This reads which of them have ended since the last
    run, whoever has run them, and puts a start and an end of each into the outbox, from where
    ``ForwardLineageOperator`` takes them.

    The task asks by the Data API and waits for answers without a slot. It asks everything once: it
    goes on where it was when an answer has come, and a retry finds what an earlier attempt has
    asked. A user who ends the task cancels what goes on. A query that has not ended after an hour
    is cancelled too, and the task fails.

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
    :param deferrable: wait for answers without a slot.
    :param poll_interval: longest time between two looks at a query that goes on, seconds.
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
        deferrable: bool = True,
        poll_interval: int = 10,
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
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self._trigger_errors = 0
        self._lookups: RedshiftLookups | None = None

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    def execute(self, context: Context) -> dict[str, int]:
        """Harvest what is new.

        :param context: Airflow's context.
        :returns: counts by name; see
            :class:`~updraft.operators.redshift_history_harvest.QueryCounts`.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when Redshift or the outbox refuses.
        """
        return self._go_on(context, QueryProgress(), None)

    def execute_complete(
        self, context: Context, event: dict[str, Any], progress: dict[str, Any]
    ) -> dict[str, int]:
        """Go on after a deferral.

        :param context: Airflow's context.
        :param event: the event of the trigger.
        :param progress: what was done before.
        :returns: as :meth:`execute`.
        """
        if event["status"] != "success":
            self.log.warning("The trigger ended with: %s", event.get("message"))
        self._trigger_errors = event.get("errors", 0)
        waited = event["statement_id"], event["give_up_at"]
        return self._go_on(context, QueryProgress.of_document(progress), waited)

    def on_kill(self) -> None:
        """Cancel the query that goes on; called from a signal handler."""
        if self._lookups is not None:
            self._lookups.stop()

    def stop_after_trigger(self, context: Context) -> None:
        """Cancel the query that goes on.

        :param context: context of the task instance.
        """
        try:
            self._lookups_of(context, self._place(), None).stop_all()
        except UpdraftError as error:
            self.log.warning("What the task has asked may go on. %s", error)

    def _go_on(
        self, context: Context, progress: QueryProgress, waited: tuple[str | None, float] | None
    ) -> dict[str, int]:
        try:
            check_poll_interval(self.poll_interval)
            hours = number_argument("look_back_hours", self.look_back_hours)
            if hours > LONGEST_LOOK_BACK:
                raise ArgumentError(
                    f"look_back_hours: {hours:g} is more than the {LONGEST_LOOK_BACK:g} that "
                    "Amazon Redshift keeps its history"
                )
            minutes = number_argument("overlap_minutes", self.overlap_minutes)
            place = self._place()
            lookups = self._lookups = self._lookups_of(context, place, waited)
            harvest = self._harvest(place, lookups, progress)
            counts = harvest.run(timedelta(hours=hours), timedelta(minutes=minutes))
        except UpdraftError as error:
            raise task_failure(error) from None
        except StatementGoesOnError as waiting:
            if waiting.why:
                self.log.info("Redshift takes no calls at the moment; waiting. %s", waiting.why)
            self._wait(waiting, progress)
        said = asdict(counts)
        self.log.info("Queries: %s", ", ".join(f"{name} {count}" for name, count in said.items()))
        return said

    def _wait(self, waiting: StatementGoesOnError, progress: QueryProgress) -> NoReturn:
        trigger = RedshiftStatementTrigger(
            statement_id=waiting.statement_id,
            step=0,
            adopted=waiting.adopted,
            give_up_at=waiting.give_up_at,
            waiter_delay=self.poll_interval,
            aws_conn_id=self.aws_conn_id,
            region_name=self.hook.conn_region_name,
            verify=self.verify,
            botocore_config=client_configuration(self.botocore_config),
            errors=self._trigger_errors,
        )
        self.defer(
            trigger=trigger,
            method_name="execute_complete",
            kwargs={"progress": progress.as_document()},
            timeout=timedelta(seconds=max(0.0, waiting.give_up_at - time.time())) + GRACE,
        )

    def _lookups_of(
        self, context: Context, place: RedshiftDatabase, waited: tuple[str | None, float] | None
    ) -> RedshiftLookups:
        waits_here = not may_defer(deferrable=self.deferrable)
        if self._trigger_errors >= MOST_ERRORS:
            self.log.warning("The triggerer can't look; the task waits in its slot")
            waits_here = True
        return RedshiftLookups(
            self.hook,
            place,
            ResourceOwner.of(context),
            series_digest(context),
            interval=self.poll_interval if waits_here else None,
            waited=waited,
        )

    def _place(self) -> RedshiftDatabase:
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
        return place

    def _harvest(
        self, place: RedshiftDatabase, lookups: RedshiftLookups, progress: QueryProgress
    ) -> RedshiftQueryHarvest:
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
            lookups.rows,
            progress,
        )
