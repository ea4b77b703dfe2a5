"""Amazon CloudWatch: metrics, dashboards and alarms."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.dynamodb.service_errors import explained
from updraft.hooks.clients import connected_client


class CloudWatchClientHook(AwsBaseHook):
    """Makes boto3's client for CloudWatch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "cloudwatch"
        super().__init__(*args, **kwargs)

    def put_metrics(self, namespace: str, batches: Iterable[list[Mapping[str, Any]]]) -> int:
        """Send metrics.

        :param namespace: their namespace.
        :param batches: MetricDatum structures, a list for each request.
        :returns: how many were sent.
        :raises ServiceError: when CloudWatch refuses, or gives no answer.
        """
        client = connected_client(self)
        sent = 0
        for batch in batches:
            with explained("cloudwatch:PutMetricData", f"namespace {namespace!r}"):
                client.put_metric_data(Namespace=namespace, MetricData=batch)
            sent += len(batch)
        return sent

    def ensure_dashboard(self, name: str, body: Mapping[str, Any]) -> bool:
        """Make a dashboard, or bring it up to date.

        :param name: its name.
        :param body: its body.
        :returns: whether anything had to be done.
        :raises ServiceError: when CloudWatch refuses, or gives no answer.
        """
        client = connected_client(self)
        with explained("cloudwatch:GetDashboard", f"dashboard {name!r}"):
            try:
                present = json.loads(client.get_dashboard(DashboardName=name)["DashboardBody"])
            except client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] not in {"ResourceNotFound", "404"}:
                    raise
                present = None
        if present == body:
            return False
        with explained("cloudwatch:PutDashboard", f"dashboard {name!r}"):
            client.put_dashboard(DashboardName=name, DashboardBody=json.dumps(body))
        return True

    def ensure_alarm(self, alarm: Mapping[str, Any]) -> bool:
        """Make an alarm, or bring it up to date.

        :param alarm: input of PutMetricAlarm.
        :returns: whether anything had to be done.
        :raises ServiceError: when CloudWatch refuses, or gives no answer.
        """
        client = connected_client(self)
        name = alarm["AlarmName"]
        with explained("cloudwatch:DescribeAlarms", f"alarm {name!r}"):
            found = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        if found and all(_same(found[0].get(member), value) for member, value in alarm.items()):
            return False
        with explained("cloudwatch:PutMetricAlarm", f"alarm {name!r}"):
            client.put_metric_alarm(**alarm)
        return True


def _same(present: Any, wanted: Any) -> bool:
    """Compare what is wanted with what is there, which may have more members."""
    if isinstance(wanted, Mapping):
        return isinstance(present, Mapping) and all(
            _same(present.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(present, list)
            and len(present) == len(wanted)
            and all(map(_same, present, wanted))
        )
    return bool(present == wanted) or (not wanted and not present)
