"""The steps of a task on a cluster: finding, adding, watching and cancelling them."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from updraft.dynamodb.service_errors import ServiceError, is_uncertain
from updraft.emr.steps import (
    ACTIVE_STATES,
    COMPLETED,
    MOST_ACTIVE_STEPS,
    StepIdentity,
    identified,
    identity_of,
    step_key,
)
from updraft.errors import UpdraftError
from updraft.hooks.emr import EmrCalls, is_limit
from updraft.operators.emr_step_rounds import FAILED_STEP, FIRST_STEP, StepRounds
from updraft.operators.emr_step_view import Step, View
from updraft.operators.kill_switch import KillSwitch

log = logging.getLogger(__name__)

_LOOKS = 5
_PAUSE = 3.0
_MOST_CANCELLED = 256


class EmrStepRuns:
    """The steps that one task instance wants to have run on a cluster.

    A step's name carries a hash of its owner, its place and its content, so that a retry finds what
    an earlier attempt has added. AddJobFlowSteps has no token that would do the same.

    :param calls: calls of EMR.
    :param cluster_id: id of the cluster.
    :param token: token of the task instance.
    :param series: digest of the series of attempts; a step that another series has completed is
        run anew.
    :param steps: the steps as the user wrote them, by which they are recognised.
    :param kill_switch: whether the task was told to stop.
    :param retry_from: which steps run again after one has failed, see
        :data:`~updraft.operators.emr_step_rounds.RETRY_FROM`.
    """

    def __init__(
        self,
        calls: EmrCalls,
        cluster_id: str,
        token: str,
        series: str,
        steps: Sequence[Mapping[str, Any]],
        *,
        kill_switch: KillSwitch,
        retry_from: str = FAILED_STEP,
    ) -> None:
        self._calls = calls
        self._series = series
        self._kill_switch = kill_switch
        self._cluster_id = cluster_id
        self._steps = steps
        self._keys = [step_key(token, index, step) for index, step in enumerate(steps)]
        self._rounds = StepRounds(self._keys, series) if retry_from == FIRST_STEP else None

    def view(self) -> View:
        """Look at the steps of the cluster.

        :returns: what there is.
        :raises ServiceError: when AWS refuses.
        """
        listed = self._calls.items("list_steps", self._named(), "Steps", ClusterId=self._cluster_id)
        return View.of(listed, set(self._keys))

    def adopt(self, view: View, known: dict[int, str], adopted: set[str]) -> list[int]:
        """Take over what has been done or is going on.

        A step of another series, before which one has to be added again, is cancelled and added
        again as well: it would end before the one it comes after.

        :param view: the steps of the cluster.
        :param known: ids by place in the list; what is found is added.
        :param adopted: ids of those that an earlier attempt has added; what is found is added. One
            that was being cancelled for that attempt is taken out of both again.
        :returns: the places of the steps that have to be added, in order.
        :raises TaskStoppedError: when the task was told to stop; its steps are cancelled.
        :raises ServiceError: when AWS refuses to cancel.
        """
        missing: list[int] = []
        overtaken: list[str] = []
        for index, step_id in list(known.items()):
            step = view.by_id.get(step_id)
            if step_id in adopted and step and step["Status"]["State"] == "CANCELLED":
                adopted.remove(step_id)
                del known[index]
        if self._begins_anew(view, known, adopted):
            return list(range(len(self._keys)))
        for index, key in enumerate(self._keys):
            if index in known:
                continue
            latest = view.latest(key)
            if latest is None or (self._rounds and self._rounds.is_behind(view, index)):
                missing.append(index)
                continue
            step, state = latest[1], latest[1]["Status"]["State"]
            is_of_series = self._is_of_series(step)
            if state in ACTIVE_STATES and missing and not is_of_series:
                log.info("Step %s (%s) began before one that runs again", step["Id"], step["Name"])
                overtaken.append(step["Id"])
                missing.append(index)
            elif state in ACTIVE_STATES or (state == COMPLETED and is_of_series):
                log.info("Adopted step %s (%s), which is %s", step["Id"], step["Name"], state)
                known[index] = step["Id"]
                adopted.add(step["Id"])
                self._kill_switch.check(self.stop)
            else:
                log.info(
                    "Step %s (%s) ended as %s before this attempt; it is added again",
                    step["Id"],
                    step["Name"],
                    state,
                )
                missing.append(index)
        self.cancel(overtaken)
        return missing

    def add(
        self,
        view: View,
        missing: Sequence[int],
        steps: Sequence[Mapping[str, Any]],
        known: dict[int, str],
        execution_role: str | None,
    ) -> bool:
        """Add as many steps as the cluster takes, once, whatever becomes of the answer.

        :param view: the steps of the cluster.
        :param missing: places of the steps to add.
        :param steps: the steps as they are sent.
        :param known: ids by place in the list; those of the added steps are put in.
        :param execution_role: ARN of the runtime role of the steps.
        :returns: whether any was added; if not, the cluster takes none at the moment.
        :raises TaskStoppedError: when the task was told to stop; what was added is cancelled.
        :raises ServiceError: when AWS refuses, or leaves it open for too long whether it has added
            the steps.
        """
        give_up_at = time.monotonic() + self._calls.patience
        places = missing[: max(0, MOST_ACTIVE_STEPS - view.active)]
        if not places:
            return False
        named = {index: self._identified(view, index, steps[index], missing) for index in places}
        role = {"ExecutionRoleArn": execution_role} if execution_role else {}
        while True:
            try:
                answer = self._calls.call_once(
                    "add_job_flow_steps",
                    self._named(),
                    self._kill_switch.check,
                    JobFlowId=self._cluster_id,
                    Steps=list(named.values()),
                    **role,
                )
            except ServiceError as error:
                if is_limit(error):
                    log.info("The cluster takes no more steps at the moment. %s", error)
                    return False
                if not is_uncertain(error):
                    raise
                log.warning("It is open whether EMR has added steps: %s", error)
                added = self._found(named, known)
                if not added and time.monotonic() > give_up_at:
                    raise
            else:
                known.update(zip(places, answer["StepIds"], strict=True))
                added = True
            if added:
                self._log_added({index: known[index] for index in places})
                self._kill_switch.check(self.stop)
                return True

    def settle(self, known: dict[int, str]) -> View:
        """Look again, and cancel what two attempts have added at the same time.

        :param known: ids by place in the list; the step that was added first is kept.
        :returns: the steps of the cluster.
        :raises ServiceError: when AWS refuses.
        """
        view = self.view()
        for step in view.surplus:
            identity = identity_of(step["Name"])
            if identity is None or step["Status"]["State"] not in ACTIVE_STATES:
                continue
            kept = view.instances[identity.key][identity.instance]["Id"]
            log.warning("Step %s is there a second time; %s is kept", step["Id"], kept)
            for index, step_id in known.items():
                if step_id == step["Id"]:
                    known[index] = kept
            self.cancel([step["Id"]])
        return view

    def cancel(self, step_ids: Iterable[str]) -> None:
        """Cancel steps, the running ones too.

        :param step_ids: their ids.
        :raises ServiceError: when AWS refuses.
        """
        ids = list(step_ids)
        for start in range(0, len(ids), _MOST_CANCELLED):
            answer = self._calls.call(
                "cancel_steps",
                self._named(),
                ClusterId=self._cluster_id,
                StepIds=ids[start : start + _MOST_CANCELLED],
                StepCancellationOption="TERMINATE_PROCESS",
            )
            for one in answer.get("CancelStepsInfoList") or ():
                log.info("Cancelling %s: %s %s", one["StepId"], one["Status"], one.get("Reason"))

    def stop(self) -> None:
        """Cancel every step of the task that has not ended; called from a signal handler too."""
        try:
            own = self.view().by_id
            self.cancel(
                key for key, step in own.items() if step["Status"]["State"] in ACTIVE_STATES
            )
        except UpdraftError as error:
            log.warning("The steps go on; the next attempt adopts them. %s", error)

    def describe(self, step_id: str) -> Step:
        """Ask for a step with the details of its failure.

        :param step_id: its id.
        :returns: what EMR says.
        :raises ServiceError: when AWS refuses.
        """
        answer = self._calls.call(
            "describe_step", f"step {step_id!r}", ClusterId=self._cluster_id, StepId=step_id
        )
        step: Step = answer["Step"]
        return step

    def _begins_anew(self, view: View, known: dict[int, str], adopted: set[str]) -> bool:
        """Give up a round in which a step had failed before this attempt, where rounds count."""
        if self._rounds is None or not self._rounds.had_failed(view, known.values()):
            return False
        log.info("A step failed before this attempt; all are added again, from the first one on")
        known.clear()
        adopted.clear()
        self.cancel(self._rounds.active(view))
        return True

    def _identified(
        self, view: View, index: int, step: Mapping[str, Any], missing: Sequence[int]
    ) -> dict[str, Any]:
        if self._rounds is not None:
            number = self._rounds.next_number(view, index, missing)
        else:
            latest = view.latest(self._keys[index])
            number = latest[0] + 1 if latest else 1
        return identified(step, StepIdentity(self._keys[index], self._series, number))

    def _is_of_series(self, step: Step) -> bool:
        identity = identity_of(step["Name"])
        return identity is not None and identity.series == self._series

    def _found(self, named: Mapping[int, Mapping[str, Any]], known: dict[int, str]) -> bool:
        """Look whether a call without an answer has added its steps; it adds all or none."""
        for _ in range(_LOOKS):
            time.sleep(_PAUSE)
            ids = {step["Name"]: step_id for step_id, step in self.view().by_id.items()}
            if all(step["Name"] in ids for step in named.values()):
                known.update({index: ids[step["Name"]] for index, step in named.items()})
                return True
        return False

    def _log_added(self, ids: Mapping[int, str]) -> None:
        for index, step_id in ids.items():
            # Not its arguments: they may hold what nobody has told Airflow to mask.
            name, jar = self._steps[index]["Name"], self._steps[index]["HadoopJarStep"]
            count = len(jar.get("Args", ()))
            log.info("Added step %s (%s): %s with %d arguments", step_id, name, jar["Jar"], count)

    def _named(self) -> str:
        return f"cluster {self._cluster_id!r}"
