"""An activity that becomes one task: the fields that its arguments come from."""

from dataclasses import dataclass, field

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import (
    compile_texts,
    compile_value,
    compile_values,
    reading,
    references_to,
)
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import parameter_code
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.dynamodb_copies import time_limit
from updraft.migration.mappers.task_settings import account_task_settings, retry_settings
from updraft.migration.tasks import ArgumentValue, ParamSpec, TaskSpec


@dataclass(frozen=True, slots=True)
class _Preparation:
    part: str
    operator: str
    arguments: dict[str, ArgumentValue]
    summary: str
    templates: tuple[Template, ...]
    task_id: str | None


@dataclass
class TaskFields:
    """What one activity and the objects that serve it give to its task.

    Nothing of it reaches the workflow before :meth:`finish`, so that an activity that turns out to
    be a placeholder leaves no traces.

    :param item: the activity.
    :param workflow: the workflow.
    """

    item: ResolvedObject
    workflow: Workflow
    _templates: list[Template] = field(default_factory=list)
    _described: list[str] = field(default_factory=list)
    _accounts: list[tuple[ResolvedObject, str, Status, str]] = field(default_factory=list)
    _warnings: list[tuple[ResolvedObject, str, str, str]] = field(default_factory=list)
    _preparations: list[_Preparation] = field(default_factory=list)
    _asked: list[ParamSpec] = field(default_factory=list)

    def take(self, template: Template) -> str:
        """Take a template in, so that what it reads counts as used.

        :param template: the template.
        :returns: its text.
        """
        self._templates.append(template)
        return template.text

    def template(self, name: str, owner: ResolvedObject | None = None) -> Template | None:
        """Take the one value of a field in.

        :param name: the field.
        :param owner: the object that has it, by default the activity.
        :returns: its template, none when there is no such field.
        :raises NotCompilableError: when it can't be said exactly.
        """
        found = compile_value(name, owner or self.item, self.workflow)
        if found is not None:
            self._templates.append(found)
        return found

    def text(self, name: str, owner: ResolvedObject | None = None) -> str | None:
        """Take the one value of a field in, as text for the DAG.

        :param name: the field.
        :param owner: the object that has it, by default the activity.
        :returns: its text, none when there is no such field or nothing in it.
        :raises NotCompilableError: when it can't be said exactly.
        """
        found = self.template(name, owner)
        return found.text if found is not None and found.text.strip() else None

    def fixed(self, name: str, owner: ResolvedObject | None = None) -> str | None:
        """Take the one value of a field in that has to be known before the run.

        :param name: the field.
        :param owner: the object that has it, by default the activity.
        :returns: the value, none when there is no such field.
        :raises NotCompilableError: when it depends on the run.
        """
        found = self.template(name, owner)
        if found is not None and found.literal is None:
            raise NotCompilableError(f"{(owner or self.item).id}.{name} is not fixed")
        return found.literal if found is not None else None

    def templates(self, name: str, owner: ResolvedObject | None = None) -> list[Template]:
        """Take all values of a field in.

        :param name: the field.
        :param owner: the object that has it, by default the activity.
        :returns: their templates.
        :raises NotCompilableError: when one can't be said exactly.
        """
        holder = owner or self.item
        found = compile_values(name, holder, self.workflow)
        if holder.field(name) is not None:
            self._templates += [*found, reading(name, holder)]
        return list(found)

    def texts(self, name: str, owner: ResolvedObject | None = None) -> ArgumentValue:
        """Take all values of a field in, for an argument that takes a list or its JSON.

        :param name: the field.
        :param owner: the object that has it, by default the activity.
        :returns: the texts, or where one of the values is a list the template of their JSON.
        :raises NotCompilableError: when one can't be said exactly.
        """
        holder = owner or self.item
        values, found = compile_texts(name, holder, self.workflow)
        self._templates += found
        return values

    def reference(self, name: str, owner: ResolvedObject | None = None) -> ResolvedObject | None:
        """Follow a field to the one object that it points to.

        :param name: the field.
        :param owner: the object that has it, by default the activity.
        :returns: the object, none when there is no such field.
        :raises NotCompilableError: when it points to several, or to none that there is.
        """
        holder = owner or self.item
        if holder.field(name) is None:
            return None
        found = references_to(name, holder, self.workflow)
        if len(found) != 1:
            raise NotCompilableError(
                f"{holder.id}.{name} points to {len(found)} objects, and one is needed"
            )
        self._templates.append(reading(name, holder))
        return found[0]

    def describe(self, item: ResolvedObject) -> None:
        """Take in an object that only describes others.

        :param item: the object, such as a database or data format.
        """
        self._described.append(item.id)

    def note(self, owner: ResolvedObject, name: str, status: Status, note: str) -> None:
        """Say what becomes of a field, once the task is certain.

        :param owner: the object that has it.
        :param name: the field.
        :param status: what becomes of it.
        :param note: why, or how it differs.
        """
        self._accounts.append((owner, name, status, note))

    def warn(self, owner: ResolvedObject, name: str, message: str, advice: str) -> None:
        """Warn of a field, once the task is certain.

        :param owner: the object that has it.
        :param name: the field.
        :param message: what is odd; it must not quote the value.
        :param advice: what to do.
        """
        self._warnings.append((owner, name, message, advice))

    def ask_for(self, param: ParamSpec) -> str:
        """Take a new field into the form, once the task is certain.

        :param param: the field.
        :returns: the template that reads it.
        """
        self._asked.append(param)
        return f"{{{{ {parameter_code(param.name)} }}}}"

    def prepare(
        self,
        part: str,
        operator: str,
        arguments: dict[str, ArgumentValue],
        summary: str,
        task_id: str | None = None,
    ) -> None:
        """Let a task go before that of the activity; what has been taken in so far is its own.

        :param part: what it does for the activity, one word of its id.
        :param operator: import path of the operator class.
        :param arguments: its arguments.
        :param summary: what it does, a sentence without subject.
        :param task_id: its id, where a template had to know it already.
        """
        templates = tuple(self._templates)
        self._templates.clear()
        self._preparations.append(
            _Preparation(part, operator, arguments, summary, templates, task_id)
        )

    def add_prepared(self, *, ends: bool = False) -> None:
        """Add the prepared tasks and what was noted, where the work itself is a task of others.

        :param ends: whether the last of the tasks is the one that others wait for.
        """
        item, workflow = self.item, self.workflow
        last = self._preparations.pop() if ends else None
        settings = self._add_preparations()
        if last is not None:
            arguments = last.arguments | settings
            task = self._task(workflow.main_task_id(item), last.operator, arguments, last.summary)
            workflow.add_task(task, last.templates)
        self._report()

    def finish(
        self,
        operator: str,
        arguments: dict[str, ArgumentValue],
        summary: str,
        account: tuple[Status, str],
    ) -> None:
        """Add the task, and account for what all activities share.

        :param operator: import path of the operator class.
        :param arguments: its arguments.
        :param summary: what it does, a sentence without subject.
        :param account: what became of the activity's type, and how it differs.
        """
        item, workflow = self.item, self.workflow
        settings = self._add_preparations()
        task = self._task(workflow.main_task_id(item), operator, arguments | settings, summary)
        workflow.add_task(task, tuple(self._templates))
        workflow.ledger.account(item, "type", *account)
        self._report()
        account_task_settings(item, workflow)

    def _add_preparations(self) -> dict[str, ArgumentValue]:
        """Add the prepared tasks, and give the settings that all tasks of the activity share."""
        item, workflow = self.item, self.workflow
        settings = time_limit(item, workflow) | retry_settings(item, workflow)
        workflow.described |= set(self._described)
        for one in self._preparations:
            task_id = one.task_id or workflow.task_id(item, one.part)
            task = self._task(task_id, one.operator, one.arguments | settings, one.summary)
            workflow.add_preparation(task, one.templates)
        return settings

    def _report(self) -> None:
        for owner, name, status, note in self._accounts:
            self.workflow.ledger.account(owner, name, status, note)
        for param in self._asked:
            self.workflow.ask_for(param)
        for owner, name, message, advice in self._warnings:
            self.workflow.report(Severity.WARNING, owner, name, message, advice)

    def _task(
        self, task_id: str, operator: str, arguments: dict[str, ArgumentValue], summary: str
    ) -> TaskSpec:
        return TaskSpec(
            task_id=task_id,
            object_id=self.item.id,
            object_type=self.item.type or "-",
            operator=operator,
            arguments=arguments,
            summary=summary,
        )
