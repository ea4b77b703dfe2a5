"""What happens to a cluster from its request to its end, in a thread of its own.

Reasons and their words follow what EMR reports in ``StateChangeReason``.

.. seealso:: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-longrunning-transient.html
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from include.local.gateway.services.emr.clusters import (
    BOOTSTRAPPING,
    CANCEL_PENDING,
    CANCELLED,
    FAILED,
    INTERRUPTED,
    RUNNING,
    STARTING,
    TERMINATED,
    TERMINATED_WITH_ERRORS,
    TERMINATING,
    WAITING,
    Cluster,
    ClusterStore,
    Step,
)
from include.local.gateway.services.emr.node import Node
from include.local.gateway.services.emr.settings import ClusterSettings
from include.local.gateway.services.emr.step_execution import StepExecution

_LOG = logging.getLogger(__name__)
_TICK = 0.1  # seconds between looks at settings that may let a cluster go on
_STEP_FAILED = "Shut down as step failed"


@dataclass(frozen=True, slots=True)
class _End:
    """How a cluster is going to end."""

    code: str
    message: str
    state: str = TERMINATED


class Lifecycle:
    """Moves one cluster through its states and runs its steps.

    Whoever reads or changes the cluster from outside holds :attr:`changed`.

    :param cluster: the cluster.
    :param store: keeps it.
    :param settings: how long its phases take, and what goes wrong.
    :param node: where its processes run.
    """

    def __init__(
        self, cluster: Cluster, store: ClusterStore, settings: ClusterSettings, node: Node
    ) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._cluster = cluster
        self._store = store
        self._settings = settings
        self._node = node
        self._end: _End | None = None
        self._executions: dict[str, StepExecution] = {}
        self._stays = False
        self._closed = False

    def start(self) -> None:
        """Begin; the state of the cluster tells the rest."""
        threading.Thread(target=self._live, name=self._cluster.id, daemon=True).start()

    def terminate(self) -> None:
        """Let the cluster end as by its user."""
        self._end_with(_End("USER_REQUEST", "Terminated by user request"))

    def add_steps(self, steps: Sequence[Step]) -> None:
        """Append steps.

        :param steps: the steps.
        """
        with self.changed:
            self._cluster.steps.extend(steps)
            self.save()

    def cancel(self, step: Step, *, kill: bool) -> None:
        """Cancel a step that is pending or running.

        :param step: the step.
        :param kill: whether a running one is ended at once instead of being asked to end.
        """
        with self.changed:
            execution = self._executions.get(step.id)
            if execution is None:
                step.move(CANCELLED, "Job terminated")
            else:
                step.move(CANCEL_PENDING)
                execution.kill() if kill else execution.end()
            self.save()

    def save(self) -> None:
        """Keep the cluster as it is, and have a look at what is to be done."""
        with self.changed:
            self._store.save(self._cluster)
            self.changed.notify_all()

    def close(self) -> None:
        """End all processes at once, since the gateway ends."""
        with self.changed:
            self._closed = True
            self._node.kill()
            for execution in self._executions.values():
                execution.kill()
            self.changed.notify_all()

    def _live(self) -> None:
        try:
            self._come_up()
            while not self._is_over():
                self._look()
            if not self._closed:
                self._shut_down()
        except Exception as error:  # noqa: BLE001 - a cluster has to end, whatever happens
            _LOG.exception("Cluster %s failed", self._cluster.id)
            with self.changed:
                self._cluster.move(
                    TERMINATED_WITH_ERRORS, "INTERNAL_ERROR", f"The local stack failed: {error!r}"
                )
                self.save()

    def _come_up(self) -> None:
        phases = self._settings.phases
        self._pass_through(STARTING, phases.starting, "Provisioning Amazon EC2 capacity")
        if self._is_over():
            return
        self._pass_through(BOOTSTRAPPING, phases.bootstrapping, "Running bootstrap actions")
        if self._is_over():
            return
        problem = self._node.bootstrap()
        if problem is not None:
            self._end_with(_End("BOOTSTRAP_FAILURE", problem, TERMINATED_WITH_ERRORS))

    def _pass_through(self, state: str, seconds: float, message: str) -> None:
        """Spend the time of a phase, longer while it is held, shorter if the cluster ends."""
        name = self._cluster.request["Name"]
        with self.changed:
            self._cluster.move(state, None, message)
            self.save()
            until = time.monotonic() + seconds
            while not self._is_over() and (
                time.monotonic() < until or self._settings.is_held(name, state)
            ):
                self.changed.wait(_TICK)
            failure = self._settings.failure(name, state)
        if failure is not None:
            self._end_with(_End(failure.code, failure.message, TERMINATED_WITH_ERRORS))

    def _look(self) -> None:
        """Start what can be started; wait for something to happen."""
        cluster = self._cluster
        with self.changed:
            for step in cluster.pending()[: max(0, cluster.concurrency - len(self._executions))]:
                self._begin(step)
            if self._executions:
                self._show(RUNNING, "Running step")
            elif not (cluster.keep_alive or self._stays):
                failed = any(step.state == FAILED for step in cluster.steps)
                words = "Steps completed with errors" if failed else "Steps completed"
                self._end_with(_End("ALL_STEPS_COMPLETED", words))
                return
            else:
                self._show(WAITING, self._why_waiting())
                self._end_if_idle()
            if not self._is_over():
                self.changed.wait(1.0)

    def _begin(self, step: Step) -> None:
        step.move(RUNNING)
        execution = self._executions[step.id] = StepExecution(step, self._cluster, self._node)
        run = threading.Thread(target=self._run, args=(step, execution), name=step.id, daemon=True)
        run.start()
        self.save()

    def _run(self, step: Step, execution: StepExecution) -> None:
        failure: dict[str, str] | None
        try:
            state, failure = execution.run()
        except Exception as error:  # noqa: BLE001 - a step has to end, whatever happens
            _LOG.exception("Step %s failed", step.id)
            state, failure = FAILED, {"Reason": f"The local stack failed: {error!r}"}
        with self.changed:
            if self._closed:
                return
            if step.state == CANCEL_PENDING:
                state, failure = CANCELLED, None
            elif self._end is not None and state == FAILED:
                state, failure = INTERRUPTED, None
            step.failure = failure
            step.move(state)
            del self._executions[step.id]
            if state == FAILED:
                self._act_on_failure(step)
            self.save()
        _LOG.info("Step %s of %s: %s", step.id, self._cluster.id, state)

    def _act_on_failure(self, step: Step) -> None:
        """Do what a step asks for if it fails.

        Steps that run next to others end neither the cluster nor one another. A protected cluster
        survives the failure, so that what is on it can be looked at.

        .. seealso:: https://docs.aws.amazon.com/emr/latest/APIReference/API_Step.html
        """
        action = step.config["ActionOnFailure"]
        if action == "CONTINUE" or self._cluster.concurrency > 1:
            return
        for other in self._cluster.pending():
            other.move(CANCELLED, "Job terminated")
        if action == "CANCEL_AND_WAIT":
            return
        if self._cluster.protected:
            self._stays = True
        else:
            self._end_with(_End("STEP_FAILURE", _STEP_FAILED, TERMINATED_WITH_ERRORS))

    def _why_waiting(self) -> str:
        ended = [step for step in self._cluster.steps if step.ended is not None]
        if not ended:
            return "Cluster ready to run steps."
        last = max(ended, key=lambda step: step.ended or 0.0)
        return f"Cluster ready after last step {last.state.lower()}."

    def _end_if_idle(self) -> None:
        policy = self._cluster.auto_termination
        if policy is None or self._cluster.protected:
            return
        ends = [step.ended or 0.0 for step in self._cluster.steps]
        idle = time.time() - max([self._cluster.ready or 0.0, *ends])
        if idle >= policy.get("IdleTimeout", 3600):
            words = f"Cluster was idle for {int(idle)} seconds (auto-termination policy)"
            self._end_with(_End("ALL_STEPS_COMPLETED", words))

    def _show(self, state: str, message: str) -> None:
        if (self._cluster.state, self._cluster.message) != (state, message):
            self._cluster.move(state, None, message)
            self.save()

    def _end_with(self, end: _End) -> None:
        """Let the cluster end; the first reason counts."""
        with self.changed:
            if self._end is None and not self._closed:
                self._end = end
                self._cluster.move(TERMINATING, end.code, end.message)
                self.save()
                self._node.end()

    def _is_over(self) -> bool:
        return self._end is not None or self._closed

    def _shut_down(self) -> None:
        end = self._end
        assert end is not None  # noqa: S101 - a lifecycle that is over and not closed has an end
        with self.changed:
            for step in self._cluster.pending():
                step.move(CANCELLED, "Job terminated")
            for execution in self._executions.values():
                execution.end()
            self.save()
            self.changed.wait_for(lambda: not self._executions)
            until = time.monotonic() + self._settings.phases.terminating
            name = self._cluster.request["Name"]
            while not self._closed and (
                time.monotonic() < until or self._settings.is_held(name, TERMINATING)
            ):
                self.changed.wait(_TICK)
            if not self._closed:
                self._cluster.move(end.state, end.code, end.message)
                self.save()
