"""An operator that runs a shell command on a machine, once."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.links.ec2 import EC2InstanceLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import ArgumentError, PermanentError, UpdraftError
from updraft.operators.ec2_instances import Ec2Instances, why_it_ended
from updraft.operators.machine_base import MachineOperator
from updraft.operators.shell_command_output import OutputReader
from updraft.operators.shell_command_runs import (
    CANCELLED,
    SUCCESS,
    SentCommand,
    ShellCommandRuns,
)
from updraft.operators.template_arguments import duration, given, texts, truth
from updraft.operators.try_series import series_digest
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.s3_uri import parse_s3_uri
from updraft.shell.script import ShellScript
from updraft.triggers.ec2 import LIVE
from updraft.triggers.ssm import ACTIVE, ShellCommandTrigger

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

_LONGEST_COMMAND = timedelta(hours=48)
_SHORTEST_DELIVERY = timedelta(seconds=30)
_UNLISTED = timedelta(minutes=2)


class ShellCommandOperator(MachineOperator):
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
    :param stdout_uri: object of S3 that its standard output is written to as well. (templated)
    :param stderr_uri: object of S3 that its standard error is written to as well. (templated)
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

    template_fields: Sequence[str] = aws_template_fields(
        "instance_id",
        "instance_tags",
        "command",
        "script_uri",
        "arguments",
        "environment",
        "inputs",
        "outputs",
        "stage",
        "user",
        "stdout_uri",
        "stderr_uri",
        "output_uri",
        "log_group",
        "command_timeout",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "command": "bash",
        "environment": "json",
        "instance_tags": "json",
    }
    json_fields: ClassVar[Sequence[str]] = ("environment", "instance_tags")
    operator_extra_links = (EC2InstanceLink(),)

    def __init__(
        self,
        *,
        instance_id: str | None = None,
        instance_tags: Mapping[str, str] | str | None = None,
        command: str | None = None,
        script_uri: str | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | str | None = None,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        stage: bool | str = False,
        user: str | None = None,
        stdout_uri: str | None = None,
        stderr_uri: str | None = None,
        output_uri: str | None = None,
        log_group: str | None = None,
        command_timeout: timedelta | float | str = _LONGEST_COMMAND,
        delivery_timeout: timedelta = timedelta(minutes=10),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.instance_id = instance_id
        self.instance_tags = instance_tags
        self.command = command
        self.script_uri = script_uri
        self.arguments = arguments
        self.environment = environment
        self.inputs = inputs
        self.outputs = outputs
        self.stage = stage
        self.user = user
        self.stdout_uri = stdout_uri
        self.stderr_uri = stderr_uri
        self.output_uri = output_uri
        self.log_group = log_group
        self.command_timeout = command_timeout
        self.delivery_timeout = delivery_timeout
        self._runs: ShellCommandRuns | None = None
        self._sent: SentCommand | None = None

    def check(self) -> None:
        """Check the arguments."""
        super().check()
        if (given(self.instance_id) is None) == (not self._tags()):
            raise ArgumentError("Give one of instance_id and instance_tags, and not both")
        if not timedelta(seconds=1) <= self._timeout <= _LONGEST_COMMAND:
            raise ArgumentError(
                f"command_timeout: {self._timeout} is not between a second and 48 hours"
            )
        if self.delivery_timeout < _SHORTEST_DELIVERY:
            raise ArgumentError(
                f"delivery_timeout: {self.delivery_timeout} is less than {_SHORTEST_DELIVERY}"
            )
        if (uri := given(self.output_uri)) is not None:
            parse_s3_uri(uri)
        self._script().check()

    def begin(self, context: Context) -> str | Deferral:
        """Find the command of an earlier attempt, or send one.

        :param context: context of the task instance.
        :returns: the last line of its standard output.
        """
        runs = self._made_runs(context)
        found = runs.own()
        sent = runs.adopt(found)
        adopted = sent is not None
        if sent is None:
            sent = runs.send(found, self._machine(context), self._request())
            self.log.info("Sent command %s to %s", sent.command_id, sent.instance_id)
        else:
            self.log.info(
                "Adopted command %s on %s, which is %s",
                sent.command_id,
                sent.instance_id,
                sent.status,
            )
        return self._follow(context, sent, adopted=adopted)

    def go_on(self, context: Context, event: Mapping[str, Any]) -> str | Deferral:
        """Go on when the command may have ended.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`begin`.
        """
        runs = self._made_runs(context)
        command_id = event["command_id"]
        sent = next((one for one in runs.own() if one.command_id == command_id), None)
        if sent is None:
            raise UpdraftError(
                f"Systems Manager no longer lists command {command_id} on {event['instance_id']}. "
                "A retry of this task runs it again."
            )
        return self._follow(context, sent, adopted=event["adopted"])

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

    def _follow(self, context: Context, sent: SentCommand, *, adopted: bool) -> str | Deferral:
        """Wait for the end of a command, and say how it went."""
        self._sent, runs = sent, self._runs
        if runs is None:
            raise UpdraftError("the task has sent nothing before it is executed")
        self.persist_console_link(context, EC2InstanceLink, instance_id=sent.instance_id)
        give_up_at = (
            sent.requested.timestamp()
            + (self.delivery_timeout + self._timeout + _UNLISTED).total_seconds()
        )
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
            return f"ran longer than {self._timeout} (command_timeout) and was ended"
        if plain == "deliverytimedout":
            return f"was not begun by its machine within {self.delivery_timeout} (delivery_timeout)"
        if plain == "cancelled":
            return "was cancelled"
        if plain == "failed":
            return f"failed with exit code {invocation.get('ResponseCode')}"
        return f"ended as {details}"

    def _require_machine(self, sent: SentCommand) -> None:
        """Make sure that the machine is there, since one that is gone reports nothing."""
        if not sent.instance_id.startswith("i-"):
            return
        instances = Ec2Instances(self.ec2, ResourceOwner("", "", "", ""))
        instance = instances.describe(sent.instance_id)
        if instance is None or instance["State"]["Name"] in LIVE:
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
        filters = [{"Key": f"tag:{key}", "Values": [one]} for key, one in self._tags().items()]
        filters.append({"Key": "PingStatus", "Values": ["Online"]})
        listed = self.ssm.items(
            "describe_instance_information",
            "machines by their tags",
            "InstanceInformationList",
            Filters=filters,
        )
        found = sorted(str(one["InstanceId"]) for one in listed)
        named = ", ".join(f"{key}={value}" for key, value in self._tags().items())
        if not found:
            raise UpdraftError(
                f"No machine with {named} is online in Systems Manager in {self.ssm.region}."
            )
        number = int(ResourceOwner.of(context).token("machine").replace("-", ""), 16)
        chosen = found[number % len(found)]
        self.log.info("Chose %s of %d machines with %s", chosen, len(found), named)
        return chosen

    def _request(self) -> dict[str, Any]:
        seconds = str(int(self._timeout.total_seconds()))
        request: dict[str, Any] = {
            "Parameters": {
                "commands": self._script().text().split("\n"),
                "executionTimeout": [seconds],
            },
            "TimeoutSeconds": int(self.delivery_timeout.total_seconds()),
        }
        if (uri := given(self.output_uri)) is not None:
            bucket, prefix = parse_s3_uri(uri)
            request["OutputS3BucketName"] = bucket
            if prefix.strip("/"):
                request["OutputS3KeyPrefix"] = prefix.rstrip("/")
        if (group := given(self.log_group)) is not None:
            request["CloudWatchOutputConfig"] = {
                "CloudWatchLogGroupName": group,
                "CloudWatchOutputEnabled": True,
            }
        return request

    def _script(self) -> ShellScript:
        staged = truth("stage", self.stage)
        return ShellScript(
            command=given(self.command),
            script_uri=given(self.script_uri),
            arguments=texts("arguments", self.arguments),
            environment=self._mapping("environment", self.environment),
            inputs=texts("inputs", self.inputs) if staged else (),
            outputs=texts("outputs", self.outputs) if staged else (),
            stdout_uri=given(self.stdout_uri),
            stderr_uri=given(self.stderr_uri),
            user=given(self.user),
        )

    @property
    def _timeout(self) -> timedelta:
        return duration("command_timeout", self.command_timeout)

    def _tags(self) -> dict[str, str]:
        return self._mapping("instance_tags", self.instance_tags)

    @staticmethod
    def _mapping(argument: str, value: Mapping[str, str] | str | None) -> dict[str, str]:
        if value is None or (isinstance(value, str) and given(value) is None):
            return {}
        if not isinstance(value, Mapping):
            raise ArgumentError(f"{argument}: {value!r} is no mapping, and no JSON of one")
        return {str(key): str(one) for key, one in value.items()}

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
