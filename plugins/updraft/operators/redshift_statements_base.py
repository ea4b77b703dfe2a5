"""What the operators have in common that run SQL by the Amazon Redshift Data API."""

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from updraft.compat import AirflowFailException, Context
from updraft.errors import UpdraftError
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
from updraft.operators.redshift_statements_arguments import RedshiftStatementsArguments
from updraft.operators.template_arguments import given, truth
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.try_series import series_digest
from updraft.operators.waiting import GRACE, Deferral, may_defer
from updraft.redshift.statement import RedshiftStatement, as_plain
from updraft.resource_owner import ResourceOwner
from updraft.triggers.polling import MOST_ERRORS
from updraft.triggers.redshift_data import RedshiftStatementTrigger


class RedshiftStatementsOperator(StopsAfterTrigger, RedshiftStatementsArguments):
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

    :param kwargs: as of
        :class:`~updraft.operators.redshift_statements_arguments.RedshiftStatementsArguments`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kill_switch = KillSwitch()
        self._trigger_errors = 0
        self._runs: RedshiftStatementRuns | None = None

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
