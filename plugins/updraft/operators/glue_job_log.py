"""Shows in a task's log what the runs of Glue jobs print.

A run writes to up to three places in CloudWatch Logs, each with a stream of its driver: what the
script prints, what Spark and Python report, and with continuous logging on Glue before 5.0 a group
of its own.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink

from updraft.dynamodb.service_errors import ResourceMissingError, ServiceError, explained

log = logging.getLogger(__name__)

DEFAULT_LOG_GROUP = "/aws-glue/jobs"
"""Begin of the names of the log groups where a run does not say another."""

_CONTINUOUS_GROUP = "/aws-glue/jobs/logs-v2"
_MOST_LINES = 5000
_TAIL = 400  # lines to look for a stack trace in
_TRACE = 25  # lines of it that go into the error
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|^(?:Exception in thread|Caused by:)")


class _Stream(NamedTuple):
    """A stream of one run."""

    group: str
    name: str


class GlueJobLog:
    """Reads the log of a run as it grows.

    It never fails a task: what can't be read is one line of warning.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :param job_arguments: the default arguments of the job, which tell where it logs to.
    :param most_lines: how many lines of each stream go to the task's log; 0 for none.
    """

    def __init__(
        self,
        hook_parameters: Mapping[str, Any],
        job_arguments: Mapping[str, str],
        most_lines: int = _MOST_LINES,
    ) -> None:
        self._hook = AwsLogsHook(**hook_parameters)
        self._job_arguments = job_arguments
        self._most_lines = most_lines
        self._positions: dict[_Stream, AwsLogsHook.ContinuationToken] = {}
        self._shown: dict[_Stream, int] = {}
        self._unreadable: set[_Stream] = set()

    def follow(self, run: Mapping[str, Any]) -> None:
        """Show what is new in the log of a run.

        :param run: the run, as GetJobRun describes it.
        """
        for stream in self._streams(run):
            for line in self._new_lines(stream):
                self._show(stream, line)
                if self._is_full(stream):
                    break

    def traceback(self, run: Mapping[str, Any]) -> str:
        """Give the end of the last stack trace in the log of a run.

        :param run: the run.
        :returns: its last lines, empty when there is none.
        """
        for stream in self._streams(run):
            lines = [line for text in self._tail(stream) for line in text.splitlines() if line]
            starts = [number for number, line in enumerate(lines) if _TRACEBACK.search(line)]
            if starts:
                return "\n".join(lines[starts[-1] :][-_TRACE:])
        return ""

    def _streams(self, run: Mapping[str, Any]) -> Iterator[_Stream]:
        prefix = run.get("LogGroupName") or DEFAULT_LOG_GROUP
        yield _Stream(f"{prefix}/output", run["Id"])
        yield _Stream(f"{prefix}/error", run["Id"])
        arguments = {**self._job_arguments, **run.get("Arguments", {})}
        if arguments.get("--enable-continuous-cloudwatch-log", "").lower() == "true":
            group = arguments.get("--continuous-log-logGroup") or _CONTINUOUS_GROUP
            yield _Stream(group, f"{run['Id']}-driver")

    def _is_full(self, stream: _Stream) -> bool:
        return self._shown.get(stream, 0) >= self._most_lines

    def _show(self, stream: _Stream, line: str) -> None:
        log.info("[%s] %s", stream.group.rsplit("/", 1)[-1], line)
        self._shown[stream] = self._shown.get(stream, 0) + 1
        if self._is_full(stream):
            link = log_link(self._hook.conn_partition, self._hook.conn_region_name, *stream)
            log.warning("Only %s lines are shown here; the rest is at %s", self._most_lines, link)

    def _new_lines(self, stream: _Stream) -> Iterator[str]:
        if self._is_full(stream) or stream in self._unreadable:
            return
        if stream not in self._positions:
            self._positions[stream] = AwsLogsHook.ContinuationToken()  # type: ignore[no-untyped-call]
        position = self._positions[stream]
        with self._tolerated(stream):
            for event in self._hook.get_log_events(*stream, continuation_token=position):
                yield event["message"].rstrip("\n")

    def _tail(self, stream: _Stream) -> list[str]:
        lines: list[str] = []
        with self._tolerated(stream):
            client: Any = self._hook.conn
            page = client.get_log_events(
                logGroupName=stream.group,
                logStreamName=stream.name,
                startFromHead=False,
                limit=_TAIL,
            )
            lines += [event["message"] for event in page["events"]]
        return lines

    @contextmanager
    def _tolerated(self, stream: _Stream) -> Iterator[None]:
        try:
            with explained("logs:GetLogEvents", f"log stream {stream.name} of {stream.group}"):
                yield
        except ResourceMissingError:
            return  # it appears with its first line
        except ServiceError as error:
            self._unreadable.add(stream)
            log.warning("The log of the run is not shown. %s", error)


def log_link(partition: str, region: str, group: str, stream: str) -> str:
    """Make the address of a log stream in the AWS console.

    :param partition: partition of AWS, such as ``aws``.
    :param region: region.
    :param group: name of the log group.
    :param stream: name of the stream.
    :returns: the URL.
    """
    domain = BaseAwsLink.get_aws_domain(partition) or "aws.amazon.com"
    return (
        f"{BASE_AWS_CONSOLE_LINK.format(aws_domain=domain)}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{_escaped(group)}/log-events/{_escaped(stream)}"
    )


def _escaped(text: str) -> str:
    """Escape a part of a CloudWatch link: twice, with ``$`` in place of ``%``."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")
