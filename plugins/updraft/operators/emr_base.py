"""What the operators for Amazon EMR have in common."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.emr import EmrHook
from airflow.providers.amazon.aws.links.base_aws import BaseAwsLink
from airflow.providers.amazon.aws.links.emr import EmrClusterLink, EmrLogsLink

from updraft.compat import AirflowFailException, Context
from updraft.errors import UpdraftError
from updraft.hooks.emr import CLUSTERS, EmrCalls
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.waiting import GRACE, Deferral, check_poll_interval, may_defer
from updraft.resource_owner import ResourceOwner
from updraft.triggers.emr import EmrPauseTrigger, EmrTrigger

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class Waiting:
    """How a task waits: in the triggerer, or in its slot.

    :param calls: the calls of the service.
    :param deferrable: whether to give the slot back.
    :param poll_interval: seconds between two looks.
    """

    def __init__(self, calls: EmrCalls, *, deferrable: bool, poll_interval: int) -> None:
        self.calls = calls
        self.poll_interval = poll_interval
        self._deferrable = deferrable

    def pause(self, carried: Mapping[str, Any], seconds: float) -> Deferral | None:
        """Let time pass.

        :param carried: what the task needs when it goes on.
        :param seconds: how long to wait.
        :returns: what to defer with; ``None`` when the time has passed here.
        """
        return self.wait(EmrPauseTrigger, carried, time.time() + seconds, seconds)

    def wait(
        self,
        trigger: type[EmrTrigger],
        carried: Mapping[str, Any],
        give_up_at: float,
        seconds: float | None = None,
        **fields: Any,
    ) -> Deferral | None:
        """Wait until it is worth looking again.

        :param trigger: class of the trigger.
        :param carried: what the task needs when it goes on.
        :param give_up_at: when the waiting ends, in seconds since 1970.
        :param seconds: how long to wait in the slot, by default until the next look.
        :param fields: arguments of the trigger.
        :returns: what to defer with; ``None`` when it has waited here.
        """
        if not may_defer(deferrable=self._deferrable):
            time.sleep(self.poll_interval if seconds is None else seconds)
            return None
        parameters = self.calls.hook_parameters
        return Deferral(
            trigger(
                **fields,
                carried=carried,
                give_up_at=give_up_at,
                poll_interval=self.poll_interval,
                aws_conn_id=parameters.get("aws_conn_id"),
                region_name=self.calls.region,
                verify=parameters.get("verify"),
                botocore_config=parameters.get("config"),
            ),
            timedelta(seconds=max(0.0, give_up_at - time.time())) + GRACE,
        )


class EmrBaseOperator(AwsOperator[EmrHook]):
    """Base of the operators for clusters and steps.

    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks; a trigger begins with shorter pauses.
    :param inputs: URIs of what the work reads, for lineage: ``s3://`` prefixes and ARNs of
        DynamoDB tables. (templated)
    :param outputs: URIs of what the work writes, for lineage. (templated)
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the cluster; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.
    """

    aws_hook_class = EmrHook
    ui_color = "#f5e6d3"

    def __init__(
        self,
        *,
        deferrable: bool = True,
        poll_interval: int = 30,
        inputs: Sequence[str] | str = (),
        outputs: Sequence[str] | str = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.inputs = inputs
        self.outputs = outputs
        self._owner: ResourceOwner | None = None
        self._kill_switch = KillSwitch()
        self._made_calls: EmrCalls | None = None

    @property
    def _calls(self) -> EmrCalls:
        if self._made_calls is None:
            self._made_calls = EmrCalls(super()._hook_parameters, CLUSTERS)
        return self._made_calls

    def calls_outside(self, context: Context) -> EmrCalls:
        """Make the calls for a callback, which may run where no template was rendered.

        :param context: context of the task instance.
        :returns: the calls.
        """
        parameters = {
            name: self.render_template(value, context) if isinstance(value, str) else value
            for name, value in super()._hook_parameters.items()
        }
        return EmrCalls(parameters, CLUSTERS)

    def _waiting(self) -> Waiting:
        return Waiting(self._calls, deferrable=self.deferrable, poll_interval=self.poll_interval)

    def _checked(self, check: Callable[[], Any]) -> Any:
        """Check arguments, and fail for good when one is wrong."""
        try:
            check_poll_interval(self.poll_interval)
            return check()
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None

    def _require_owner(self) -> ResourceOwner:
        if self._owner is None:
            raise UpdraftError("the task has no owner before it is executed")
        return self._owner

    def _show_cluster(self, context: Context, cluster: Mapping[str, Any]) -> None:
        """Give the task links to a cluster, as DescribeCluster describes it, and to its logs."""
        self._persist(context, EmrClusterLink, job_flow_id=cluster["Id"])
        log_uri = (cluster.get("LogUri") or "").partition("://")[2].rstrip("/")
        self._persist(context, EmrLogsLink, job_flow_id=cluster["Id"], log_uri=log_uri)

    def _persist(self, context: Context, link: type[BaseAwsLink], **values: Any) -> None:
        """Give the task a link to the AWS console."""
        try:
            link.persist(
                context=context,
                operator=self,
                region_name=self._calls.region,
                aws_partition=self._calls.hook.conn_partition,
                **values,
            )
        except Exception as error:  # noqa: BLE001 - a convenience must not fail the task
            self.log.warning("The task has no link to the AWS console: %s", error)

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what the work reads and writes, as far as it is declared.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._lineage(None)

    def _lineage(self, external_id: str | None) -> "OperatorLineage[Any, Any] | None":
        try:
            from updraft.operators.emr_lineage import declared_lineage  # noqa: PLC0415 - optional
        except ImportError:
            return None
        return declared_lineage(self.inputs, self.outputs, external_id)

    @staticmethod
    def note_event(log: Any, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read the event of a trigger.

        :param log: logger of the task.
        :param event: the event.
        :returns: what was carried.
        """
        if event.get("status") == "error":
            log.warning("The trigger ended with: %s", event.get("message"))
        carried: Mapping[str, Any] = event["carried"]
        return carried
