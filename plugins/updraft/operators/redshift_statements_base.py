"""What the operators have in common that run SQL by the Amazon Redshift Data API."""

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import AirflowFailException, Context
from updraft.errors import UpdraftError
from updraft.hooks.redshift_data import RedshiftDatabase, RedshiftStatementsHook
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.redshift_availability import Availability
from updraft.operators.redshift_plan import Plan, plan_of
from updraft.operators.redshift_statement_calls import (
    FinishedStatements,
    RedshiftStatementCalls,
    StatementFailedError,
    StatementOutcome,
    shown_sql,
)
from updraft.operators.redshift_statement_runs import (
    LONGEST_WAIT,
    RedshiftStatementRuns,
    Waiting,
)
from updraft.operators.template_arguments import given, truth
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.try_series import series_digest
from updraft.operators.waiting import GRACE, Deferral, check_poll_interval, may_defer
from updraft.redshift.statement import RedshiftStatement, as_plain
from updraft.resource_owner import ResourceOwner
from updraft.triggers.polling import MOST_ERRORS
from updraft.triggers.redshift_data import RedshiftStatementTrigger


class RedshiftStatementsOperator(StopsAfterTrigger, AwsOperator[RedshiftStatementsHook]):
    """Base of the operators that run statements, each once however often the task is tried.

    Statements are submitted under a name and a token of the task instance, its series of attempts
    and its work. Each attempt looks for them before it submits any:

    - What has finished in this series of attempts is the result, and is not run again. After a
      user has cleared the task, a new series begins; see :mod:`updraft.operators.try_series`.
    - What goes on is adopted and waited for. What was cancelled with the attempt that had
      submitted it is submitted anew, as is what has failed.
    - What goes on of an earlier series, or of other work of the task, is ended first.

    AWS forgets statements and tokens 24 hours after the end of a statement; a retry that comes
    later runs them again.

    A user who ends the task cancels what goes on, also while the task is deferred (from Airflow
    3.3 on; before, the next attempt adopts it).

    :param database: name of the database. (templated)
    :param cluster_identifier: the cluster. (templated)
    :param workgroup_name: the workgroup of Redshift Serverless, instead of a cluster. (templated)
    :param db_user: the database user; for a cluster only. (templated)
    :param secret_arn: ARN or name of a secret with ``username`` and ``password``. Without it and
        ``db_user`` the identity of IAM connects. (templated)
    :param query_group: query group of the statements, by which workload management chooses their
        queue. (templated)
    :param transaction: whether the statements are one transaction. Otherwise each counts as soon
        as it has ended, they share a session where they have to, and a retry goes on with the one
        that failed. (templated)
    :param wait_for_available: whether to wait while the cluster is paused, resized and so on; by
        default the task fails then and says so. (templated)
    :param deferrable: whether the task gives its slot back while Redshift works; it looks for some
        seconds first.
    :param poll_interval: seconds between two looks; the first pauses are shorter.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own
        (standard retries, ten attempts).
    """

    aws_hook_class = RedshiftStatementsHook
    ui_color = "#dfe8f5"
    template_fields: Sequence[str] = aws_template_fields(
        "database",
        "cluster_identifier",
        "workgroup_name",
        "db_user",
        "secret_arn",
        "query_group",
        "transaction",
        "wait_for_available",
    )

    def __init__(
        self,
        *,
        database: str,
        cluster_identifier: str | None = None,
        workgroup_name: str | None = None,
        db_user: str | None = None,
        secret_arn: str | None = None,
        query_group: str | None = None,
        transaction: bool | str = True,
        wait_for_available: bool | str = False,
        deferrable: bool = True,
        poll_interval: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database = database
        self.cluster_identifier = cluster_identifier
        self.workgroup_name = workgroup_name
        self.db_user = db_user
        self.secret_arn = secret_arn
        self.query_group = query_group
        self.transaction = transaction
        self.wait_for_available = wait_for_available
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.kill_switch = KillSwitch()
        self._trigger_errors = 0
        self._runs: RedshiftStatementRuns | None = None

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    @property
    def place(self) -> RedshiftDatabase:
        """The database, and who connects to it."""
        return RedshiftDatabase(
            database=given(self.database) or "",
            cluster_identifier=given(self.cluster_identifier),
            workgroup_name=given(self.workgroup_name),
            db_user=given(self.db_user),
            secret_arn=given(self.secret_arn),
        )

    @property
    def in_transaction(self) -> bool:
        """Whether the statements are one transaction."""
        return truth("transaction", self.transaction)

    @abstractmethod
    def statements(self, context: Context) -> Sequence[RedshiftStatement]:
        """Say what is to be run.

        :param context: context of the task instance.
        :returns: the statements, in order.
        :raises UpdraftError: when there are none.
        """

    def identity(self) -> object:
        """Say what the work is, so that a retry recognises it.

        An operator whose statements depend on what is in the database overrides it, since they
        differ after the work was done.

        :returns: what can be written as JSON; ``None`` to take the statements themselves.
        """
        return None

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong, which no retry can mend.
        """
        check_poll_interval(self.poll_interval)
        self.place.check()
        truth("transaction", self.transaction)
        truth("wait_for_available", self.wait_for_available)

    def finished(self, context: Context, run: FinishedStatements) -> Any:
        """Make the result of the task. It may be called in another process than :meth:`statements`.

        :param context: context of the task instance.
        :param run: how the statements went.
        :returns: the result for XCom.
        :raises UpdraftError: when there is none.
        """
        del context
        return {"statement_id": run.id, "rows": [one.rows for one in run.outcomes]}

    def failed(self, context: Context, error: StatementFailedError) -> UpdraftError:
        """Say more about a statement that failed.

        :param context: context of the task instance.
        :param error: how it failed.
        :returns: the error that the task ends with.
        """
        del context
        return error

    def rows(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> list[dict[str, Any]]:
        """Run a short query, such as one of the catalog, and give its rows.

        :param sql: the query.
        :param parameters: value by name.
        :returns: value by name of the column, for each row.
        :raises UpdraftError: when it fails.
        """
        return self.hook.rows(self.place, sql, parameters)

    def execute(self, context: Context) -> Any:
        """Run the statements, or find them run.

        :param context: context of the task instance.
        :returns: what :meth:`finished` makes of them.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when a statement failed.
        """
        try:
            self.check()
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        give_up_at = time.time() + LONGEST_WAIT.total_seconds()
        return self.carry_out(lambda: self._advanced(context, give_up_at, None))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after a deferral.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: when a statement failed.
        """
        if event["status"] != "success":
            self.log.warning("The trigger ended with: %s", event.get("message"))
        self._trigger_errors = event.get("errors", 0)
        ended = Waiting(event["statement_id"], event["step"], event["adopted"])
        return self.carry_out(lambda: self._advanced(context, event["give_up_at"], ended))

    def on_kill(self) -> None:
        """Cancel the statement; called from a signal handler."""
        self.kill_switch.throw()
        if self._runs is not None:
            self._runs.stop()

    def stop_after_trigger(self, context: Context) -> None:
        """Cancel the statement.

        :param context: context of the task instance.
        """
        try:
            self._runs_of(context, time.time()).stop()
        except UpdraftError as error:
            self.log.warning("What the task has begun may go on. %s", error)

    def _advanced(self, context: Context, give_up_at: float, ended: Waiting | None) -> Any:
        runs = self._runs = self._runs_of(context, give_up_at)
        while True:
            try:
                outcome = runs.advance(ended)
            except StatementFailedError as error:
                raise self.failed(context, error) from None
            if isinstance(outcome, FinishedStatements):
                self._report(outcome.outcomes)
                return self.finished(context, outcome)
            if outcome.statement_id is None:
                self.log.info("Redshift takes no statement at the moment; waiting. %s", outcome.why)
                if time.time() > give_up_at:
                    raise UpdraftError(f"{outcome.why} It has been so for {LONGEST_WAIT}.")
            if may_defer(deferrable=self._may_defer()):
                return self._deferral(outcome, give_up_at)
            time.sleep(self.poll_interval)
            ended = outcome

    def _runs_of(self, context: Context, give_up_at: float) -> RedshiftStatementRuns:
        identity = self.identity()
        found: Sequence[RedshiftStatement] | None = None
        if identity is None:
            found = self.statements(context)
            identity = [as_plain(one) for one in found]
        group = given(self.query_group)
        work = [identity, group, self.in_transaction]

        def plan() -> Plan:
            statements = self.statements(context) if found is None else found
            return plan_of(statements, query_group=group, transaction=self.in_transaction)

        return RedshiftStatementRuns(
            RedshiftStatementCalls(
                self.hook, self.place, ResourceOwner.of(context), series_digest(context), work
            ),
            plan,
            is_one_call=self.in_transaction,
            hidden=1 if group else 0,
            interval=None if self._may_defer() else self.poll_interval,
            give_up_at=give_up_at,
            kill_switch=self.kill_switch,
            is_worth_waiting=Availability(
                self._hook_parameters,
                self.place.cluster_identifier,
                waits=truth("wait_for_available", self.wait_for_available),
            ).is_worth_waiting,
        )

    def _may_defer(self) -> bool:
        if self._trigger_errors >= MOST_ERRORS:
            self.log.warning("The triggerer can't look; the task waits in its slot")
            return False
        return may_defer(deferrable=self.deferrable)

    def _deferral(self, waiting: Waiting, give_up_at: float) -> Deferral:
        trigger = RedshiftStatementTrigger(
            statement_id=waiting.statement_id,
            step=waiting.step,
            adopted=waiting.adopted,
            give_up_at=give_up_at,
            waiter_delay=self.poll_interval,
            aws_conn_id=self.aws_conn_id,
            region_name=self.hook.conn_region_name,
            verify=self.verify,
            botocore_config=client_configuration(self.botocore_config),
            errors=self._trigger_errors,
        )
        seconds = max(0.0, give_up_at - time.time())
        return Deferral(trigger, timedelta(seconds=seconds) + GRACE)

    def _report(self, outcomes: Sequence[StatementOutcome]) -> None:
        for number, one in enumerate(outcomes, start=1):
            rows = "" if one.rows < 0 else f", {one.rows} rows"
            self.log.info(
                "Statement %d: %.1f s%s, query %d: %s",
                number,
                one.seconds,
                rows,
                one.query_id,
                shown_sql(one.sql),
            )
