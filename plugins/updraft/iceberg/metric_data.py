"""Writes metrics as PutMetricData takes them.

.. seealso:: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from updraft.iceberg.metrics import Metric

MOST_METRICS = 1000
MOST_BYTES = 1_000_000
OLDEST = timedelta(days=14)
"""CloudWatch takes no data points that are older."""

_LONGEST = 1024
_DIGEST = 12


def metric_datum(metric: Metric, database: str, table: str) -> dict[str, Any]:
    """Write one metric.

    :param metric: the metric.
    :param database: database of the table.
    :param table: its name.
    :returns: a MetricDatum, with the table and, if it is of one, the partition as dimensions.
    """
    dimensions = {"Database": database, "Table": table}
    if metric.partition is not None:
        dimensions["Partition"] = metric.partition
    return {
        "MetricName": metric.name,
        "Dimensions": [
            {"Name": name, "Value": _dimension(value)} for name, value in dimensions.items()
        ],
        "Timestamp": metric.moment,
        "Value": float(metric.value),
        "Unit": metric.unit,
    }


def recent(metrics: Iterable[Metric], now: datetime) -> tuple[list[Metric], int]:
    """Leave out what CloudWatch would not take.

    :param metrics: the metrics.
    :param now: the present.
    :returns: those that are not too old, and the number of the others.
    """
    everything = list(metrics)
    kept = [metric for metric in everything if now - metric.moment < OLDEST]
    return kept, len(everything) - len(kept)


def batches(data: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Divide metrics among requests.

    :param data: MetricDatum structures.
    :returns: lists of at most 1000 that stay below a megabyte as JSON, which is no shorter than
        what goes over the wire.
    """
    batch: list[Mapping[str, Any]] = []
    size = 0
    for datum in data:
        more = len(json.dumps(datum, default=str)) + 1
        if batch and (len(batch) == MOST_METRICS or size + more > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(datum)
        size += more
    if batch:
        yield batch


def _dimension(value: str) -> str:
    """Write a value that CloudWatch takes: printable ASCII, at most 1024 characters."""
    text = quote(value, safe=" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    if text.startswith(":"):
        text = f"%3A{text[1:]}"
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(value.encode()).hexdigest()[:_DIGEST]
    return f"{text[: _LONGEST - _DIGEST - 1]}~{digest}"
