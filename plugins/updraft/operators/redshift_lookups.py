"""Short queries of Amazon Redshift whose ends a task need not wait for in its slot."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.redshift_data import FINISHED_STATE, RUNNING_STATES

from updraft.compat import AirflowException
from updraft.dynamodb.service_errors import THROTTLED, ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.redshift_data import LIMITS, RedshiftDatabase, RedshiftStatementsHook
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.redshift_cancellations import cancel_statement
from updraft.operators.redshift_plan import Call
from updraft.operators.redshift_statement_calls import RedshiftStatementCalls, Submitted, shown_sql
from updraft.redshift.statement import RedshiftStatement, bound
from updraft.resource_owner import ResourceOwner
from updraft.triggers.pauses import growing_pauses

log = logging.getLogger(__name__)

_FIRST_LOOKS = (0.1, 0.2, 0.4, 0.8, 1.6)
_SHORT_PATIENCE = 5.0
_STEP = 1
_LONGEST_WAIT = 3600.0  # seconds, for one query or for room


class StatementGoesOnError(Exception):
    """A query has no result yet. The work is begun again from its last safe place when it has.

    It is no :class:`~updraft.errors.UpdraftError`, since nothing has failed: whoever makes the best
    of a failed query must not make the best of this.

    :param statement_id: id of the query; None when Redshift had no room for it.
    :param give_up_at: when the waiting ends, in seconds since 1970.
    :param adopted: whether an earlier attempt of the task submitted it.
    :param why: why there was no room.
    """

    def __init__(
        self,
        statement_id: str | None,
        give_up_at: float,
        *,
        adopted: bool = False,
        why: str | None = None,
    ) -> None:
        super().__init__(why or f"statement {statement_id} goes on")
        self.statement_id = statement_id
        self.give_up_at = give_up_at
        self.adopted = adopted
        self.why = why


class RedshiftLookups:
    """The queries of one task instance, each of which is submitted once.

    A query is submitted under a name and a token that derive from its text, so that it is found
    by whoever asks the same again: the task when it comes back from a trigger, and its next
    attempt. AWS keeps a result for 24 hours.

    :param hook: calls the Data API.
    :param place: where the queries run.
    :param owner: the task instance.
    :param series: digest of the series of attempts.
    :param interval: longest pause in seconds between two looks; None to look for some seconds only
        and then raise :class:`StatementGoesOnError`.
    :param waited: id of the query that the task has waited for, None for room, and when the waiting
        ends, in seconds since 1970; None when it has waited for nothing.
    """

    def __init__(
        self,
        hook: RedshiftStatementsHook,
        place: RedshiftDatabase,
        owner: ResourceOwner,
        series: str,
        *,
        interval: float | None,
        waited: tuple[str | None, float] | None = None,
    ) -> None:
        self._ended, self._give_up_at = waited or (None, _an_hour_from_now())
        self._hook = hook
        self._place = place
        self._owner = owner
        self._series = series
        self._interval = interval
        self._kill_switch = KillSwitch()
        self._known: list[Submitted] | None = None
        self._waiting_for: str | None = None
        if interval is None:
            # What AWS throttles for longer is better waited for without a slot.
            hook.patience = _SHORT_PATIENCE

    def rows(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """Run a query, or find it run, and give its rows.

        :param sql: the query.
        :param parameters: value by name.
        :returns: value by name of the column, for each row.
        :raises StatementGoesOnError: when the task has to wait for it.
        :raises UpdraftError: when it fails or takes too long, or AWS refuses.
        :raises AirflowException: when the task was told to stop.
        """
        while True:
            try:
                found = self._hook.result(self._finished(sql, parameters))
                break
            except UpdraftError as error:
                if self._kill_switch.is_thrown:
                    # Whoever makes the best of a failed query must not go on.
                    raise AirflowException(str(error)) from None
                if not isinstance(error, ServiceError):
                    raise
                self._wait_for_room(error)
        self._give_up_at = _an_hour_from_now()
        names = [name for name, _ in found.columns]
        return [dict(zip(names, row, strict=True)) for row in found.rows]

    def stop(self) -> None:
        """Cancel what goes on, and submit nothing more; called from a signal handler."""
        self._kill_switch.throw()
        self._cancel()

    def stop_all(self) -> None:
        """Cancel what the task instance has going on, whoever submitted it.

        :raises UpdraftError: when AWS does not say what that is.
        """
        calls = self._calls("", {})
        for one in calls.submitted():
            if one.is_active:
                cancel_statement(calls, one.id)

    def _cancel(self) -> None:
        if self._waiting_for is not None:
            cancel_statement(self._calls("", {}), self._waiting_for)

    def _calls(self, sql: str, parameters: Mapping[str, object]) -> RedshiftStatementCalls:
        work = [sql, dict(parameters)]
        return RedshiftStatementCalls(self._hook, self._place, self._owner, self._series, work)

    def _finished(self, sql: str, parameters: Mapping[str, object]) -> str:
        """Find a query finished, or wait for it, or submit it; give its id."""
        calls = self._calls(sql, parameters)
        if self._known is None:
            self._known = calls.submitted()
        own = [one for one in self._known if calls.is_own(one)]
        latest = max(own, key=lambda one: one.number, default=None)
        if latest is not None and latest.is_finished:
            return latest.id
        adopted = latest is not None and (latest.is_active or latest.id == self._ended)
        if latest is None or not adopted:
            latest = self._submitted(calls, sql, parameters, latest.number + 1 if latest else 1)
            self._give_up_at = _an_hour_from_now()
        said = self._look(calls, latest.id, adopted=adopted)
        self._known = [one for one in self._known if one.id != latest.id]
        self._known.append(latest._replace(status=said["Status"]))
        if said["Status"] != FINISHED_STATE:
            raise UpdraftError(
                f"A query of {self._place} failed: {said.get('Error') or said['Status']} It reads: "
                f"{shown_sql(sql)}"
            )
        return latest.id

    def _submitted(
        self,
        calls: RedshiftStatementCalls,
        sql: str,
        parameters: Mapping[str, object],
        number: int,
    ) -> Submitted:
        taken = bound([RedshiftStatement(sql, parameters)])
        self._kill_switch.check()
        sent = calls.submit(Call(taken.texts, taken.members()), _STEP, number)
        self._waiting_for = sent.id
        self._kill_switch.check(self._cancel)
        return sent

    def _look(
        self, calls: RedshiftStatementCalls, statement_id: str, *, adopted: bool
    ) -> dict[str, Any]:
        self._waiting_for = statement_id
        pauses = _FIRST_LOOKS if self._interval is None else growing_pauses(self._interval)
        for pause in (*pauses, None) if self._interval is None else pauses:
            said = calls.describe(statement_id)
            if said["Status"] not in RUNNING_STATES:
                self._waiting_for = None
                return said
            if time.time() > self._give_up_at:
                self._cancel()
                raise UpdraftError(
                    f"A query of {self._place} has not ended in time and was cancelled; the next "
                    f"attempt asks again. It reads: {shown_sql(str(said.get('QueryString')))}"
                )
            if pause is None:
                break
            time.sleep(pause)
        raise StatementGoesOnError(statement_id, self._give_up_at, adopted=adopted)

    def _wait_for_room(self, error: ServiceError) -> None:
        """Wait when a call was refused because there is too much at the moment."""
        if error.code not in LIMITS | THROTTLED or time.time() > self._give_up_at:
            raise error
        if self._interval is None:
            raise StatementGoesOnError(None, self._give_up_at, why=str(error)) from error
        log.info("Redshift takes no more calls at the moment; waiting. %s", error)
        time.sleep(self._interval)


def _an_hour_from_now() -> float:
    return time.time() + _LONGEST_WAIT
