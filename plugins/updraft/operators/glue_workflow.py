"""Runs a workflow of Glue."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError, is_uncertain
from updraft.errors import UpdraftError
from updraft.operators.glue_base import LONGEST_WAIT, GlueOperator
from updraft.operators.glue_job_settings import json_object
from updraft.operators.glue_links import GlueWorkflowRunLink
from updraft.operators.try_series import try_series
from updraft.operators.waiting import Deferral
from updraft.resource_owner import TOKEN_TAG, ResourceOwner
from updraft.triggers.glue_catalog import GlueWorkflowRunTrigger

_SERIES = "updraft:series"
_GOES_ON = frozenset({"RUNNING", "STOPPING"})
_COMPLETED = "COMPLETED"
_UNSUCCESSFUL = ("FailedActions", "ErroredActions", "TimeoutActions", "StoppedActions")
_NO_ROOM = frozenset({"ConcurrentRunsExceededException", "ResourceNumberLimitExceededException"})


class GlueWorkflowRunOperator(GlueOperator):
    """Run a workflow of Glue once, however often the task is tried.

    A run has properties, and there the task says whose it is. A retry adopts its run if it goes on
    or has been completed by an earlier attempt of the same series; after a user has cleared the
    task, the workflow runs anew. Glue calls a run completed even if jobs in it have failed; this
    operator then fails and names them. A user who ends the task stops the run with all that it has
    started.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRun.html

    :param workflow_name: name of the workflow. (templated)
    :param run_properties: properties of the run, or their JSON; its jobs can read them.
        (templated)
    :param kwargs: as of :class:`GlueOperator`.
    """

    template_fields: Sequence[str] = tuple(
        dict.fromkeys(
            (
                *GlueOperator.template_fields,
                *aws_template_fields("workflow_name", "run_properties"),
            )
        )
    )
    json_fields: ClassVar[Sequence[str]] = ("run_properties",)
    operator_extra_links = (GlueWorkflowRunLink(),)

    def __init__(
        self,
        *,
        workflow_name: str,
        run_properties: Mapping[str, str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.workflow_name = workflow_name
        self.run_properties = run_properties
        self._run_id = ""

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        if not self.workflow_name:
            raise UpdraftError("workflow_name: it is missing")
        for name, value in json_object("run_properties", self.run_properties).items():
            if not isinstance(value, str) or name.startswith("updraft:"):
                raise UpdraftError(
                    f"run_properties: {name!r}: {value!r} is no property of a user, which is text "
                    "and has a name without 'updraft:'"
                )

    def begin(self, context: Context) -> dict[str, Any] | Deferral:
        """Find the run of an earlier attempt or start one, and wait for its end.

        :param context: context of the task instance.
        :returns: ``run_id``, ``state`` and ``statistics`` of its jobs and crawlers; or what to wait
            for.
        :raises UpdraftError: when something in the run did not succeed.
        """
        return self._advance(context, "", time.time() + LONGEST_WAIT.total_seconds())

    def go_on(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any] | Deferral:
        """Look what has become of the run.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: as :meth:`begin`.
        :raises UpdraftError: as :meth:`begin`.
        """
        return self._advance(context, event["run_id"], event["give_up_at"])

    def find_own(self, context: Context) -> None:
        """Find the run that goes on.

        :param context: context of the task instance.
        :raises UpdraftError: when AWS refuses.
        """
        run_id = self._found(context)
        if run_id and self._request("GetWorkflowRun", RunId=run_id)["Run"]["Status"] in _GOES_ON:
            self._run_id = run_id

    def stop(self) -> None:
        """Stop the run."""
        if not self._run_id:
            return
        try:
            self._request("StopWorkflowRun", RunId=self._run_id)
            self.log.info("Told Glue to stop run %s", self._run_id)
        except UpdraftError as error:
            self.log.warning("Run %s may go on. %s", self._run_id, error)

    def _advance(
        self, context: Context, run_id: str, give_up_at: float
    ) -> dict[str, Any] | Deferral:
        while True:
            run_id = run_id or self._found(context)
            if run_id and run_id != self._run_id:
                self._run_id = run_id
                self.kill_switch.check(self.stop)  # until here, on_kill did not know what to stop
            run_id = self._run_id = run_id or self._started(context)
            if run_id:
                run = self._request("GetWorkflowRun", RunId=run_id, IncludeGraph=True)["Run"]
                if run["Status"] not in _GOES_ON:
                    return self._result(run)
            trigger = GlueWorkflowRunTrigger(
                workflow_name=self.workflow_name, run_id=run_id, **self.waiting(give_up_at)
            )
            deferral = self.wait(trigger, f"Workflow {self.workflow_name!r}, run {run_id!r}")
            if deferral is not None:
                return deferral

    def _found(self, context: Context) -> str:
        """Find the run of an earlier attempt; empty when there is none."""
        owner, series = ResourceOwner.of(context).token(), try_series(context)
        runs = self.hook.pages(
            "GetWorkflowRuns", "Runs", self._named(), Name=self.workflow_name, IncludeGraph=False
        )
        for run in runs:
            properties = run.get("WorkflowRunProperties", {})
            if properties.get(TOKEN_TAG) != owner:
                continue
            is_result = run["Status"] == _COMPLETED and properties.get(_SERIES) == series
            if run["Status"] == "RUNNING" or (is_result and not _unsuccessful(run)):
                self.log.info("Adopted run %s, which is %s", run["WorkflowRunId"], run["Status"])
                return str(run["WorkflowRunId"])
        return ""

    def _started(self, context: Context) -> str:
        """Start a run; empty when there is no room for one."""
        properties = {
            **json_object("run_properties", self.run_properties),
            **ResourceOwner.of(context).tags(),
            _SERIES: try_series(context),
        }
        self.kill_switch.check()
        try:
            answer = self.hook.request_once(
                "StartWorkflowRun",
                self._named(),
                Name=self.workflow_name,
                RunProperties=properties,
            )
        except ServiceError as error:
            if error.code in _NO_ROOM:
                self.log.info("There is no room for another run now. %s", error)
                return ""
            if is_uncertain(error):  # it may have begun nevertheless
                found = self._run_id = self._found(context)
                if found:
                    self.kill_switch.check(self.stop)
                    return found
            raise
        run_id = str(answer["RunId"])
        self._run_id = run_id  # from here on there is something to stop
        self.log.info("Glue has begun run %s of workflow %s", run_id, self.workflow_name)
        self.kill_switch.check(self.stop)
        self.persist_console_link(
            context, GlueWorkflowRunLink, workflow_name=self.workflow_name, run_id=run_id
        )
        return run_id

    def _result(self, run: Mapping[str, Any]) -> dict[str, Any]:
        self._run_id = ""
        run_id = str(run["WorkflowRunId"])
        self.remember_lineage(run_id)
        wrong = list(_wrong_nodes(run))
        if run["Status"] != _COMPLETED or wrong or _unsuccessful(run):
            reasons = "; ".join(wrong) or run.get("ErrorMessage") or "Glue gives no reason"
            raise UpdraftError(
                f"Run {run_id} of workflow {self.workflow_name!r} ended as {run['Status']}: "
                f"{reasons}"
            )
        return {"run_id": run_id, "state": run["Status"], "statistics": run.get("Statistics")}

    def _request(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.hook.request(operation, self._named(), Name=self.workflow_name, **parameters)

    def _named(self) -> str:
        return f"workflow {self.workflow_name!r}"


def _unsuccessful(run: Mapping[str, Any]) -> bool:
    statistics = run.get("Statistics", {})
    return any(statistics.get(name) for name in _UNSUCCESSFUL)


def _wrong_nodes(run: Mapping[str, Any]) -> Sequence[str]:
    """Name the jobs and crawlers of a run that did not succeed."""
    found = []
    for node in run.get("Graph", {}).get("Nodes", ()):
        runs = node.get("JobDetails", {}).get("JobRuns", ())
        crawls = node.get("CrawlerDetails", {}).get("Crawls", ())
        for part in (*runs, *crawls):
            state = part.get("JobRunState") or part.get("State")
            if state != "SUCCEEDED":
                reason = part.get("ErrorMessage") or "Glue gives no reason"
                found.append(f"{node['Type'].lower()} {node['Name']} is {state}: {reason}")
    return found
