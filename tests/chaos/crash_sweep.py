"""Does harm to a run at every one of its calls of AWS, one run for each.

A first run is left alone: it shows that the tasks work, and which calls they make. Then each fault
happens at the first call, at the second and so on, each time in a run of its own, until a run ends
without having made so many calls.

That is what ``make chaos`` does, with ``CRASH_EVERY=1``. Otherwise a sweep is short. Then a process
is killed after the calls that start or end something; users mark tasks as failed before such a
call, and clear them while they are deferred, where triggers are told of it. With ``CRASH_EVERY=3``,
the answers of such calls are lost too, and a process is also killed after each third one of the
other calls.
"""

import itertools
import logging
import os
import re
import time
from dataclasses import dataclass

from tests.chaos.crash_airflow import DagRun
from tests.chaos.crash_faults import Fault, Injection, Moment

_LOG = logging.getLogger(__name__)

EVERY = int(os.environ.get("CRASH_EVERY", "0"))
"""Which part of the calls is harmed: 1 for all, 0 for only those that tell most."""

IS_FULL = EVERY == 1

WAYS = (True, False) if IS_FULL else (True,)
"""Values of ``deferrable``; a short sweep leaves out tasks that wait in their slots."""

_MOST_CALLS = 500

KILLS = (
    (Fault.KILL, Moment.BEFORE, True),
    (Fault.KILL, Moment.AFTER, True),
    (Fault.LOSE_ANSWER, Moment.AFTER, True),
)
"""What a retry has to mend."""

USER_ACTIONS = tuple(
    (fault, moment, tells)
    for fault in (Fault.MARK_FAILED, Fault.CLEAR)
    for moment in Moment
    for tells in (True, False)
)
"""What a user does in Airflow's UI, on versions that tell triggers of it and on older ones."""

_AT_CHANGES = {
    (Fault.KILL, Moment.AFTER),
    (Fault.MARK_FAILED, Moment.BEFORE),
    *({(Fault.LOSE_ANSWER, Moment.AFTER)} if EVERY else ()),
}
_IN_TRIGGERS = {(Fault.CLEAR, Moment.AFTER)}
_ELSEWHERE = {(Fault.KILL, Moment.AFTER)}


@dataclass(frozen=True)
class Sweep:
    """All runs of a subject.

    :param subject: what is run.
    :param environment: variables that lead to the local stack.
    :param directory: where the logs go.
    :param fresh: makes the arguments of the DAG for one run, such as a new bucket.
    :param check: gets these arguments and how the run went, and asserts what has to be true.
    :param changes: pattern of the calls that start or end something, none of which a short sweep
        leaves out.
    """

    subject: object
    environment: dict
    directory: object
    fresh: object
    check: object
    changes: str

    def run(self, faults):
        """Do all of it.

        :param faults: what happens, as triples of fault, moment, and whether triggers are told.
        :returns: number of the runs that were harmed.
        :raises AssertionError: when a run went wrong; it names the calls of each.
        """
        start = time.monotonic()
        undisturbed = self._one(None)
        if undisturbed.problem:
            raise AssertionError(f"A run that nobody disturbs fails\n{undisturbed.problem}")
        calls, problems, harmed = undisturbed.outcome.counted, [], 0
        for fault, moment, tells in faults:
            for number in itertools.count(1):
                assert number < _MOST_CALLS, f"{self.subject} makes calls without end"
                if not IS_FULL and number > len(calls):
                    break
                if not self._is_chosen(calls, number, Injection(fault, moment, number, tells)):
                    continue
                trial = self._one(Injection(fault, moment, number, tells))
                if trial.problem:
                    problems.append(trial.problem)
                if not trial.outcome.happened:
                    break
                harmed += 1
        assert harmed, "no run was harmed"
        if problems:
            raise AssertionError(
                f"{len(problems)} of {harmed} runs went wrong\n\n" + "\n\n".join(problems)
            )
        seconds = time.monotonic() - start
        _LOG.info("%s runs harmed in %.0f s, at %s", harmed, seconds, ", ".join(calls))
        return harmed

    def _is_chosen(self, calls, number, injection):
        """Tell whether a run is worth its time, as far as the undisturbed one shows."""
        if number > len(calls):
            return True
        name = calls[number - 1]
        if name.startswith("airflow:") and injection.moment is Moment.AFTER:
            return False  # what Airflow has been told is not lost
        if not injection.tells_triggers and number <= _before_triggers(calls):
            return False  # there is nobody to tell yet
        if IS_FULL:
            return True
        if re.search(self.changes, name):
            chosen = _AT_CHANGES
        elif number == _first_of_trigger(calls):
            chosen = _IN_TRIGGERS
        else:
            chosen = _ELSEWHERE if EVERY > 1 and number % EVERY == 0 else set()
        return injection.tells_triggers and (injection.fault, injection.moment) in chosen

    def _one(self, injection):
        name = str(injection or "undisturbed").replace(" ", "-")
        log_file = self.directory / f"{name}.log"
        run = DagRun(self.subject, arguments := self.fresh(), self.environment, log_file, injection)
        problem = ""
        try:
            outcome = run.run()
            self.check(arguments, outcome)
        except AssertionError as error:
            problem = f"=== {injection or 'undisturbed'}: {error}\n{run.report()}"
        return _Trial(run.outcome, problem)


@dataclass(frozen=True)
class _Trial:
    outcome: object
    problem: str


def _before_triggers(calls):
    """Count the calls before the first trigger, all of them if there is none."""
    return calls.index("airflow:DeferTask") if "airflow:DeferTask" in calls else len(calls)


def _first_of_trigger(calls):
    """Give the number of the first call that the last trigger makes, 0 if there is no trigger."""
    if "airflow:DeferTask" not in calls:
        return 0
    return len(calls) - calls[::-1].index("airflow:DeferTask") + 1
