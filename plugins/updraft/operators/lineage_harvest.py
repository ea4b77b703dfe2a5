"""Operators that bring lineage from where it was left into the outbox."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import AirflowException, Context
from updraft.dynamodb.service_errors import ResourceMissingError, ServiceError
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.logs import LogsClientHook
from updraft.hooks.outbox import open_outbox
from updraft.lineage.log_group_harvest import GroupProgress, LogGroupHarvest
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.failures import task_failure
from updraft.operators.lineage import configured_outbox_uri
from updraft.operators.template_arguments import given, number_argument
from updraft.operators.throttling import may_pause, pause

KINDS = ("Task", "Scheduler", "WebServer")
"""Log groups of an MWAA environment that have events: of tasks, of DAG runs, and of what users do
in the UI. The log of the workers only repeats them."""

_HOUR = 60 * 60 * 1000


class HarvestTaskLogsOperator(AwsOperator[LogsClientHook]):
    """Take OpenLineage events out of the log groups of an MWAA environment, each once.

    For environments whose events go to the console transport. A run reads on where the last one
    stopped, with an overlap for events that came late, and puts what is new into the outbox, from
    where ``ForwardLineageOperator`` takes it.

    A log group that does not exist, because its log is switched off, is named in the log and left
    out; the task fails when none exists. Where CloudWatch has no room for more calls, the task
    waits without a slot and goes on where it was, in smaller steps.

    .. seealso:: ``docs/lineage-logs.md``; FilterLogEvents in the API reference of CloudWatch Logs.

    :param outbox_uri: ``s3://bucket/prefix`` or ``file:///directory``; the URI of the
        ``OutboxTransport`` in ``[openlineage] transport`` if empty. (templated)
    :param environment_name: name of the MWAA environment; that of this one if empty. (templated)
    :param log_groups: names of log groups, in place of those of an environment; a list, or a text
        with commas. (templated)
    :param filter_pattern: filter pattern of CloudWatch Logs. It saves time with large groups, and
        hides the later pieces of events that were split. (templated)
    :param look_back_hours: where to begin in a group for the first time. (templated)
    :param overlap_minutes: how long before the end of the last run to begin. (templated)
    :param deferrable: wait for CloudWatch without a slot.
    :param kwargs: as of the provider's ``AwsBaseOperator``.
    """

    aws_hook_class = LogsClientHook
    template_fields: Sequence[str] = aws_template_fields(
        "outbox_uri",
        "environment_name",
        "log_groups",
        "filter_pattern",
        "look_back_hours",
        "overlap_minutes",
    )
    ui_color = "#e8e4f5"

    def __init__(
        self,
        *,
        outbox_uri: str | None = None,
        environment_name: str | None = None,
        log_groups: Sequence[str] | str | None = None,
        filter_pattern: str | None = None,
        look_back_hours: float | str = 24,
        overlap_minutes: float | str = 15,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.outbox_uri = outbox_uri
        self.environment_name = environment_name
        self.log_groups = log_groups
        self.filter_pattern = filter_pattern
        self.look_back_hours = look_back_hours
        self.overlap_minutes = overlap_minutes
        self.deferrable = deferrable
        self._harvest: LogGroupHarvest | None = None

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002 - Airflow's interface
        """Harvest what is new.

        :param context: Airflow's context.
        :returns: counts by name; see :class:`updraft.lineage.log_group_harvest.GroupCounts`.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when CloudWatch or the outbox refuses.
        """
        return self._go_on({"counts": {}, "groups": [], "missing": [], "pauses": 0, "group": None})

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002 - Airflow's interface
        event: dict[str, Any],  # noqa: ARG002 - the trigger only lets time pass
        progress: dict[str, Any],
    ) -> dict[str, int]:
        """Go on after a pause.

        :param context: Airflow's context.
        :param event: that of the trigger.
        :param progress: what was done before the pause.
        :returns: as :meth:`execute`.
        """
        return self._go_on(progress)

    def _go_on(self, done: dict[str, Any]) -> dict[str, int]:
        try:
            harvest = self._prepare()
            harvest.counts.add(done["counts"])
            groups = self._groups()
            look_back = number_argument("look_back_hours", self.look_back_hours) * _HOUR
        except UpdraftError as error:
            raise task_failure(error) from None
        for group in groups:
            if group in done["groups"] or group in done["missing"]:
                continue
            progress = _progress_of(group, done.get("group"))
            try:
                self._harvest_group(harvest, group, progress, int(look_back), done)
            except ResourceMissingError as error:
                self.log.warning("%s It is left out", error)
                done["missing"].append(group)
            except UpdraftError as error:
                raise task_failure(error) from None
            else:
                done["groups"].append(group)
        return self._result(harvest, done)

    def _harvest_group(
        self,
        harvest: LogGroupHarvest,
        group: str,
        progress: GroupProgress,
        look_back: int,
        done: dict[str, Any],
    ) -> None:
        """Harvest a group, in smaller steps and with pauses where CloudWatch has no more room."""
        while True:
            read_to = progress.read_to
            try:
                harvest.harvest(group, int(time.time() * 1000), look_back, progress)
            except ServiceError as error:
                if progress.read_to != read_to:
                    done["pauses"] = 0
                if not may_pause(error, done["pauses"]):
                    raise
                progress.shorten()
                self._name_cut(harvest)
                done["counts"] = asdict(harvest.counts)
                done["group"] = {"name": group, **asdict(progress)}
                done["pauses"] += 1
                pause(self, error, done["pauses"] - 1, done, deferrable=self.deferrable)
            else:
                return

    def on_kill(self) -> None:
        """Stop between two pages; the next run continues."""
        if self._harvest is not None:
            self._harvest.stop()

    def _prepare(self) -> LogGroupHarvest:
        outbox = open_outbox(
            given(self.outbox_uri) or configured_outbox_uri(),
            aws_conn_id=self.aws_conn_id,
            verify=self.verify,
            config=self.botocore_config,
        )
        overlap = number_argument("overlap_minutes", self.overlap_minutes) * 60 * 1000
        pattern = given(self.filter_pattern)
        self._harvest = LogGroupHarvest(
            lambda group, start, end: self.hook.pages(group, start, end, pattern),
            outbox,
            int(overlap),
        )
        return self._harvest

    def _groups(self) -> list[str]:
        named = self.log_groups or ()
        groups = named.split(",") if isinstance(named, str) else list(named)
        groups = [group.strip() for group in groups if group.strip()]
        if groups:
            return list(dict.fromkeys(groups))
        # MWAA sets the variable in all its containers.
        environment = given(self.environment_name) or os.environ.get("AIRFLOW_ENV_NAME", "")
        if not environment:
            raise ArgumentError(
                "which logs to harvest is not known: set environment_name or log_groups; outside "
                "Amazon MWAA there is no AIRFLOW_ENV_NAME"
            )
        return [f"airflow-{environment}-{kind}" for kind in KINDS]

    def _name_cut(self, harvest: LogGroupHarvest) -> None:
        for cut in harvest.cut:
            self.log.warning("A lineage event is truncated in %s", cut)
        harvest.cut.clear()

    def _result(self, harvest: LogGroupHarvest, done: dict[str, Any]) -> dict[str, int]:
        self._name_cut(harvest)
        if not done["groups"]:
            raise AirflowException(
                f"none of the log groups exists: {', '.join(done['missing'])}; switch the logs of "
                f"the environment on at level INFO, or correct its name"
            )
        counts = asdict(harvest.counts)
        self.log.info("Lineage events: %s", ", ".join(f"{k} {v}" for k, v in counts.items()))
        return counts


def _progress_of(group: str, kept: dict[str, Any] | None) -> GroupProgress:
    """Say how far a group was read before a pause, if it was this one that was read."""
    if kept is None or kept["name"] != group:
        return GroupProgress()
    return GroupProgress(kept["read_to"], kept["window"])
