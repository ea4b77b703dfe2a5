"""Runs statements of Amazon Redshift once, however often a task is tried, and waits for them."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from airflow.providers.amazon.aws.hooks.redshift_data import FINISHED_STATE, RUNNING_STATES

from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.redshift_data import LIMITS
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.redshift_cancellations import cancel_statement, end_statement
from updraft.operators.redshift_plan import Call, Plan
from updraft.operators.redshift_statement_calls import (
    FinishedStatements,
    RedshiftStatementCalls,
    StatementFailedError,
    StatementOutcome,
    Submitted,
    outcomes,
)
from updraft.triggers.pauses import growing_pauses

log = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(hours=24)
"""How long a task waits: the longest that the Data API lets a statement run."""

_ABORTED = "ABORTED"
_SETUP = 0
_SESSION_SECONDS = 3600
_FIRST_LOOKS = (0.2, 0.4, 0.8, 1.6)


@dataclass(frozen=True)
class Waiting:
    """What a task has to wait for.

    :param statement_id: id of a statement; ``None`` when none could be submitted.
    :param step: number of its call.
    :param adopted: whether an earlier attempt submitted it.
    :param why: why none could be submitted.
    """

    statement_id: str | None
    step: int = _SETUP
    adopted: bool = False
    why: str = ""


class RedshiftStatementRuns:
    """The work of one task instance in a database.

    :param calls: submits statements and finds them again.
    :param make_plan: says what is to be run. It is not asked when ``is_one_call`` and that call
        was made by an earlier attempt.
    :param is_one_call: whether the plan has one call.
    :param hidden: how many statements that call begins with that are not the user's.
    :param interval: longest pause in seconds between two looks, ``None`` to look for some seconds
        only and then let the task wait elsewhere.
    :param give_up_at: when the waiting ends, in seconds since 1970.
    :param kill_switch: whether the task was told to stop.
    :param is_worth_waiting: says of a refusal whether waiting helps; may raise what is better to
        say than the refusal.
    """

    def __init__(
        self,
        calls: RedshiftStatementCalls,
        make_plan: Callable[[], Plan],
        *,
        is_one_call: bool,
        hidden: int,
        interval: float | None,
        give_up_at: float,
        kill_switch: KillSwitch,
        is_worth_waiting: Callable[[ServiceError], bool],
    ) -> None:
        self._calls = calls
        self._make_plan = make_plan
        self._is_one_call = is_one_call
        self._hidden = hidden
        self._interval = interval
        self._give_up_at = give_up_at
        self._kill_switch = kill_switch
        self._is_worth_waiting = is_worth_waiting
        self._own: list[Submitted] = []
        self._said: dict[str, Mapping[str, Any]] = {}
        self._waiting_for: str | None = None
        self._session: str | None = None

    @cached_property
    def _plan(self) -> Plan:
        return self._make_plan()

    def advance(self, ended: Waiting | None = None) -> FinishedStatements | Waiting:
        """Find what an earlier attempt has submitted, submit what is missing, and wait a little.

        :param ended: what the task has waited for, if it has.
        :returns: the end of all, or what to wait for.
        :raises UpdraftError: when a statement failed or AWS refuses.
        """
        if ended is not None and ended.statement_id is not None:
            self._waiting_for = ended.statement_id
            self._kill_switch.check(self.stop)
            said = self._look(ended.statement_id, ended.step, adopted=ended.adopted)
            if isinstance(said, Waiting):
                return said
            if self._is_one_call and said["Status"] == FINISHED_STATE:
                return FinishedStatements(said["Id"], outcomes(said, self._hidden))
        self._own = self._found()
        results: list[StatementOutcome] = []
        last = ""
        for step in [1] if self._is_one_call else range(1, len(self._plan.calls) + 1):
            done = self._done(step)
            if isinstance(done, Waiting):
                return done
            results += outcomes(done, self._hidden if self._is_one_call else 0)
            last = str(done["Id"])
        return FinishedStatements(last, results)

    def stop(self) -> None:
        """Cancel what is waited for, or was being submitted; called from a signal handler."""
        try:
            known = [self._waiting_for] if self._waiting_for else self._active()
        except UpdraftError as error:
            log.warning("A statement may go on; the next attempt adopts it. %s", error)
            return
        for statement_id in known:
            cancel_statement(self._calls, statement_id)

    def _active(self) -> list[str]:
        return [one.id for one in self._calls.submitted() if one.is_active]

    def _found(self) -> list[Submitted]:
        """Find this work, and end other work of the task that still goes on.

        Such is left of an attempt that was killed before a user cleared the task, or changed what
        it does: nobody waits for it, and it would collide with what is asked for now.
        """
        own = []
        for one in self._calls.submitted():
            if self._calls.is_own(one):
                own.append(one)
            elif one.is_active:
                log.warning("Statement %s is of an earlier run of this task; it is ended", one.id)
                end_statement(self._calls, one.id)
        return own

    def _done(self, step: int) -> Mapping[str, Any] | Waiting:
        """Find a call finished, or wait for it, or make it."""
        while True:
            entries = [one for one in self._own if one.step == step]
            latest = max(entries, key=lambda one: one.number, default=None)
            if latest is not None and latest.is_finished:
                if latest.id in self._said:
                    return self._said[latest.id]
                log.info("Statement %s of an earlier attempt has finished", latest.id)
                return self._calls.describe(latest.id)
            adopted = False
            if latest is not None and latest.is_active:
                adopted = True
                log.info("Adopted statement %s, which goes on", latest.id)
                self._waiting_for = latest.id
                self._kill_switch.check(self.stop)
            else:
                submitted = self._submitted(step, 1 if latest is None else latest.number + 1)
                if isinstance(submitted, Waiting):
                    return submitted
                latest = submitted
            said = self._look(latest.id, step, adopted=adopted)
            if isinstance(said, Waiting):
                return said
            others = [one for one in self._own if one.id != latest.id]
            self._own = [*others, latest._replace(status=said["Status"])]

    def _look(self, statement_id: str, step: int, *, adopted: bool) -> Mapping[str, Any] | Waiting:
        """Wait a little, or in the task's slot until the end.

        What was cancelled together with the attempt that had submitted it is no failure of this
        one.
        """
        self._waiting_for, status = statement_id, ""
        for pause in self._pauses():
            said = self._calls.describe(statement_id)
            if said["Status"] != status:
                status = said["Status"]
                log.info("Statement %s is %s", statement_id, status)
            if status not in RUNNING_STATES:
                break
            if time.time() > self._give_up_at:
                raise UpdraftError(
                    f"Statement {statement_id} is still {status} after {LONGEST_WAIT}. It goes on; "
                    "a retry of this task adopts it and waits again."
                )
            if pause is None:
                return Waiting(statement_id, step, adopted)
            time.sleep(pause)
        self._waiting_for = None
        self._said[statement_id] = said
        if status != FINISHED_STATE and not (adopted and status == _ABORTED):
            first = 1 if self._is_one_call or step == _SETUP else self._plan.calls[step - 1].first
            is_setup = step == _SETUP
            hidden = self._hidden if self._is_one_call else int(is_setup)
            raise StatementFailedError(said, hidden=hidden, first=first)
        return said

    def _pauses(self) -> Iterable[float | None]:
        if self._interval is None:
            return (*_FIRST_LOOKS, None)
        return growing_pauses(self._interval)

    def _submitted(self, step: int, number: int) -> Submitted | Waiting:
        call = self._plan.calls[step - 1]
        if not self._plan.uses_session:
            return self._sent(call, step, number)
        session = self._session or self._last_session()
        if session is not None:
            try:
                return self._sent(call, step, number, session=session)
            except ServiceError as error:
                if not _is_without_session(error):
                    raise
                log.info("Session %s has ended. %s", session, error)
                self._check_nothing_lost(step)
        if self._plan.setup is not None:
            numbers = [one.number for one in self._own if one.step == _SETUP]
            begun = self._sent(
                self._plan.setup, _SETUP, max(numbers, default=0) + 1, keep=_SESSION_SECONDS
            )
            if isinstance(begun, Waiting):
                return begun
            self._own.append(begun)
            said = self._look(begun.id, _SETUP, adopted=False)
            if isinstance(said, Waiting):
                return said
            return self._sent(call, step, number, session=self._session)
        return self._sent(call, step, number, keep=_SESSION_SECONDS)

    def _last_session(self) -> str | None:
        """Find the session of the latest call, which an earlier attempt may have made."""
        found = [one for one in self._own if one.session]
        latest = max(found, key=lambda one: (one.step, one.number), default=None)
        return latest.session if latest else None

    def _check_nothing_lost(self, step: int) -> None:
        lost = [index + 1 for index in sorted(self._plan.in_session) if index + 1 < step]
        if lost:
            first = self._plan.calls[lost[0] - 1].first
            raise UpdraftError(
                f"The session has ended in which statement {first} made a temporary table or a "
                "setting, so that the statements that are left can't go on with it. Clear the task "
                "to run all of them anew, or let them be one transaction"
            )

    def _sent(
        self, call: Call, step: int, number: int, *, session: str | None = None, keep: int = 0
    ) -> Submitted | Waiting:
        self._kill_switch.check()
        try:
            sent = self._calls.submit(call, step, number, session=session, keep=keep)
        except ServiceError as error:
            if session and _is_without_session(error):
                raise
            if error.code in LIMITS or self._is_worth_waiting(error):
                return Waiting(None, why=str(error))
            raise
        self._waiting_for = sent.id
        self._session = sent.session or session
        log.info("Redshift has taken statement %s", sent.id)
        self._kill_switch.check(self.stop)
        return sent


def _is_without_session(error: ServiceError) -> bool:
    """Say whether a call failed because its session is gone; AWS documents no code for it."""
    said = error.message.lower()
    return "session" in said and "busy" not in said and error.code not in LIMITS
