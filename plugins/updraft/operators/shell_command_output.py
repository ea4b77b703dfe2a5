"""What a command has printed: from S3, from CloudWatch Logs, or from Systems Manager itself."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook

from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.hooks.clients import connected_client
from updraft.hooks.s3 import s3_client
from updraft.operators.shell_command_runs import SentCommand
from updraft.s3_uri import parse_s3_uri

log = logging.getLogger(__name__)

_MOST_BYTES = 1_000_000
_MOST_EVENTS = 10_000
_MOST_LAST_LINES = 5
_PLACE = "awsrunShellScript/0.awsrunShellScript"
_MEMBERS = {"stdout": "StandardOutputContent", "stderr": "StandardErrorContent"}


@dataclass(frozen=True)
class CommandOutput:
    """What a command has printed.

    :param stdout: its standard output, or the end of it.
    :param stderr: its standard error, or the end of it.
    :param place: where all of it is, none when it is nowhere.
    """

    stdout: str
    stderr: str
    place: str | None

    @property
    def last_line(self) -> str:
        """The last line of its standard output that says something."""
        lines = [line for line in self.stdout.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def reason(self) -> str:
        """Quote what it said last, for the message of an error.

        :returns: a clause, empty when it has printed nothing.
        """
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        if len(lines) > 1 and lines[-1].startswith("failed to run commands: "):
            lines.pop()  # by Systems Manager, and not by the command
        lines = lines or [line.strip() for line in self.stdout.splitlines() if line.strip()]
        said = " / ".join(lines[-_MOST_LAST_LINES:])
        where = f" All that it printed is at {self.place}." if self.place else ""
        return (f" It said last: {said}." if said else " It printed nothing.") + where

    def show(self) -> None:
        """Write it to the log of the task."""
        for name, text in (("Standard output", self.stdout), ("Standard error", self.stderr)):
            if text.strip():
                log.info("%s:\n%s", name, text.rstrip("\n"))


class OutputReader:
    """Reads what commands have printed.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :param output_uri: prefix of S3 that Systems Manager was told to write to, or none.
    :param log_group: log group that it was told to write to, or none.
    """

    def __init__(
        self, hook_parameters: Mapping[str, Any], output_uri: str | None, log_group: str | None
    ) -> None:
        self._hook_parameters = dict(hook_parameters)
        self._output_uri = output_uri
        self._log_group = log_group

    def read(self, command: SentCommand, invocation: Mapping[str, Any]) -> CommandOutput:
        """Read what a command has printed.

        :param command: the command.
        :param invocation: what Systems Manager says about it, with the beginning of the output.
        :returns: the output; where it cannot be read, what Systems Manager has of it.
        """
        place, texts = None, dict[str, str]()
        try:
            if self._output_uri is not None:
                place = "/".join(
                    [self._output_uri.rstrip("/"), command.command_id, command.instance_id, _PLACE]
                )
                texts = {name: self._object(f"{place}/{name}") for name in _MEMBERS}
            elif self._log_group is not None:
                stream = f"{command.command_id}/{command.instance_id}/aws-runShellScript"
                place = f"{stream} of log group {self._log_group}"
                texts = {name: self._events(f"{stream}/{name}") for name in _MEMBERS}
        except ServiceError as error:
            log.warning("The output cannot be read, but for its beginning. %s", error)
        values = {
            name: texts.get(name) or invocation.get(member) or ""
            for name, member in _MEMBERS.items()
        }
        return CommandOutput(values["stdout"], values["stderr"], place)

    def _object(self, uri: str) -> str:
        bucket, key = parse_s3_uri(uri)
        client = s3_client(**self._hook_parameters)
        try:
            with explained("s3:GetObject", f"object {uri}"):
                answer = client.get_object(Bucket=bucket, Key=key, Range=f"bytes=-{_MOST_BYTES}")
                return answer["Body"].read().decode(errors="replace")
        except ServiceError as error:
            if error.code in {"404", "NoSuchKey"}:
                return ""  # it has printed nothing there
            raise

    def _events(self, stream: str) -> str:
        client = connected_client(AwsLogsHook(**self._hook_parameters))
        try:
            with explained("logs:GetLogEvents", f"log stream {stream!r}"):
                answer = client.get_log_events(
                    logGroupName=self._log_group,
                    logStreamName=stream,
                    limit=_MOST_EVENTS,
                    startFromHead=False,
                )
        except ServiceError as error:
            if error.code == "ResourceNotFoundException":
                return ""
            raise
        return "\n".join(event["message"] for event in answer["events"])
