"""What mappers share while one definition converts."""

import keyword
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from updraft.datapipeline.field_findings import field_finding
from updraft.datapipeline.findings import Finding, Severity
from updraft.datapipeline.model import Definition
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.migration.airflow_releases import AIRFLOW_3_2, AirflowRelease
from updraft.migration.dag_schedules import DagSchedule
from updraft.migration.jinja_compiler import JinjaCompiler, Template
from updraft.migration.ledger import Ledger, Status
from updraft.migration.names import RESERVED, snake_case, unique
from updraft.migration.pipeline_schedule import PipelineSchedule
from updraft.migration.tasks import ArgumentValue, ParamSpec, TaskSpec, VariableSpec


@dataclass
class ParameterUse:
    """What mappers learned about a parameter: the bounds that follow from where it goes."""

    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """Where an activity runs that this DAG waits for.

    :param dag_id: id of its DAG.
    :param schedule: when that one runs.
    """

    dag_id: str
    schedule: DagSchedule


@dataclass
class Workflow:
    """One definition on its way to a DAG.

    :param definition: the definition.
    :param resolved: its objects with inheritance applied.
    :param compiler: compiles its expressions.
    :param ledger: the account of every field.
    :param schedule: when its activities ran, and when the DAG runs.
    :param schedule_words: the schedule for the manual.
    :param max_active_runs: how many runs may go on at a time.
    :param retries: retries of tasks that don't say otherwise.
    :param retry_delay: time between tries of tasks that don't say otherwise.
    :param tasks: by object id, the task that others wait for; a precondition that is checked for
        each of its users has several, see :meth:`check_key`.
    :param preparations: by object id, tasks of the same object that go before that one, in a row.
    :param teardowns: by object id, the task that ends the resource which that one makes.
    :param checks: for a precondition and what it guards, under which key its task is found.
    :param described: ids of objects that describe others and are part of what a task is given.
    :param compute: where shell commands run, a key of
        :data:`~updraft.migration.mappers.shell_places.COMPUTE`.
    :param release: the Airflow that the DAG is for.
    :param dag_id: id of the DAG.
    :param missing: ids of objects that the definition refers to and does not have.
    :param broken: by object id, what is wrong with objects that can't be converted, a clause.
    :param written_out: by parameter, the fields in which its value stands in its place.
    :param others: tasks that no object stands for.
    :param cuts: the tasks that stand for a dependency which would close a circle, by the keys of
        what waits and of what it would wait for.
    :param awaited: by object id, the activities of other DAGs that tasks of this one wait for.
    :param added_params: fields of the form that are no parameters of the definition.
    :param variables: what stands before the DAG, such as notifiers.
    :param default_args: further default arguments of all tasks.
    :param dag_settings: further keyword arguments of the DAG.
    """

    definition: Definition
    resolved: Resolved
    compiler: JinjaCompiler
    ledger: Ledger
    schedule: PipelineSchedule
    schedule_words: str = "It runs when it is triggered."
    max_active_runs: int = 1
    retries: int = 2
    retry_delay: timedelta = timedelta(minutes=10)
    tasks: dict[str, TaskSpec] = field(default_factory=dict)
    preparations: dict[str, tuple[TaskSpec, ...]] = field(default_factory=dict)
    teardowns: dict[str, TaskSpec] = field(default_factory=dict)
    checks: dict[tuple[str, str], str] = field(default_factory=dict)
    described: set[str] = field(default_factory=set)
    compute: str = "ec2"
    release: AirflowRelease = AIRFLOW_3_2
    dag_id: str = ""
    missing: frozenset[str] = frozenset()
    broken: Mapping[str, str] = field(default_factory=dict)
    written_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: list[TaskSpec] = field(default_factory=list)
    cuts: dict[tuple[str, str], str] = field(default_factory=dict)
    awaited: dict[str, Awaited] = field(default_factory=dict)
    added_params: tuple[ParamSpec, ...] = ()
    variables: list[VariableSpec] = field(default_factory=list)
    default_args: dict[str, ArgumentValue] = field(default_factory=dict)
    dag_settings: dict[str, ArgumentValue] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    parameters_read: set[str] = field(default_factory=set)
    fields_read: set[tuple[str, str]] = field(default_factory=set)
    bounds: dict[str, ParameterUse] = field(default_factory=dict)
    _task_ids: set[str] = field(default_factory=set)
    _main_task_ids: dict[str, str] = field(default_factory=dict)

    def main_task_id(self, item: ResolvedObject) -> str:
        """Give the id of the task that others wait for, also before there is such a task.

        :param item: the object.
        :returns: the same id each time.
        """
        if item.id not in self._main_task_ids:
            self._main_task_ids[item.id] = self.task_id(item)
        return self._main_task_ids[item.id]

    def task_id(self, item: ResolvedObject, part: str = "") -> str:
        """Give an object's task an id of its own, from the object's name.

        :param item: the object.
        :param part: which of its tasks, when it has several.
        :returns: an id that no other task has.
        """
        name = snake_case(item.item.name)
        return unique(f"{name}_{part}" if part else name, self._task_ids)

    def variable(self, name: str) -> str:
        """Give a variable of the DAG file a name of its own, once all tasks have theirs.

        :param name: the wished name.
        :returns: an identifier that is no task id and was not given before.
        """
        word = snake_case(name)
        usable = word.isidentifier() and not keyword.iskeyword(word) and word not in RESERVED
        return unique(word if usable else f"the_{word}", self._task_ids)

    def check_key(self, precondition_id: str, guarded_id: str) -> str:
        """Say under which key the task is found that checks a precondition.

        :param precondition_id: the precondition.
        :param guarded_id: the activity or data node that it guards.
        :returns: a key of :attr:`tasks`, if the precondition has a task.
        """
        return self.checks.get((precondition_id, guarded_id), precondition_id)

    def free_task_id(self, name: str) -> str:
        """Give a task an id that no other task has.

        :param name: what it should be.
        :returns: the name, with a number when it is taken.
        """
        return unique(name, self._task_ids)

    def tasks_of(self, object_id: str) -> tuple[TaskSpec, ...]:
        """List the tasks of an object.

        :param object_id: the object.
        :returns: its tasks in the order in which they run, empty when it has none.
        """
        last = self.tasks.get(object_id)
        return (*self.preparations.get(object_id, ()), last) if last is not None else ()

    def outputs_taken(self, object_id: str) -> frozenset[str]:
        """List the tasks whose output the tasks of an object take.

        :param object_id: the object.
        :returns: ids of these tasks.
        """
        return frozenset().union(*(one.implied_upstream for one in self.tasks_of(object_id)))

    @property
    def all_tasks(self) -> tuple[TaskSpec, ...]:
        """The tasks of all objects, those of one in the order in which they run."""
        working = tuple(task for object_id in self.tasks for task in self.tasks_of(object_id))
        return (*working, *self.teardowns.values(), *self.others)

    def add_task(
        self, task: TaskSpec, templates: tuple[Template, ...] = (), key: str | None = None
    ) -> None:
        """Take a task into the DAG.

        :param task: the task.
        :param templates: the templates among its arguments; what they read counts as used.
        :param key: where others find it, by default the id of its object.
        """
        self.tasks[key or task.object_id] = task
        self.note_reads(f"read by the task `{task.task_id}`", templates)

    def add_preparation(self, task: TaskSpec, templates: tuple[Template, ...] = ()) -> None:
        """Take a task into the DAG that goes before the other tasks of its object.

        :param task: the task; that of :meth:`add_task` has to follow.
        :param templates: the templates among its arguments; what they read counts as used.
        """
        self.preparations[task.object_id] = (*self.preparations.get(task.object_id, ()), task)
        self.note_reads(f"read by the task `{task.task_id}`", templates)

    def add_teardown(self, task: TaskSpec, templates: tuple[Template, ...] = ()) -> None:
        """Take a task into the DAG that ends what the task of the same object made.

        :param task: the task.
        :param templates: the templates among its arguments; what they read counts as used.
        """
        self.teardowns[task.object_id] = task
        self.note_reads(f"read by the task `{task.task_id}`", templates)

    def discard_tasks(self, object_id: str) -> None:
        """Take the tasks of an object out of the DAG again.

        :param object_id: the object.
        """
        for task in (*self.tasks_of(object_id), self.teardowns.get(object_id)):
            if task is not None and task.task_id not in self._main_task_ids.values():
                self._task_ids.discard(task.task_id)
        for tasks in (self.tasks, self.preparations, self.teardowns):
            tasks.pop(object_id, None)

    def note_reads(self, note: str, templates: tuple[Template, ...]) -> None:
        """Let fields and parameters count as used.

        :param note: by what, for the accounts of the fields.
        :param templates: the templates that read them.
        """
        for template in templates:
            self.parameters_read |= template.parameters
            self.fields_read |= template.fields
        for owner_id, name in {pair for one in templates for pair in one.fields}:
            self.ledger.account_own(owner_id, name, Status.CARRIED_OVER, note)

    def report(
        self,
        severity: Severity,
        item: ResolvedObject,
        field_name: str,
        message: str,
        advice: str,
    ) -> None:
        """Add a finding about a field, with its place and value.

        :param severity: error or warning.
        :param item: the object.
        :param field_name: the field; it may be missing.
        :param message: what is wrong; it must not quote the value.
        :param advice: what to do.
        """
        field = item.field(field_name)
        if field is not None:
            finding = field_finding(
                self.definition,
                item.item,
                field,
                severity=severity,
                message=message,
                advice=advice,
            )
        else:
            finding = Finding(
                severity=severity,
                file=self.definition.source,
                position=item.item.position,
                object_id=item.id,
                field=field_name,
                message=message,
                advice=advice,
            )
        # Several objects may read the same field.
        if finding not in self.findings:
            self.findings.append(finding)

    def users(self, object_id: str, field_name: str) -> list[ResolvedObject]:
        """List the objects that point to an object.

        :param object_id: the object pointed to.
        :param field_name: by which field, for example ``runsOn``.
        :returns: the objects in the order of the file.
        """
        return [item for item in self.resolved.values() if object_id in item.references(field_name)]

    def ask_for(self, param: ParamSpec) -> None:
        """Take a field into the form that is no parameter of the definition, once for all tasks.

        :param param: the field.
        """
        if all(one.name != param.name for one in self.added_params):
            self.added_params = (*self.added_params, param)

    def takers(self, task_id: str, known: Collection[ResolvedObject]) -> list[ResolvedObject]:
        """List the objects whose tasks take what another task returns.

        :param task_id: the other task.
        :param known: objects to leave out.
        :returns: the objects, such as preconditions that run on a resource.
        """
        takers = (task for key, task in self.tasks.items() if task_id in self.outputs_taken(key))
        ids = {task.object_id for task in takers} - {one.id for one in known}
        return [self.resolved[one] for one in self.resolved if one in ids]
