"""Amazon CloudWatch Logs with its low-level client."""

from collections.abc import Iterator, Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.dynamodb.service_errors import explained
from updraft.hooks.clients import connected_client

# FilterLogEvents has a quota of 5 to 25 calls a second, by Region; 429 is nothing unusual.
_CONFIG = {
    "connect_timeout": 5,
    "read_timeout": 60,
    "retries": {"mode": "standard", "total_max_attempts": 5},
}


class LogsClientHook(AwsBaseHook):
    """Read log groups.

    Takes the arguments of the provider's ``AwsBaseHook`` except ``client_type``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        config = kwargs.get("config")
        if config is None or isinstance(config, dict):
            kwargs["config"] = {**_CONFIG, **(config or {})}
        super().__init__(*args, **{**kwargs, "client_type": "logs"})

    def pages(
        self, group: str, start: int, end: int, pattern: str | None = None
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Read the log events of a group (FilterLogEvents).

        A page may be empty and have others behind it, when the service has searched for a while
        without finding anything.

        :param group: name of the log group.
        :param start: milliseconds since 1970 that an event's own time is not before.
        :param end: milliseconds since 1970 that it is not after.
        :param pattern: filter pattern of CloudWatch Logs; all events if omitted.
        :returns: pages of events, each with ``logStreamName``, ``timestamp``, ``message`` and
            ``ingestionTime``; within a stream in order.
        :raises ServiceError: when CloudWatch refuses, or gives no answer.
        """
        client = connected_client(self)
        request: dict[str, Any] = {"logGroupName": group, "startTime": start, "endTime": end}
        if pattern:
            request["filterPattern"] = pattern
        while True:
            with explained("logs:FilterLogEvents", f"log group {group!r}"):
                page = client.filter_log_events(**request)
            yield page.get("events", [])
            token = page.get("nextToken")
            if not token or token == request.get("nextToken"):
                return
            request["nextToken"] = token
