"""The fields of a cluster while they become a request: none of them is forgotten."""

from dataclasses import dataclass, field

from updraft.datapipeline.evaluation import Evaluator
from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.compiled_fields import (
    compile_texts,
    compile_value,
    compile_values,
    flag,
    reading,
    references_to,
)
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.task_settings import (
    ACTION_FIELDS,
    PIPELINE_WIDE,
    account_task_settings,
)

ABOUT_TASKS = ACTION_FIELDS | {"maxActiveInstances"}
"""Fields that are accounted for with the actions, once all tasks are there."""

_OTHERS: dict[str, tuple[Status, str]] = {
    "actionOnResourceFailure": (
        Status.APPROXIMATED,
        "after a cluster failed, clear the task that makes it together with those after it: they "
        "run again on a new one",
    ),
    "attemptTimeout": (
        Status.APPROXIMATED,
        "the tasks on the cluster have time limits, and a teardown ends it",
    ),
    "dependsOn": (Status.CARRIED_OVER, "decides the order of tasks"),
    "precondition": (Status.CARRIED_OVER, "is a task that goes before"),
    "enableDebugging": (
        Status.DROPPED,
        "EMR's console shows steps and their logs from `LogUri` by itself",
    ),
    "hadoopVersion": (Status.APPROXIMATED, "the release decides on the version of Hadoop"),
    "httpProxy": (
        Status.DROPPED,
        "Task Runner used it, and none is there any more; programs on the cluster that need one "
        "take it from a bootstrap action, as before",
    ),
    "installHive": (Status.APPROXIMATED, "the release decides on the version of Hive"),
    "runsOn": (Status.DROPPED, "has no meaning on a cluster"),
    "supportedProducts": (
        Status.NEEDS_DECISION,
        "products of others came with AMI versions only: install them by a bootstrap action",
    ),
    "workerGroup": (Status.DROPPED, "has no meaning on a cluster"),
}


@dataclass
class ClusterFields:
    """A cluster whose fields are read one by one.

    :param item: the cluster.
    :param workflow: the workflow.
    """

    item: ResolvedObject
    workflow: Workflow
    described: set[str] = field(default_factory=set)
    _templates: list[Template] = field(default_factory=list)

    @property
    def templates(self) -> tuple[Template, ...]:
        """All templates that were taken, whose reads count as used."""
        return tuple(self._templates)

    def settle(self, name: str, status: Status, note: str) -> None:
        """Say what became of a field.

        :param name: the field; nothing happens when the cluster has none of this name.
        :param status: what became of it.
        :param note: why, or how it differs.
        """
        self.workflow.ledger.account(self.item, name, status, note)

    def take(self, *templates: Template) -> None:
        """Take templates in, so that what they read counts as used.

        :param templates: the templates.
        """
        self._templates += templates

    def value(self, name: str, note: str) -> str | None:
        """Take the one value of a field over.

        :param name: the field.
        :param note: what it is now.
        :returns: its text, none when the cluster has no such field.
        :raises NotCompilableError: when it can't be said exactly.
        """
        template = compile_value(name, self.item, self.workflow)
        if template is None:
            return None
        self.take(template)
        self.settle(name, Status.CARRIED_OVER, note)
        return template.text.strip()

    def values(self, name: str, note: str) -> list[str] | str:
        """Take all values of a field over.

        :param name: the field.
        :param note: what they are now.
        :returns: their texts, or where one of the values is a list the template of their JSON.
        :raises NotCompilableError: when one can't be said exactly.
        """
        listed, read = compile_texts(name, self.item, self.workflow)
        if isinstance(listed, str):
            self.take(*read)
            self.settle(name, Status.CARRIED_OVER, note)
            return listed
        templates = compile_values(name, self.item, self.workflow)
        self.take(*templates)
        self.settle(name, Status.CARRIED_OVER, note)
        return [template.text.strip() for template in templates]

    def number(self, name: str, note: str) -> int | str | None:
        """Take a whole number over.

        :param name: the field.
        :param note: what it is now.
        :returns: the number, or a template that yields it; none when there is no such field.
        :raises NotCompilableError: when it can't be said exactly.
        """
        return as_number(self.value(name, note))

    def switch(self, name: str, note: str) -> bool:
        """Take a field over that is true or false.

        :param name: the field.
        :param note: what it is now.
        :returns: its value, false when there is no such field.
        :raises NotCompilableError: when it depends on the run.
        """
        given = flag(name, self.item)
        self.settle(name, Status.CARRIED_OVER, note)
        if given is not None:
            self.take(reading(name, self.item))
        return given is True

    def references(self, name: str, note: str) -> list[ResolvedObject]:
        """Take objects over that a field points to, and that only describe this one.

        :param name: the field.
        :param note: what it is now.
        :returns: the objects.
        """
        found = references_to(name, self.item, self.workflow)
        if found:
            self.take(reading(name, self.item))
            self.described |= {one.id for one in found}
        self.settle(name, Status.CARRIED_OVER, note)
        return found

    def present(self, name: str) -> str | None:
        """Tell the value that a field has with the present values of parameters.

        :param name: the field.
        :returns: the value, none when there is no such field or only a run knows it.
        """
        if self.item.field(name) is None:
            return None
        evaluator = Evaluator(
            self.workflow.definition, self.workflow.resolved, {}, reads_secrets=False
        )
        try:
            return str(evaluator.evaluate_field(name, self.item)).strip()
        except UpdraftError:
            return None

    def account_others(self, users: list[ResolvedObject]) -> None:
        """Account for all fields that have not been taken over.

        :param users: the activities on the cluster.
        """
        self._account_failures(users)
        for name, (status, note) in _OTHERS.items():
            self.settle(name, status, note)
        taken = ("pipelineLogUri", "resourceRole", "role")
        account_task_settings(self.item, self.workflow, taken)
        account = self.workflow.ledger.account
        account(self.item, "type", Status.CARRIED_OVER, "`EmrClusterOperator`, and a teardown")
        for name, inherited in self.item.fields.items():
            if is_user_field(name) or (inherited.owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
                continue
            if name in ABOUT_TASKS:
                continue
            if self.workflow.ledger.status(inherited.owner_id, name) is None:
                note = "no member of a request for a cluster: see whether anything depends on it"
                account(self.item, name, Status.NEEDS_DECISION, note)

    def _account_failures(self, users: list[ResolvedObject]) -> None:
        action = (self.item.text("actionOnTaskFailure") or "").strip().casefold()
        if action == "terminate" and len(users) > 1:
            note = "the cluster lives until its other tasks are over, too; then a teardown ends it"
            self.settle("actionOnTaskFailure", Status.APPROXIMATED, note)
        elif action == "terminate":
            note = "a teardown ends the cluster once the task has failed for the last time"
            self.settle("actionOnTaskFailure", Status.EQUIVALENT, note)
        else:
            note = "the cluster lives on, until a teardown ends it after all tasks"
            self.settle("actionOnTaskFailure", Status.EQUIVALENT, note)


def as_number(text: str | None) -> int | str | None:
    """Write a whole number without quotes where it is fixed.

    :param text: digits or a template.
    :returns: a number for digits, else the text itself.
    """
    return int(text) if text is not None and text.isascii() and text.isdecimal() else text
