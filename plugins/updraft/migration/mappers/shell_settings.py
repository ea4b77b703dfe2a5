"""The fields of a ``ShellCommandActivity`` while they become arguments of a task."""

from dataclasses import dataclass, field
from datetime import timedelta

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.command_secrets import compile_command, read_on_machine
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.compiled_fields import (
    compile_texts,
    compile_value,
    flag,
    reading,
    references_to,
)
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.task_settings import code_for, fixed_duration
from updraft.migration.secret_arguments import secret_arguments_apart
from updraft.migration.tasks import ArgumentValue

OPERATOR = "updraft.operators.shell_command.ShellCommandOperator"

LEGACY_USER = "ec2-user"
"""As whom Task Runner ran on an instance where no ``runAsUser`` said otherwise."""

_LONGEST = timedelta(hours=48)


@dataclass
class ShellSettings:
    """An activity whose fields are read one by one.

    :param item: the activity.
    :param workflow: the workflow.
    :param node: what a precondition guards, known to it as ``node``.
    """

    item: ResolvedObject
    workflow: Workflow
    node: ResolvedObject | None = None
    notes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    _templates: list[Template] = field(default_factory=list)

    @property
    def templates(self) -> tuple[Template, ...]:
        """All templates that were taken, whose reads count as used."""
        return tuple(self._templates)

    def take(self, template: Template) -> str:
        """Take a template in, so that what it reads counts as used.

        :param template: the template.
        :returns: its text.
        """
        self._templates.append(template)
        return template.text

    def value(self, name: str) -> str | None:
        """Take the one value of a field.

        :param name: the field.
        :returns: its text, none when there is no such field.
        :raises NotCompilableError: when it can't be said exactly.
        """
        template = compile_value(name, self.item, self.workflow, self.node)
        return self.take(template) if template is not None else None

    def what(self) -> dict[str, ArgumentValue]:
        """Say what is run.

        :returns: ``command`` or ``script_uri``, and ``arguments``.
        :raises NotCompilableError: when it can't be said exactly.
        """
        (command, apart), script = self._command(), self.value("scriptUri")
        if (command is None) == (script is None):
            raise NotCompilableError("it needs one of command and scriptUri, and not both")
        arguments: dict[str, ArgumentValue] = {}
        if command is not None:
            arguments["command"] = command
        else:
            arguments["script_uri"] = (script or "").strip()
        values: ArgumentValue = apart
        if apart is None:
            values, read = compile_texts("scriptArgument", self.item, self.workflow, self.node)
            for one in read:
                self.take(one)
        if values:
            arguments["arguments"] = values
        account = self.workflow.ledger.account
        account(self.item, "command", Status.CARRIED_OVER, "`command`")
        account(self.item, "scriptUri", Status.CARRIED_OVER, "`script_uri`")
        account(self.item, "scriptArgument", Status.CARRIED_OVER, "`arguments`: `$1` and so on")
        return arguments

    def _command(self) -> tuple[str | None, list[ArgumentValue] | None]:
        """Compile the command, and its arguments where secrets are among them."""
        found = compile_command("command", self.item, self.workflow, self.node)
        if found is None:
            return None, None
        values: list[ArgumentValue] | None = None
        apart = secret_arguments_apart(found, self.item, self.workflow, self.node)
        if apart is not None:
            found, values = apart.command, [self.take(one) for one in apart.others]
            self.take(reading("scriptArgument", self.item))
            note = "`arguments`, and variables that the command reads for the secrets among them"
            self.workflow.ledger.account(self.item, "scriptArgument", Status.EQUIVALENT, note)
        resources = references_to("runsOn", self.item, self.workflow)
        region = compile_value("region", resources[0], self.workflow) if resources else None
        place = self.take(region) if found.secrets and region is not None else None
        command = read_on_machine(found, "command", self.item, self.workflow, place)
        return self.take(command), values

    def data(self) -> dict[str, ArgumentValue]:
        """Say what it reads and writes, and whether that is staged.

        :returns: ``inputs``, ``outputs`` and ``stage``, as far as there are any.
        :raises NotCompilableError: when something was staged that is not in S3.
        """
        staged = flag("stage", self.item)
        if staged is not None:
            self.take(reading("stage", self.item))
            self.workflow.ledger.account(self.item, "stage", Status.CARRIED_OVER, "`stage`")
        arguments: dict[str, ArgumentValue] = {}
        for name in ("input", "output"):
            nodes = references_to(name, self.item, self.workflow)
            found = [self._uri(node, name, staged=bool(staged)) for node in nodes]
            uris: list[ArgumentValue] = [one for one in found if one is not None]
            if uris:
                arguments[f"{name}s"] = uris
        if staged and arguments:
            arguments["stage"] = True
        return arguments

    def staged_uris(self) -> tuple[list[str], list[str]]:
        """Say where staged data lie.

        :returns: objects and prefixes to copy before, and prefixes to copy to after.
        :raises NotCompilableError: when something was staged that is not in S3.
        """
        inputs, outputs = (
            [
                self._location(node, name, staged=True)
                for node in references_to(name, self.item, self.workflow)
            ]
            for name in ("input", "output")
        )
        return inputs, outputs

    def _uri(self, node: ResolvedObject, role: str, *, staged: bool) -> str | None:
        try:
            return self._location(node, role, staged=staged)
        except MissingFieldError:
            raise
        except NotCompilableError:
            if staged:
                raise
            return None  # it only orders tasks, and the lineage lacks it

    def _location(self, node: ResolvedObject, role: str, *, staged: bool) -> str:
        if node.type != "S3DataNode":
            raise NotCompilableError(
                f"{node.id} is a {node.type or 'node without type'}, and only data in S3 are staged"
            )
        folder = compile_value("directoryPath", node, self.workflow)
        if folder is not None:
            return self.take(folder).rstrip("/") + "/"
        file = compile_value("filePath", node, self.workflow)
        if file is None:
            raise NotCompilableError(f"{node.id} names no path")
        if staged and role == "output":
            raise NotCompilableError(
                f"{node.id} is a staged output with a filePath, and only a directoryPath can be "
                "written to"
            )
        return self.take(file)

    def output(self, *, on_own_machine: bool) -> dict[str, ArgumentValue]:
        """Say where its output goes.

        :param on_own_machine: whether a path of the machine was allowed.
        :returns: ``stdout_uri`` and ``stderr_uri``, as far as there are any.
        :raises NotCompilableError: when a place can't be said exactly.
        """
        arguments: dict[str, ArgumentValue] = {}
        for name in ("stdout", "stderr"):
            uri = self.value(name)
            if uri is None:
                continue
            account = self.workflow.ledger.account
            if uri.startswith(("s3://", "s3n://", "s3a://", "{{")):
                is_folder = uri.endswith("/")
                arguments[f"{name}_uri"] = f"{uri}{name}" if is_folder else uri
                status = Status.APPROXIMATED if is_folder else Status.CARRIED_OVER
                note = f"`{name}_uri`" + (f": the object `{name}` below it" if is_folder else "")
                account(self.item, name, status, note)
            elif on_own_machine and uri.startswith("/") and not uri.endswith("/"):
                arguments[f"{name}_uri"] = uri
                note = f"`{name}_uri`: the same path of the machine"
                account(self.item, name, Status.CARRIED_OVER, note)
            else:
                where = "no path from the root" if on_own_machine else "no place in S3"
                note = f"{where}; the output is in the log of the task instead"
                account(self.item, name, Status.APPROXIMATED, note)
        return arguments

    def time_limit(self) -> dict[str, ArgumentValue]:
        """Say how long an attempt may take.

        :returns: ``command_timeout``, nothing when there is no limit.
        """
        if self.item.field("attemptTimeout") is None:
            return {}
        account = self.workflow.ledger.account
        limit = fixed_duration(self.item, "attemptTimeout", self.workflow)
        status, note = Status.CARRIED_OVER, "`command_timeout`, for each try as before"
        if limit is None:
            account(self.item, "attemptTimeout", status, note)
            return {"command_timeout": self.value("attemptTimeout")}
        self.take(reading("attemptTimeout", self.item))
        if limit > _LONGEST:
            status = Status.APPROXIMATED
            note = "`command_timeout`: Systems Manager lets no command run longer than 48 hours"
        account(self.item, "attemptTimeout", status, note)
        return {"command_timeout": code_for(min(limit, _LONGEST))}


def account_unused_worker_group(item: ResolvedObject, workflow: Workflow) -> None:
    """Account for a worker group that has no effect.

    :param item: an activity with ``runsOn``.
    :param workflow: where the account goes.
    """
    note = "ignored beside `runsOn`, as before"
    workflow.ledger.account(item, "workerGroup", Status.DROPPED, note)
