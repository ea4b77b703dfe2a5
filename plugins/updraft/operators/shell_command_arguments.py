"""The arguments of a shell command, and the request that they make."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from airflow.providers.amazon.aws.links.ec2 import EC2InstanceLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.errors import ArgumentError
from updraft.operators.machine_base import MachineOperator
from updraft.operators.template_arguments import duration, given, texts, truth
from updraft.s3_uri import parse_s3_uri
from updraft.shell.script import ShellScript

_LONGEST_COMMAND = timedelta(hours=48)
_SHORTEST_DELIVERY = timedelta(seconds=30)


class ShellCommandArguments(MachineOperator):
    """Reads and checks the arguments of a shell command, which its subclass describes."""

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

    def check(self) -> None:
        """Check the arguments."""
        super().check()
        if (given(self.instance_id) is None) == (not self.tags()):
            raise ArgumentError("Give one of instance_id and instance_tags, and not both")
        if not timedelta(seconds=1) <= self.timeout <= _LONGEST_COMMAND:
            raise ArgumentError(
                f"command_timeout: {self.timeout} is not between a second and 48 hours"
            )
        if self.delivery_timeout < _SHORTEST_DELIVERY:
            raise ArgumentError(
                f"delivery_timeout: {self.delivery_timeout} is less than {_SHORTEST_DELIVERY}"
            )
        if (uri := given(self.output_uri)) is not None:
            parse_s3_uri(uri)
        self._script().check()

    def request(self) -> dict[str, Any]:
        """Write the request.

        :returns: parameters of SendCommand, without document, machine and comment.
        :raises UpdraftError: when an argument is wrong.
        """
        seconds = str(int(self.timeout.total_seconds()))
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
    def timeout(self) -> timedelta:
        """The longest time that the command may run."""
        return duration("command_timeout", self.command_timeout)

    def tags(self) -> dict[str, str]:
        """Read the tags of the machine.

        :returns: values by key, none when its id is given.
        :raises UpdraftError: when they are no mapping.
        """
        return self._mapping("instance_tags", self.instance_tags)

    @staticmethod
    def _mapping(argument: str, value: Mapping[str, str] | str | None) -> dict[str, str]:
        if value is None or (isinstance(value, str) and given(value) is None):
            return {}
        if not isinstance(value, Mapping):
            raise ArgumentError(f"{argument}: {value!r} is no mapping, and no JSON of one")
        return {str(key): str(one) for key, one in value.items()}
