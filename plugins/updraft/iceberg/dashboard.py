"""Fills the templates of the dashboard and the alarms in.

.. seealso:: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
.. seealso:: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Anomaly_Detection.html
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from updraft.paths import include_directory

_HEIGHT = 6


def dashboard_body(
    tables: Sequence[Mapping[str, str]], *, namespace: str, region: str, period: int
) -> dict[str, Any]:
    """Write the body of the dashboard: a row of graphs for each group of metrics of each table.

    :param tables: ``database`` and ``table`` of each.
    :param namespace: namespace of the metrics.
    :param region: Region of the metrics.
    :param period: seconds that a data point covers.
    :returns: the body.
    """
    widgets: list[dict[str, Any]] = []
    for table in tables:
        values = {**table, "namespace": namespace, "region": region, "period": str(period)}
        filled = _filled("iceberg-dashboard.json", values)["widgets"]
        top = max((widget["y"] + widget["height"] for widget in widgets), default=0)
        widgets += [{**widget, "y": widget["y"] + top} for widget in filled]
        for widget in filled:
            if "period" in widget.get("properties", {}):
                widget["properties"]["period"] = period
    return {"widgets": widgets}


def anomaly_alarms(
    tables: Sequence[Mapping[str, str]],
    *,
    prefix: str,
    namespace: str,
    period: int,
    band: float,
    actions: Sequence[str],
) -> list[dict[str, Any]]:
    """Write the alarms: one for each metric whose values leave their usual band.

    :param tables: ``database`` and ``table`` of each.
    :param prefix: what their names begin with.
    :param namespace: namespace of the metrics.
    :param period: seconds that a data point covers.
    :param band: width of the band in standard deviations.
    :param actions: ARNs that are notified.
    :returns: inputs of PutMetricAlarm.
    """
    alarms = []
    for table in tables:
        values = {**table, "namespace": namespace, "prefix": prefix, "band": f"{band:g}"}
        for alarm in _filled("iceberg-alarms.json", values)["alarms"]:
            for metric in alarm["Metrics"]:
                if "MetricStat" in metric:
                    metric["MetricStat"]["Period"] = period
            alarms.append({**alarm, "AlarmActions": list(actions)})
    return alarms


def _filled(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Fill a template in; values are escaped for JSON."""
    template = Template((_directory() / name).read_text())
    escaped = {key: json.dumps(value)[1:-1] for key, value in values.items()}
    filled: dict[str, Any] = json.loads(template.substitute(escaped))
    return filled


def _directory() -> Path:
    return include_directory() / "infra" / "cloudwatch"
