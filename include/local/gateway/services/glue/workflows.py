"""Workflows, whose triggers really start jobs and crawlers.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html
"""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.glue.background import States, Work, Works
from include.local.gateway.services.glue.catalog import moto_backend

_STATES = States(succeeded="COMPLETED", failed="ERROR")
_GOES_ON = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})
_PAUSE = 0.2  # seconds between two looks at what a run has started
_NAMES = {"JobName": "JOB", "CrawlerName": "CRAWLER"}


@dataclass
class _Node:
    """A job or crawler that a run has started.

    :param kind: ``JOB`` or ``CRAWLER``.
    :param name: its name.
    :param id: id of its run.
    :param state: where that is.
    :param run: the run as Glue describes it.
    """

    kind: str
    name: str
    id: str = ""
    state: str = "STARTING"
    run: dict[str, Any] = field(default_factory=dict)


class Workflows:
    """Runs workflows; moto keeps what they are.

    :param endpoint_url: address of the gateway.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._works = Works()
        self._lock = threading.Lock()
        self._runs: dict[tuple[str, str], list[Work]] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "GetWorkflowRun": self._get,
            "GetWorkflowRunProperties": self._properties,
            "GetWorkflowRuns": self._list,
            "StartWorkflowRun": self._start,
            "StopWorkflowRun": self._stop,
        }

    def _start(self, request: OperationRequest) -> Mapping[str, Any]:
        name = request.parameters["Name"]
        workflow = self._workflow(request.region, name)
        properties = {
            **(workflow.get("DefaultRunProperties") or {}),
            **request.parameters.get("RunProperties", {}),
        }
        with self._lock:
            runs = self._runs.setdefault((request.region, name), [])
            most = workflow.get("MaxConcurrentRuns")
            if most and sum(work.goes_on for work in runs) >= most:
                raise AwsError("ConcurrentRunsExceededException", f"Too many runs of {name}")
            run_id = f"wr_{secrets.token_hex(32)}"
            work = Work(request.region, (name, run_id), _STATES, {"properties": properties})
            work.id = run_id
            work.details["nodes"] = []
            runs.insert(0, work)
            self._works.start(work, self._carry_out)
        return {"RunId": run_id}

    def _carry_out(self, work: Work) -> None:
        name, _ = work.subject
        triggers = [
            trigger.as_dict()
            for trigger in moto_backend(work.region).triggers.values()
            if trigger.workflow_name == name
        ]
        nodes: list[_Node] = work.details["nodes"]
        waiting = []
        for trigger in triggers:
            if trigger["Type"] != "CONDITIONAL":
                self._fire(work, trigger)
            elif trigger["State"] == "ACTIVATED":
                waiting.append(trigger)
        while True:
            for node in nodes:
                self._look(work.region, node)
            if work.stop_asked.is_set():
                self._stop_nodes(work.region, nodes)
            else:
                for trigger in [t for t in waiting if _is_met(t["Predicate"], nodes)]:
                    waiting.remove(trigger)
                    self._fire(work, trigger)
            if all(node.state not in _GOES_ON for node in nodes):
                return
            work.stop_asked.wait(_PAUSE)
            if work.stop_asked.is_set():
                threading.Event().wait(_PAUSE)

    def _fire(self, work: Work, trigger: Mapping[str, Any]) -> None:
        glue: Any = client(self._endpoint_url, work.region, "glue")
        name, run_id = work.subject
        for action in trigger["Actions"]:
            kind = "JobName" if "JobName" in action else "CrawlerName"
            node = _Node(_NAMES[kind], action[kind])
            work.details["nodes"].append(node)
            try:
                if node.kind == "JOB":
                    own = {"--WORKFLOW_NAME": name, "--WORKFLOW_RUN_ID": run_id}
                    answer = glue.start_job_run(
                        JobName=node.name, Arguments={**action.get("Arguments", {}), **own}
                    )
                    node.id = answer["JobRunId"]
                else:
                    glue.start_crawler(Name=node.name)
                    node.id = glue.list_crawls(CrawlerName=node.name)["Crawls"][0]["CrawlId"]
            except ClientError as error:
                node.state = "ERROR"
                node.run = {"ErrorMessage": str(error)}

    def _look(self, region: str, node: _Node) -> None:
        if node.state not in _GOES_ON:
            return
        glue: Any = client(self._endpoint_url, region, "glue")
        if node.kind == "JOB":
            node.run = glue.get_job_run(JobName=node.name, RunId=node.id)["JobRun"]
            node.state = node.run["JobRunState"]
        else:
            crawls = glue.list_crawls(CrawlerName=node.name)["Crawls"]
            node.run = next(crawl for crawl in crawls if crawl["CrawlId"] == node.id)
            node.state = {"COMPLETED": "SUCCEEDED"}.get(node.run["State"], node.run["State"])

    def _stop_nodes(self, region: str, nodes: list[_Node]) -> None:
        glue: Any = client(self._endpoint_url, region, "glue")
        for node in nodes:
            if node.state not in {"RUNNING", "STARTING"}:
                continue
            if node.kind == "JOB":
                glue.batch_stop_job_run(JobName=node.name, JobRunIds=[node.id])
                continue
            try:
                glue.stop_crawler(Name=node.name)
            except (
                glue.exceptions.CrawlerNotRunningException,
                glue.exceptions.CrawlerStoppingException,
            ):
                continue

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        graph = request.parameters.get("IncludeGraph", False)
        return {"Run": _members(self._find(request), graph=graph)}

    def _properties(self, request: OperationRequest) -> Mapping[str, Any]:
        return {"RunProperties": self._find(request).details["properties"]}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        self._workflow(request.region, given["Name"])
        with self._lock:
            works = list(self._runs.get((request.region, given["Name"]), ()))
        start, size = int(given.get("NextToken", 0)), given.get("MaxResults", 1000)
        graph = given.get("IncludeGraph", False)
        page: dict[str, Any] = {
            "Runs": [_members(work, graph=graph) for work in works[start : start + size]]
        }
        if start + size < len(works):
            page["NextToken"] = str(start + size)
        return page

    def _stop(self, request: OperationRequest) -> Mapping[str, Any]:
        work = self._find(request)
        if not work.goes_on:
            raise AwsError("IllegalWorkflowStateException", f"Run {work.id} is {work.state}")
        self._works.stop(work)
        return {}

    def _find(self, request: OperationRequest) -> Work:
        name, run_id = request.parameters["Name"], request.parameters["RunId"]
        work = self._works.find(request.region, run_id)
        if work is None or work.subject[0] != name:
            raise AwsError("EntityNotFoundException", f"Run {run_id} of {name} does not exist")
        return work

    def _workflow(self, region: str, name: str) -> dict[str, Any]:
        workflow = moto_backend(region).workflows.get(name)
        if workflow is None:
            raise AwsError("EntityNotFoundException", f"Workflow {name} does not exist")
        described: dict[str, Any] = workflow.as_dict()
        return described


def _is_met(predicate: Mapping[str, Any], nodes: list[_Node]) -> bool:
    """Say whether the condition of a trigger holds."""
    met = []
    for condition in predicate.get("Conditions", ()):
        kind = "JobName" if "JobName" in condition else "CrawlerName"
        wanted = condition.get("State") or condition.get("CrawlState")
        met.append(
            any(
                (node.kind, node.name, node.state) == (_NAMES[kind], condition[kind], wanted)
                for node in nodes
            )
        )
    return any(met) if predicate.get("Logical") == "ANY" else bool(met) and all(met)


def _members(work: Work, *, graph: bool) -> dict[str, Any]:
    """Give a run as GetWorkflowRun returns it."""
    name, run_id = work.subject
    nodes: list[_Node] = list(work.details["nodes"])
    states = [node.state for node in nodes]
    members: dict[str, Any] = {
        "Name": name,
        "WorkflowRunId": run_id,
        "WorkflowRunProperties": work.details["properties"],
        "StartedOn": work.started,
        "Status": work.state,
        "Statistics": {
            "TotalActions": len(nodes),
            "TimeoutActions": states.count("TIMEOUT"),
            "FailedActions": states.count("FAILED"),
            "StoppedActions": states.count("STOPPED"),
            "SucceededActions": states.count("SUCCEEDED"),
            "RunningActions": sum(state in _GOES_ON for state in states),
            "ErroredActions": states.count("ERROR"),
            "WaitingActions": 0,
        },
    }
    if work.ended is not None:
        members["CompletedOn"] = work.ended
    if work.error is not None:
        members["ErrorMessage"] = work.error
    if graph:
        members["Graph"] = {"Nodes": [_graph_node(node) for node in nodes], "Edges": []}
    return members


def _graph_node(node: _Node) -> dict[str, Any]:
    described: dict[str, Any] = {"Type": node.kind, "Name": node.name, "UniqueId": node.id}
    if node.kind == "JOB":
        run = {**node.run, "Id": node.id, "JobName": node.name, "JobRunState": node.state}
        described["JobDetails"] = {"JobRuns": [run]}
    else:
        state = {"SUCCEEDED": "SUCCEEDED", "STOPPED": "CANCELLED"}.get(node.state, node.state)
        crawl = {"State": state, "ErrorMessage": node.run.get("ErrorMessage", "")}
        described["CrawlerDetails"] = {"Crawls": [crawl]}
    return described
