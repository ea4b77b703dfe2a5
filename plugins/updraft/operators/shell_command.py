"""An operator that runs a shell command on a machine, once."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.links.ec2 import EC2InstanceLink

from updraft.compat import Context
from updraft.errors import PermanentError, UpdraftError
from updraft.operators.ec2_instances import Instance, described, why_it_ended
from updraft.operators.shell_command_arguments import ShellCommandArguments
from updraft.operators.shell_command_output import OutputReader
from updraft.operators.shell_command_runs import (
    CANCELLED,
    SUCCESS,
    SentCommand,
    ShellCommandRuns,
)
from updraft.operators.template_arguments import given
from updraft.operators.try_series import series_digest
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.triggers.ec2 import LIVE
from updraft.triggers.ssm import ACTIVE, ShellCommandTrigger

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

_UNLISTED = timedelta(minutes=2)


class ShellCommandOperator(ShellCommandArguments):
    """Run a command on a machine, and wait for its end; a retry adopts what goes on or succeeded.

    The machine is an instance of EC2, or any node that Systems Manager manages. A command that has
    succeeded is not run again, one that runs is waited for, and one that has failed is run once
    more by the next attempt. After a user has cleared the task it is run anew. It is cancelled
    when the task is ended.

    It runs in a file of its own, by what its first line says after ``#!`` or else by bash, in the
    home directory of its user. What it prints is written to the log of the task when it has ended.

    .. seealso:: https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html

    :param instance_id: id of the machine, such as ``i-0123456789abcdef0``. (templated)
    :param instance_tags: tags of the machine instead of its id. One that is online is chosen, as
        one Task Runner of a worker group took a task. (templated)
    :param command: what to run, as many lines as it takes. (templated)
    :param script_uri: an object of S3 to run instead. (templated)
    :param arguments: positional arguments, ``$1`` and so on. (templated)
    :param environment: variables of its environment. Whoever may list commands in Systems Manager
        sees them. (templated)
    :param inputs: objects and prefixes of S3 that it reads; a prefix ends with a slash.
        (templated)
    :param outputs: prefixes of S3 that it writes. (templated)
    :param stage: whether the inputs are copied into the directories ``$INPUT1_STAGING_DIR`` and so
        on before, and the directories ``$OUTPUT1_STAGING_DIR`` and so on to the outputs after
        success; by default inputs and outputs are only told to lineage. (templated)
    :param user: the user of the machine that it runs as; by default ``root``. (templated)
    :param stdout_uri: object of S3, or absolute path of the machine, that its standard output is
        written to as well. (templated)
    :param stderr_uri: the same for its standard error. (templated)
    :param output_uri: prefix of S3 that Systems Manager writes all output to. Without it and
        ``log_group`` the log has the first 24,000 characters. (templated)
    :param log_group: log group that Systems Manager writes all output to. (templated)
    :param command_timeout: longest time that it may run, at most 48 hours; a number stands for
        minutes. (templated)
    :param delivery_timeout: longest time until the machine has begun.
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the machine; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.

    Returns the last line of standard output.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._runs: ShellCommandRuns | None = None
        self._sent: SentCommand | None = None

    def begin(self, context: Context) -> str | Deferral:
        """Find the command of an earlier attempt, or send one.

        :param context: context of the task instance.
        :returns: the last line of its standard output.
        """
        runs = self._made_runs(context)
        found = runs.own()
        sent = runs.adopt([one for one in found if not one.is_active or self._has_machine(one)])
        adopted = sent is not None
        if sent is None:
            sent = runs.send(found, self._machine(context), self.request())
            self.log.info("Sent command %s to %s", sent.command_id, sent.instance_id)
        else:
            self.log.info(
                "Adopted command %s on %s, which is %s",
                sent.command_id,
                sent.instance_id,
                sent.status,
            )
        longest = (self.delivery_timeout + self.timeout + _UNLISTED).total_seconds()
        give_up_at = sent.requested.timestamp() + longest
        return self._follow(context, sent, give_up_at, adopted=adopted)

    def go_on(self, context: Context, event: Mapping[str, Any]) -> str | Deferral:
        """Go on when the command may have ended.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`begin`.
        """
        self._made_runs(context)
        give_up_at = event["give_up_at"]
        sent = SentCommand(
            event["command_id"],
            event["instance_id"],
            status="",
            series=series_digest(context),
            number=0,
            requested=datetime.fromtimestamp(give_up_at, UTC),
        )
        return self._follow(context, sent, give_up_at, adopted=event["adopted"])

    def stop(self, context: Context | None = None) -> None:
        """Cancel the command.

        :param context: context of the task instance, in a process that sent none.
        """
        runs = self._made_runs(context) if context is not None else self._runs
        if runs is not None:
            runs.stop(self._sent.command_id if self._sent is not None else None)

    def _made_runs(self, context: Context) -> ShellCommandRuns:
        self._runs = ShellCommandRuns(
            self.ssm,
            ResourceOwner.of(context),
            series_digest(context),
            given(self.instance_id),
            kill_switch=self.kill_switch,
        )
        return self._runs

    def _follow(
        self, context: Context, sent: SentCommand, give_up_at: float, *, adopted: bool
    ) -> str | Deferral:
        """Wait for the end of a command, and say how it went."""
        self._sent, runs = sent, self._runs
        if runs is None:
            raise UpdraftError("the task has sent nothing before it is executed")
        self.persist_console_link(context, EC2InstanceLink, instance_id=sent.instance_id)
        while True:
            invocation = runs.invocation(sent)
            if invocation is not None and invocation["Status"] not in ACTIVE:
                return self._conclude(context, sent, invocation, adopted=adopted)
            self._require_machine(sent)
            if time.time() > give_up_at:
                raise UpdraftError(
                    f"Command {sent.command_id} on {sent.instance_id} has not ended, although its "
                    "time is over."
                )
            waiting = self.wait(
                ShellCommandTrigger,
                give_up_at,
                command_id=sent.command_id,
                instance_id=sent.instance_id,
                adopted=adopted,
            )
            if waiting is not None:
                return waiting

    def _conclude(
        self, context: Context, sent: SentCommand, invocation: Mapping[str, Any], *, adopted: bool
    ) -> str | Deferral:
        status = invocation["Status"]
        if status == CANCELLED and adopted:
            # It was being cancelled for the earlier attempt.
            self.log.info("Command %s was cancelled before this attempt", sent.command_id)
            self._sent = None
            return self.begin(context)
        reader = OutputReader(self._hook_parameters, given(self.output_uri), given(self.log_group))
        output = reader.read(sent, invocation)
        output.show()
        self._sent = self._runs = None  # nothing is left to cancel
        if status == SUCCESS:
            return output.last_line
        raise UpdraftError(
            f"Command {sent.command_id} on {sent.instance_id} "
            f"{self._how_it_ended(invocation)}.{output.reason()}"
        )

    def _how_it_ended(self, invocation: Mapping[str, Any]) -> str:
        details = invocation.get("StatusDetails") or invocation["Status"]
        plain = details.replace(" ", "").casefold()
        if plain == "executiontimedout":
            return f"ran longer than {self.timeout} (command_timeout) and was ended"
        if plain == "deliverytimedout":
            return f"was not begun by its machine within {self.delivery_timeout} (delivery_timeout)"
        if plain == "cancelled":
            return "was cancelled"
        if plain == "failed":
            return f"failed with exit code {invocation.get('ResponseCode')}"
        return f"ended as {details}"

    def _has_machine(self, sent: SentCommand) -> bool:
        """Tell whether the machine of a command is there; one that is gone reports nothing."""
        return self._ended_machine(sent) is None

    def _ended_machine(self, sent: SentCommand) -> Instance | None:
        if not sent.instance_id.startswith("i-"):
            return None
        instance = described(self.ec2, sent.instance_id)
        return instance if instance and instance["State"]["Name"] not in LIVE else None

    def _require_machine(self, sent: SentCommand) -> None:
        instance = self._ended_machine(sent)
        if instance is None:
            return
        story = f"{why_it_ended(instance)}, and with it command {sent.command_id}."
        if given(self.instance_id) is None:
            raise UpdraftError(f"{story} A retry of this task looks for another machine.")
        raise PermanentError(
            f"{story} No retry of this task can help: clear it together with the task that "
            "launches the instance, and raise terminate_after there if the time was too short."
        )

    def _machine(self, context: Context) -> str:
        """Name the machine, or choose one by its tags: the same in each attempt if it can be."""
        instance_id = given(self.instance_id)
        if instance_id is not None:
            return instance_id
        filters = [{"Key": f"tag:{key}", "Values": [one]} for key, one in self.tags().items()]
        filters.append({"Key": "PingStatus", "Values": ["Online"]})
        listed = self.ssm.items(
            "describe_instance_information",
            "machines by their tags",
            "InstanceInformationList",
            Filters=filters,
        )
        found = sorted(str(one["InstanceId"]) for one in listed)
        named = ", ".join(f"{key}={value}" for key, value in self.tags().items())
        if not found:
            raise UpdraftError(
                f"No machine with {named} is online in Systems Manager in {self.ssm.region}."
            )
        number = int(ResourceOwner.of(context).token("machine").replace("-", ""), 16)
        chosen = found[number % len(found)]
        self.log.info("Chose %s of %d machines with %s", chosen, len(found), named)
        return chosen

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what the command reads and writes, as far as it is declared.

        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._lineage(None)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name the same.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._lineage(None)

    def _lineage(self, external_id: str | None) -> "OperatorLineage[Any, Any] | None":
        try:
            from updraft.operators.emr_lineage import declared_lineage  # noqa: PLC0415 - optional
        except ImportError:
            return None
        return declared_lineage(self.inputs, self.outputs, external_id)
