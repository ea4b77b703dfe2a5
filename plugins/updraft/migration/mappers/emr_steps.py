"""Activities that run as steps on a cluster: what all their types share."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.legacy_steps import CurrentStep, JarStep, script_step
from updraft.emr.steps import MOST_CHARACTERS
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value, compile_values, reading, references_to
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import to_code
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.dynamodb_copies import time_limit
from updraft.migration.mappers.step_clusters import PipelineCluster, step_cluster
from updraft.migration.mappers.task_settings import account_task_settings, retry_settings
from updraft.migration.tasks import ArgumentValue, TaskSpec, as_argument

OPERATOR = "updraft.operators.emr.EmrStepsOperator"


@dataclass
class ActivitySteps:
    """The steps of one activity while they are collected.

    :param item: the activity.
    :param workflow: the workflow.
    :param node: what a precondition guards, known to it as ``node``.
    """

    item: ResolvedObject
    workflow: Workflow
    node: ResolvedObject | None = None
    _steps: list[JarStep] = field(default_factory=list)
    _templates: list[Template] = field(default_factory=list)
    _described: set[str] = field(default_factory=set)
    _from_form: str | None = None

    def __post_init__(self) -> None:
        """Find the cluster.

        :raises NotCompilableError: when the activity does not run on exactly one.
        """
        self._cluster = step_cluster(self.item, self.workflow)
        self._region = self._cluster.region(self.workflow)

    @property
    def region(self) -> str | None:
        """The region of the cluster, none when the definition does not tell it."""
        return self._region.text if self._region is not None else None

    def take(self, template: Template) -> str:
        """Take a template in, so that what it reads counts as used.

        :param template: the template.
        :returns: its text.
        """
        self._templates.append(template)
        return template.text

    def value(self, name: str) -> str | None:
        """Take the one value of a field of the activity in.

        :param name: the field.
        :returns: its text, none when the activity has no such field.
        :raises NotCompilableError: when it can't be said exactly.
        """
        template = compile_value(name, self.item, self.workflow, self.node)
        return self.take(template) if template is not None else None

    def values(self, name: str) -> list[str]:
        """Take all values of a field of the activity in.

        :param name: the field.
        :returns: their texts.
        :raises NotCompilableError: when one can't be said exactly.
        """
        found = compile_values(name, self.item, self.workflow, self.node)
        return [self.take(one) for one in found]

    def add(self, *steps: JarStep) -> None:
        """Add steps.

        :param steps: the steps, in their order.
        :raises NotCompilableError: when one is longer than EMR takes.
        """
        for step in steps:
            if sum(map(len, [step.jar, *step.arguments])) > MOST_CHARACTERS:
                raise NotCompilableError(
                    f"with its script it has more than {MOST_CHARACTERS:,} characters, the most "
                    "that a step takes; put the script into S3 and name it by scriptUri"
                )
            self._steps.append(step)

    def add_from_form(self, name: str) -> None:
        """Let the run take steps apart that only the form has, and that are the only ones.

        :param name: the field whose one text is a parameter.
        :raises NotCompilableError: when it can't be said exactly.
        """
        field = self.item.fields[name].field
        compiler = self.workflow.compiler
        found = compiler.compile_list(field.texts, self.item)
        if found is None:
            (template,) = compile_values(name, self.item, self.workflow)
            found = replace(template, text=template.text[2:-2].strip())
        for one in (found, reading(name, self.item)):
            self.take(one)
        activity = to_code((self.item.item.name,))
        self._from_form = f"{{{{ macros.updraft.emrSteps({activity}, {found.text}) | tojson }}}}"

    def add_current(self, current: CurrentStep) -> Status:
        """Add a rewritten step, if anything is left of it.

        :param current: the step.
        :returns: what became of it.
        """
        if current.step is not None:
            self.add(current.step)
        if current.differences:
            return Status.APPROXIMATED
        return Status.EQUIVALENT if current.changes else Status.CARRIED_OVER

    def add_configured_script(self, name: str) -> None:
        """Add the script that goes before or after an activity.

        :param name: ``preActivityTaskConfig`` or ``postActivityTaskConfig``.
        :raises NotCompilableError: when it names no script.
        """
        for config in references_to(name, self.item, self.workflow):
            if config.id in self.workflow.missing:
                continue  # A task that fails goes before this one.
            uri = compile_value("scriptUri", config, self.workflow)
            if uri is None:
                raise NotCompilableError(f"{config.id} names no script")
            arguments = compile_values("scriptArgument", config, self.workflow)
            for template in (uri, *arguments, reading(name, self.item)):
                self.take(template)
            self.add(script_step(uri.text, [one.text for one in arguments], self.region))
            self.describe(config)
            when = "first" if name.startswith("pre") else "last"
            note = f"the {when} step; a script from S3 that runs on the master node as before"
            self.workflow.ledger.account(self.item, name, Status.CARRIED_OVER, note)

    def describe(self, item: ResolvedObject) -> None:
        """Take in an object that only describes others.

        :param item: the object, of which templates were taken.
        """
        self._described.add(item.id)

    def finish(
        self,
        summary: str,
        notes: Iterable[str] = (),
        spelling: Iterable[str] = (),
        part: str = "",
    ) -> None:
        """Add the task to the workflow, and account for what its type shares with others.

        :param summary: what it does, a sentence without subject.
        :param notes: how it differs from what was.
        :param spelling: what is said in another way and means the same.
        :param part: what it does for the activity, one word of its id, where a task of the same
            activity follows.
        :raises NotCompilableError: when there is nothing to run.
        """
        if not self._steps and self._from_form is None:
            raise NotCompilableError("nothing is left to run: the release installs it by itself")
        item, workflow = self.item, self.workflow
        arguments: dict[str, ArgumentValue] = {
            "cluster_id": self._cluster.cluster_id(workflow),
            "steps": self._from_form or self._definitions(),
        }
        if self._region is not None:
            arguments["region_name"] = self.take(self._region)
        settings = time_limit(item, workflow) | retry_settings(item, workflow)
        retries = settings.get("retries", workflow.retries)
        if len(self._steps) != 1 and retries != 0:
            arguments["retry_from"] = "first_step"  # as a retry of the activity did
        self._account([*dict.fromkeys(notes)], [*dict.fromkeys(spelling)])
        workflow.described |= self._described
        add = workflow.add_preparation if part else workflow.add_task
        add(
            TaskSpec(
                task_id=workflow.task_id(item, part) if part else workflow.main_task_id(item),
                object_id=item.id,
                object_type=item.type or "-",
                operator=OPERATOR,
                arguments=arguments | settings,
                summary=summary,
            ),
            tuple(self._templates),
        )

    def _definitions(self) -> list[ArgumentValue]:
        name, count = self.item.item.name, len(self._steps)
        return [
            as_argument(
                step.definition(
                    name if count == 1 else f"{name} {index}/{count}", last=index == count
                )
            )
            for index, step in enumerate(self._steps, 1)
        ]

    def _account(self, differences: list[str], spelling: list[str]) -> None:
        item, workflow = self.item, self.workflow
        account = workflow.ledger.account
        status = Status.EQUIVALENT if spelling else Status.CARRIED_OVER
        status = Status.APPROXIMATED if differences else status
        note = "; ".join(["`EmrStepsOperator`", *spelling, *differences])
        account(item, "type", status, note)
        self._cluster.account(item, workflow)
        resized = "the cluster keeps its size; set instance counts, or managed scaling"
        for name in ("resizeClusterBeforeRunning", "resizeClusterMaxInstances"):
            if (item.text(name) or "").strip().casefold() == "false":
                account(item, name, Status.EQUIVALENT, "the cluster keeps its size, as before")
            else:
                account(item, name, Status.APPROXIMATED, resized)
        taken: set[str] = set()
        cluster = self._cluster
        if (
            isinstance(cluster, PipelineCluster)
            and shared_log_uri(cluster.resource, workflow) is not None
        ):
            note = "`LogUri` of the cluster: the logs of the steps; Airflow keeps its own by itself"
            account(item, "pipelineLogUri", Status.CARRIED_OVER, note)
            taken.add("pipelineLogUri")
        account_task_settings(item, workflow, taken)


def shared_log_uri(cluster: ResolvedObject, workflow: Workflow) -> Template | None:
    """Find out where the logs of a cluster go that does not say so itself.

    :param cluster: the cluster.
    :param workflow: the workflow.
    :returns: the place that its activities name, none unless it is the same for all that name one.
    """
    if any(cluster.field(name) is not None for name in ("emrLogUri", "pipelineLogUri")):
        return None
    users = [one for one in workflow.users(cluster.id, "runsOn") if one.category == "activity"]
    try:
        found = [compile_value("pipelineLogUri", one, workflow) for one in users]
    except NotCompilableError:
        return None
    named = [one for one in found if one is not None and one.text.strip()]
    return named[0] if len({one.text.strip().rstrip("/") for one in named}) == 1 else None
