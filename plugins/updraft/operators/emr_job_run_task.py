"""What the operators for EMR Serverless and EMR on EKS do alike."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from updraft.compat import AirflowFailException, Context
from updraft.errors import UpdraftError
from updraft.hooks.emr import EmrCalls
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.emr_base import EmrBaseOperator, Waiting
from updraft.operators.emr_job_runs import EmrJobRuns, JobRun
from updraft.operators.emr_spark_lineage import with_lineage_defaults
from updraft.operators.failures import task_failure
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.try_series import series_digest
from updraft.operators.waiting import Deferral, check_poll_interval
from updraft.resource_owner import ResourceOwner

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class EmrJobRunTask(StopsAfterTrigger, AwsOperator[Any]):
    """Take over from the provider's operator how a job run is started, found and waited for.

    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks.
    :param inputs: URIs of what the job reads, for lineage. (templated)
    :param outputs: URIs of what the job writes, for lineage. (templated)
    :param spark_lineage: whether Spark gets the settings for lineage.
    :param kwargs: arguments of the provider's operator.
    """

    ui_color = "#f5e6d3"
    job_runs: ClassVar[type[EmrJobRuns]]
    """Finds, starts and watches the runs of the service."""

    execution_role_arn: str
    job_driver: dict[str, Any]
    configuration_overrides: Any  # a mapping or None; the providers' classes differ here

    def __init__(
        self,
        *,
        deferrable: bool = True,
        poll_interval: int = 30,
        inputs: Sequence[str] | str = (),
        outputs: Sequence[str] | str = (),
        spark_lineage: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.inputs = inputs
        self.outputs = outputs
        self.spark_lineage = spark_lineage
        self._kill_switch = KillSwitch()
        self._runs: EmrJobRuns | None = None
        self._finished_id: str | None = None

    @abstractmethod
    def _place(self) -> tuple[str, str]:
        """Say where the run takes place, by the id of that, and what the run is called."""

    @abstractmethod
    def _particulars(self) -> dict[str, Any]:
        """Name the parameters of StartJobRun that only this service or its user knows."""

    @abstractmethod
    def _show(self, context: Context, run_id: str) -> None:
        """Give the task its links."""

    def execute(
        self,
        context: Context,
        event: dict[str, Any] | None = None,  # noqa: ARG002 - the provider's interface
    ) -> str:
        """Run the job, or find the run of an earlier attempt.

        :param context: context of the task instance.
        :param event: never given.
        :returns: id of the run.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when the run failed.
        """
        try:
            check_poll_interval(self.poll_interval)
            self._check()
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        return self._result(context, lambda: self._start(context, None))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Go on when there may be something new.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: when the run failed.
        """
        carried = EmrBaseOperator.note_event(self.log, event or {})

        def step() -> JobRun | Deferral:
            if carried["run_id"] is None:
                return self._start(context, carried["limit_ends_at"])
            return self._make_runs(context).follow(carried["run_id"], carried["give_up_at"])

        return self._result(context, step)

    def on_kill(self) -> None:
        """Cancel the run; called from a signal handler."""
        self._kill_switch.throw()
        if self._runs is not None:
            self._runs.stop()

    def stop_after_trigger(self, context: Context) -> None:
        """Cancel the run, because the trigger that watched it has failed.

        :param context: context of the task instance.
        """
        self._make_runs(context).stop()

    def _check(self) -> None:
        """Check arguments; raises UpdraftError when one is wrong."""

    def _start(self, context: Context, limit_ends_at: float | None) -> JobRun | Deferral:
        """Find or start the run, and wait."""
        runs = self._make_runs(context)
        if limit_ends_at is None:
            runs.prepare()
        particulars = self._particulars()
        request = {
            **particulars,
            "executionRoleArn": self.execution_role_arn,
            "jobDriver": self.job_driver,
            "tags": {**(particulars.get("tags") or {}), **ResourceOwner.of(context).tags()},
        }
        overrides = with_lineage_defaults(self.configuration_overrides, context, self.spark_lineage)
        if overrides:
            request["configurationOverrides"] = overrides
        return runs.begin(request, limit_ends_at)

    def _make_runs(self, context: Context) -> EmrJobRuns:
        parent_id, name = self._place()
        # The provider's hook for EMR on EKS takes the virtual cluster besides.
        parameters = {
            name: value
            for name, value in self._hook_parameters.items()
            if name != "virtual_cluster_id"
        }
        calls = EmrCalls(parameters, self.job_runs.service)
        self._runs = self.job_runs(
            Waiting(calls, deferrable=self.deferrable, poll_interval=self.poll_interval),
            ResourceOwner.of(context),
            series_digest(context),
            parent_id,
            name,
            kill_switch=self._kill_switch,
        )
        return self._runs

    def _result(self, context: Context, step: Callable[[], JobRun | Deferral]) -> str:
        try:
            outcome = step()
        except UpdraftError as error:
            raise task_failure(error) from None
        if isinstance(outcome, Deferral):
            run_id = outcome.trigger.serialize()[1].get("run_id")
            if run_id:
                self._show(context, run_id)
            self.defer(
                trigger=outcome.trigger, method_name="execute_complete", timeout=outcome.timeout
            )
        self._runs = None  # nothing is left to cancel
        self._finished_id = str(outcome["id"])
        self._show(context, self._finished_id)
        return self._finished_id

    def _declared(self, external_id: str | None) -> "OperatorLineage[Any, Any] | None":
        try:
            from updraft.operators.emr_lineage import declared_lineage  # noqa: PLC0415 - optional
        except ImportError:
            return None
        return declared_lineage(self.inputs, self.outputs, external_id)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name the run, and what is declared.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._declared(self._finished_id)

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what is declared.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._declared(None)
