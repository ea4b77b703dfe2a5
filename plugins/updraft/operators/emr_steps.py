"""An operator that runs steps on a cluster, each once."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.links.emr import EmrClusterLink, EmrLogsLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.choices import require_choice
from updraft.compat import Context
from updraft.emr.cluster_states import ENDED, ENDING
from updraft.emr.steps import ACTIVE_STATES, StepDefinition, read_steps, with_action
from updraft.errors import UpdraftError
from updraft.operators.emr_base import EmrBaseOperator
from updraft.operators.emr_clusters import Cluster, EmrClusters
from updraft.operators.emr_logs import UPLOAD_MINUTES
from updraft.operators.emr_spark_lineage import with_lineage
from updraft.operators.emr_step_concurrency import raise_concurrency, read_concurrency
from updraft.operators.emr_step_failure import StepFailure
from updraft.operators.emr_step_progress import StepProgress
from updraft.operators.emr_step_rounds import FAILED_STEP, RETRY_FROM
from updraft.operators.emr_step_runs import EmrStepRuns
from updraft.operators.emr_step_view import Step, View, has_failed, keeps_others_out
from updraft.operators.template_arguments import given
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.try_series import series_digest
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.triggers.emr import EmrStepsTrigger

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

_LONGEST_WAIT = timedelta(hours=48)
_ROOM_PAUSE = 60
_LOG_PAUSES = 3


class EmrStepsOperator(StopsAfterTrigger, EmrBaseOperator):
    """Run steps on a cluster and wait for their end; a retry adopts what an earlier attempt added.

    A step that has completed is not run again, one that is pending or running is waited for, and
    after a failure the next attempt adds that step once more, or all, as ``retry_from`` says. After
    a user has cleared the task all steps are run anew, but for those that still go on; see
    :mod:`updraft.operators.try_series`. The steps' names carry the hash by which they are found.

    A step without ``ActionOnFailure`` cancels those after it when it fails. On a cluster that runs
    several steps at the same time the others go on, because EMR allows nothing else. The ends of
    the logs of a failed step are written to that of the task. EMR uploads them every five minutes,
    so that the task waits for them up to ``log_timeout``.

    .. seealso:: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-work-with-steps.html

    :param cluster_id: id of the cluster. (templated)
    :param steps: the steps as AddJobFlowSteps takes them, as
        :class:`~updraft.emr.steps.StepDefinition`, or as JSON. (templated)
    :param execution_role_arn: runtime role of the steps. (templated)
    :param step_concurrency: how many steps of the cluster may run at the same time, 1 to 256; the
        cluster is changed when it allows less, and keeps what it has when it allows more.
        (templated)
    :param retry_from: whether a retry goes on at the ``failed_step`` or with the ``first_step``.
    :param log_timeout: how long to wait for the logs of a failed step.
    :param spark_lineage: whether ``spark-submit`` is told which run of Airflow it belongs to, and
        where lineage goes; by default if Airflow's ``[openlineage] spark_inject_parent_job_info``
        says so. What the step says itself is left alone.
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks.
    :param inputs: URIs of what the steps read, for lineage. (templated)
    :param outputs: URIs of what the steps write, for lineage. (templated)
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the cluster; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "cluster_id", "steps", "execution_role_arn", "step_concurrency", "inputs", "outputs"
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"steps": "json"}
    operator_extra_links = (EmrClusterLink(), EmrLogsLink())

    def __init__(
        self,
        *,
        cluster_id: str,
        steps: Sequence[StepDefinition | Mapping[str, Any]] | str,
        execution_role_arn: str | None = None,
        step_concurrency: int | str | None = None,
        retry_from: str = FAILED_STEP,
        log_timeout: timedelta = timedelta(minutes=UPLOAD_MINUTES + 1),
        spark_lineage: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_id = cluster_id
        self.steps = steps
        self.execution_role_arn = execution_role_arn
        self.step_concurrency = step_concurrency
        self.retry_from = retry_from
        self.log_timeout = log_timeout
        self.spark_lineage = spark_lineage
        self._runs: EmrStepRuns | None = None
        self._step_ids: list[str] = []

    def execute(self, context: Context) -> list[str]:
        """Run the steps, or find those that an earlier attempt has added.

        :param context: context of the task instance.
        :returns: ids of the steps in their order.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when a step or the cluster failed.
        """
        progress = StepProgress({}, time.time() + _LONGEST_WAIT.total_seconds())
        steps = self._prepare(context)

        def begin() -> list[str] | Deferral:
            cluster = self._cluster()
            self._show_cluster(context, cluster)
            raise_concurrency(self._calls, cluster, read_concurrency(self.step_concurrency))
            return self._advance(context, steps, progress)

        return self._result(begin)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> list[str]:
        """Go on when there may be something new.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: as :meth:`execute`.
        """
        progress = StepProgress.read(self.note_event(self.log, event))
        steps = self._prepare(context)
        return self._result(lambda: self._advance(context, steps, progress))

    def on_kill(self) -> None:
        """Cancel the steps that have not ended; called from a signal handler."""
        self._kill_switch.throw()
        if self._runs is not None:
            self._runs.stop()

    def stop_after_trigger(self, context: Context) -> None:
        """Cancel the steps, because the trigger that watched them has failed.

        :param context: context of the task instance.
        """
        self._prepare(context)
        self._require_runs().stop()

    def _prepare(self, context: Context) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = self._checked(self._checked_steps)
        self._owner = ResourceOwner.of(context)
        self._runs = EmrStepRuns(
            self._calls,
            self.cluster_id,
            self._owner.token(),
            series_digest(context),
            steps,
            kill_switch=self._kill_switch,
            retry_from=self.retry_from,
        )
        return steps

    def _checked_steps(self) -> list[dict[str, Any]]:
        if given(self.cluster_id) is None:
            raise UpdraftError(
                "cluster_id: there is none; it looks like j-1A2B3C4D5E6F7, and the result of an "
                "EmrClusterOperator is one"
            )
        require_choice("retry_from", self.retry_from, RETRY_FROM)
        concurrency = read_concurrency(self.step_concurrency)
        return read_steps(self.steps, concurrent=(concurrency or 1) > 1)

    def _result(self, step: Any) -> list[str]:
        self._step_ids = self.carry_out(step)
        self._runs = None  # nothing is left to cancel
        return self._step_ids

    def _advance(
        self, context: Context, steps: Sequence[dict[str, Any]], progress: StepProgress
    ) -> list[str] | Deferral:
        runs, known = self._require_runs(), progress.step_ids
        while True:
            view = runs.view()
            missing = runs.adopt(view, known, progress.adopted)
            if any(keeps_others_out(view.by_id[one]) for one in known.values()):
                missing = []  # EMR would have cancelled them
            if missing:
                cluster = self._cluster()
                if cluster["Status"]["State"] in (ENDING, *ENDED):
                    raise self._why_no_more(view, cluster)
                concurrent = (cluster.get("StepConcurrencyLevel") or 1) > 1
                complete = [with_action(step, concurrent=concurrent) for step in steps]
                sent = with_lineage(complete, context, self.spark_lineage)
                role = given(self.execution_role_arn)
                if runs.add(view, missing, sent, known, role):
                    view = runs.settle(known)
                    missing = [index for index in missing if index not in known]
            own = [view.by_id[one] for _, one in sorted(known.items()) if one in view.by_id]
            active = [one["Id"] for one in own if one["Status"]["State"] in ACTIVE_STATES]
            if not active and not missing and len(own) == len(known):
                waiting = self._conclude(own, progress)
            else:
                waiting = self._wait(active, bool(missing), progress)
            if isinstance(waiting, Deferral):
                return waiting
            if waiting is not None:
                return [known[index] for index in range(len(steps))]

    def _wait(self, active: Sequence[str], more: bool, progress: StepProgress) -> Deferral | None:
        if time.time() > progress.give_up_at:
            raise UpdraftError(
                f"Steps of cluster {self.cluster_id} have not ended after {_LONGEST_WAIT}: "
                f"{', '.join(active)}. They go on; a retry of this task adopts them and waits "
                "again."
            )
        if not active:
            return self._waiting().pause(progress.carried(), _ROOM_PAUSE)
        cluster = self._cluster()
        if cluster["Status"]["State"] in ENDED:
            raise EmrClusters(self._calls, self._require_owner()).failure(cluster)
        return self._waiting().wait(
            EmrStepsTrigger,
            progress.carried(),
            progress.give_up_at,
            cluster_id=self.cluster_id,
            step_ids=list(active),
            first=more,
        )

    def _conclude(self, own: Sequence[Step], progress: StepProgress) -> Deferral | bool | None:
        """Say how it went.

        :returns: ``True`` after success; ``None`` or what to defer with to look for logs again.
        :raises UpdraftError: when a step failed and its logs are shown, or do not come.
        """
        if not any(map(has_failed, own)):
            return True
        failure = StepFailure(
            self._require_runs(), self._cluster(), own, self._calls.hook_parameters
        )
        if failure.lacks_logs and progress.log_looks < _LOG_PAUSES:
            progress.log_looks += 1
            pause = self.log_timeout.total_seconds() / _LOG_PAUSES
            self.log.info(
                "Step %s failed. EMR uploads its logs every %d minutes; looking again in %.0f s",
                failure.culprit["Id"],
                UPLOAD_MINUTES,
                pause,
            )
            return self._waiting().pause(progress.carried(), pause)
        raise failure.error()

    def _why_no_more(self, view: View, cluster: Cluster) -> UpdraftError:
        """Say why a cluster takes no more steps: perhaps one of the task's own has ended it."""
        ended = [numbered[max(numbered)] for numbered in reversed(view.instances.values())]
        if not any(step["Status"]["State"] == "FAILED" for step in ended):
            return EmrClusters(self._calls, self._require_owner()).failure(cluster)
        hook_parameters = self._calls.hook_parameters
        return StepFailure(self._require_runs(), cluster, ended, hook_parameters).error()

    def _cluster(self) -> Cluster:
        return EmrClusters(self._calls, self._require_owner()).describe(self.cluster_id)

    def _require_runs(self) -> EmrStepRuns:
        if self._runs is None:
            raise UpdraftError("the task has no steps before it is executed")
        return self._runs

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what is declared, and what flags such as ``--input`` and ``--output`` name.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._steps_lineage(None)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name the same, with the ids of the steps.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._steps_lineage("/".join([self.cluster_id, ",".join(self._step_ids)]))

    def _steps_lineage(self, external_id: str | None) -> "OperatorLineage[Any, Any] | None":
        try:
            from updraft.operators.emr_lineage import declared_lineage  # noqa: PLC0415 - optional
        except ImportError:
            return None
        try:
            steps = read_steps(self.steps)
        except UpdraftError:
            steps = []
        return declared_lineage(self.inputs, self.outputs, external_id, steps)
