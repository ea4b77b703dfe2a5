"""On which cluster the steps of an activity run: one that the pipeline made, or one of the user's.

Where a Task Runner polled for a ``workerGroup``, it stood on a cluster that no definition
describes (guide, "HadoopActivity": jobs on an existing cluster). Its id is asked for in the form.
"""

from dataclasses import dataclass

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value, references_to
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import parameter_code
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.names import snake_case, unique
from updraft.migration.tasks import ArgumentValue, ParamSpec, TaskOutput

_NOTE = "new: the definition does not describe the cluster whose Task Runner polled for this group"


@dataclass(frozen=True, slots=True)
class PipelineCluster:
    """A cluster that the pipeline makes for each run.

    :param resource: the EmrCluster.
    """

    resource: ResolvedObject

    def region(self, workflow: Workflow) -> Template | None:
        """Say in which region it is, none when the definition does not tell it."""
        return compile_value("region", self.resource, workflow)

    def cluster_id(self, workflow: Workflow) -> ArgumentValue:
        """Say what tells its id: the task that makes it."""
        return TaskOutput(workflow.main_task_id(self.resource))

    def account(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Account for what tells where an activity runs."""
        account = workflow.ledger.account
        task = workflow.main_task_id(self.resource)
        note = f"`cluster_id`: the cluster that `{task}` makes for the run"
        account(item, "runsOn", Status.CARRIED_OVER, note)
        account(item, "workerGroup", Status.DROPPED, "ignored beside `runsOn`, as before")


@dataclass(frozen=True, slots=True)
class OwnCluster:
    """A cluster of the user's.

    :param asked: the field of the form that asks for its id.
    """

    asked: ParamSpec

    def region(self, _workflow: Workflow) -> None:
        """Say in which region it is, which no definition tells."""
        return

    def cluster_id(self, workflow: Workflow) -> ArgumentValue:
        """Say what tells its id: the form, which is made to ask for it."""
        workflow.ask_for(self.asked)
        return f"{{{{ {parameter_code(self.asked.name)} }}}}"

    def account(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Account for what tells where an activity runs."""
        note = (
            "`cluster_id`: the form asks for the cluster whose Task Runner polled for this group; "
            "its steps need no Task Runner"
        )
        workflow.ledger.account(item, "workerGroup", Status.APPROXIMATED, note)


StepCluster = PipelineCluster | OwnCluster


def step_cluster(item: ResolvedObject, workflow: Workflow) -> StepCluster:
    """Find the cluster that an activity runs on.

    :param item: the activity.
    :param workflow: the workflow.
    :returns: the cluster.
    :raises NotCompilableError: when the activity does not run on exactly one.
    """
    found = references_to("runsOn", item, workflow)
    group = None if found else compile_value("workerGroup", item, workflow)
    if group is not None and group.text.strip():
        return OwnCluster(_asked(group, workflow))
    if len(found) != 1 or found[0].type != "EmrCluster":
        what = " and ".join(one.type or one.id for one in found) or "nothing"
        raise NotCompilableError(f"it runs on {what}, and steps need one EmrCluster")
    return PipelineCluster(found[0])


def _asked(group: Template, workflow: Workflow) -> ParamSpec:
    name, title = "worker_group", "New: id of the running EMR cluster for the steps"
    if group.literal is not None:
        name = snake_case(group.literal)
        title = f"New: id of the running EMR cluster whose Task Runner polled for {group.literal}"
    arguments: dict[str, object] = {"type": "string", "pattern": "^j-", "title": title}
    taken = set(workflow.definition.names)
    return ParamSpec(unique(f"{name}_cluster_id", taken), arguments, title, "string", note=_NOTE)
