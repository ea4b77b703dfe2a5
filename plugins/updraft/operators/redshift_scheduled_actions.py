"""Keeps the scheduled actions of a cluster as a timetable says."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.choices import require_choice
from updraft.compat import AirflowException, AirflowFailException, Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.redshift import RedshiftClusterHook
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.redshift_links import RedshiftClusterLink, persist_console_link
from updraft.operators.redshift_timetable import read_timetable
from updraft.operators.template_arguments import given, truth
from updraft.redshift.clusters import require_identifier
from updraft.redshift.scheduled_actions import (
    Difference,
    ScheduledAction,
    compare,
    name_prefix,
    require_role,
    wanted_actions,
    warnings,
)

LIST, APPLY, REMOVE = "list", "apply", "remove"

_ROUNDS = 3  # an answer that was lost shows in the next one
_ALREADY = frozenset({"ScheduledActionAlreadyExists", "ScheduledActionAlreadyExistsFault"})
_GONE = frozenset({"ScheduledActionNotFound", "ScheduledActionNotFoundFault"})


class RedshiftScheduledActionsOperator(AwsOperator[RedshiftClusterHook]):
    """Create, change, list and remove scheduled actions, by which AWS itself changes a cluster.

    A difference to what is there is shown before it is made up for. Only actions whose names begin
    with ``updraft-`` and the name of the cluster are changed or removed.

    .. seealso::
        https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateScheduledAction.html

    :param cluster_identifier: name of the cluster. (templated)
    :param operation: ``list`` shows the actions of the cluster, ``apply`` makes its own ones those
        of the timetable, ``remove`` removes its own ones. (templated)
    :param timetable: its lines, see :meth:`TimetableEntry.parse`, or their JSON. (templated)
    :param time_zone: time zone of its times. AWS has UTC; where a time in UTC will be another one
        after the clocks change, a warning says so. (templated)
    :param iam_role: ARN of the role by which AWS does it; it has to trust
        ``scheduler.redshift.amazonaws.com``. (templated)
    :param plan: whether to show only what would be changed. (templated)
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.
    """

    aws_hook_class = RedshiftClusterHook
    template_fields: Sequence[str] = aws_template_fields(
        "cluster_identifier", "operation", "timetable", "time_zone", "iam_role", "plan"
    )
    operator_extra_links = (RedshiftClusterLink(),)
    ui_color = "#dfe3f7"

    def __init__(
        self,
        *,
        cluster_identifier: str,
        operation: str = LIST,
        timetable: Sequence[Mapping[str, Any]] | str = (),
        time_zone: str = "UTC",
        iam_role: str | None = None,
        plan: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_identifier = cluster_identifier
        self.operation = operation
        self.timetable = timetable
        self.time_zone = time_zone
        self.iam_role = iam_role
        self.plan = plan

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    def execute(self, context: Context) -> dict[str, Any]:
        """Do it.

        :param context: context of the task instance.
        :returns: the ``actions`` of the cluster by name, with ``schedule``, ``state`` and
            ``own``; the lines of ``changes`` that were made, or with ``plan`` would be; and
            ``warnings``.
        :raises AirflowFailException: when an argument is wrong.
        :raises AirflowException: when AWS refuses.
        """
        try:
            wanted, said = self._check()
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        for warning in said:
            self.log.warning(warning)
        self._persist_link(context)
        try:
            changes = [] if self.operation == LIST else self._bring_about(wanted)
            return {"actions": self._shown(), "changes": changes, "warnings": said}
        except UpdraftError as error:
            raise AirflowException(str(error)) from None

    def _check(self) -> tuple[list[ScheduledAction], list[str]]:
        require_identifier(self.cluster_identifier)
        require_choice("operation", self.operation, (LIST, APPLY, REMOVE))
        truth("plan", self.plan)
        if self.operation != APPLY:
            return [], []
        timetable = read_timetable(self.timetable, self.time_zone)
        role, now = require_role(given(self.iam_role)), datetime.now(UTC)
        return (
            wanted_actions(timetable, self.cluster_identifier, role, now),
            warnings(timetable, now),
        )

    def _bring_about(self, wanted: Iterable[ScheduledAction]) -> list[str]:
        """Make the difference up, and look whether it is.

        :returns: what was, or would be, changed.
        """
        done: list[str] = []
        for _ in range(_ROUNDS):
            difference = compare(wanted, self._own())
            lines = difference.lines()
            for line in lines:
                self.log.info("Scheduled actions of %s: %s", self.cluster_identifier, line)
            if not lines or truth("plan", self.plan):
                return lines if truth("plan", self.plan) else done
            self._change(difference)
            done += [line for line in lines if line not in done]
        raise UpdraftError(
            f"Somebody else changes the scheduled actions of cluster {self.cluster_identifier!r} "
            "at the same time. AWS CloudTrail knows who."
        )

    def _change(self, difference: Difference) -> None:
        for action in difference.create:
            with _tolerated(_ALREADY):
                self._request("CreateScheduledAction", action.name, **action.parameters())
        for action, _ in difference.modify:
            with _tolerated(_GONE):
                self._request("ModifyScheduledAction", action.name, **action.parameters())
        for name in difference.remove:
            with _tolerated(_GONE):
                self._request("DeleteScheduledAction", name, ScheduledActionName=name)

    def _shown(self) -> dict[str, Any]:
        own = {action["ScheduledActionName"] for action in self._own()}
        shown = {}
        for action in self._actions():
            name = action["ScheduledActionName"]
            ahead = [str(moment) for moment in action.get("NextInvocations", ())]
            self.log.info(
                "%s: %s, %s, next %s", name, action["Schedule"], action["State"], ahead[:1]
            )
            shown[name] = {
                "schedule": action["Schedule"],
                "state": action["State"],
                "own": name in own,
            }
        return shown

    def _own(self) -> list[dict[str, Any]]:
        prefix = name_prefix(self.cluster_identifier)
        return [one for one in self._actions() if one["ScheduledActionName"].startswith(prefix)]

    def _actions(self) -> list[dict[str, Any]]:
        condition = {"Name": "cluster-identifier", "Values": [self.cluster_identifier]}
        return list(
            self.hook.pages(
                "DescribeScheduledActions",
                "ScheduledActions",
                f"cluster {self.cluster_identifier!r}",
                Filters=[condition],
            )
        )

    def _request(self, operation: str, name: str, **parameters: Any) -> None:
        self.hook.request(operation, f"scheduled action {name!r}", **parameters)

    def _persist_link(self, context: Context) -> None:
        persist_console_link(
            self, context, RedshiftClusterLink, cluster_identifier=self.cluster_identifier
        )


@contextmanager
def _tolerated(codes: Collection[str]) -> Iterator[None]:
    """Let pass that AWS has done already what it is asked for."""
    try:
        yield
    except ServiceError as error:
        if error.code not in codes:
            raise
