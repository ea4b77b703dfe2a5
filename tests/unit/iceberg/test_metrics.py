"""Metrics of Iceberg tables, from files and summaries of the test's own."""

import json
import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.iceberg.dashboard import anomaly_alarms, dashboard_body
from updraft.iceberg.metric_data import MOST_BYTES, batches, metric_datum, recent
from updraft.iceberg.metrics import (
    Metric,
    aggregated_partition_metrics,
    file_metrics,
    partition_figures,
    partition_metrics,
    skewness,
    snapshot_metrics,
    table_metrics,
)
from updraft.iceberg.table_state import TableFile, TableSnapshot

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def _values(metrics):
    return {(metric.name, metric.partition): metric.value for metric in metrics}


def test_a_summary():
    summary = {
        "operation": "overwrite",
        "added-records": "5",
        "added-files-size": "700",
        "added-position-deletes": "2",
        "total-records": "9",
        "total-delete-files": "unknown",
        "spark.app.id": "12",
    }
    metrics = list(snapshot_metrics(TableSnapshot(1, NOW, summary)))
    values = _values(metrics)
    assert values["snapshot.added_records", None] == 5
    assert values["snapshot.added_position_deletes", None] == 2
    assert values["snapshot.deleted_records", None] == 0  # writers leave zeros out
    assert values["snapshot.total_records", None] == 9
    assert ("snapshot.total_delete_files", None) not in values
    assert ("snapshot.total_files_size", None) not in values
    assert not [name for name, _ in values if "app" in name or "operation" in name]
    units = {metric.name: metric.unit for metric in metrics}
    assert units["snapshot.added_files_size"] == "Bytes"
    assert units["snapshot.added_records"] == "Count"
    assert {metric.moment for metric in metrics} == {NOW}


files = st.builds(
    TableFile,
    st.sampled_from(["DATA", "DATA", "POSITION_DELETES", "EQUALITY_DELETES"]),
    st.sampled_from(["day=1", "day=2", "day=3/x=é"]),
    st.integers(0, 10**9),
    st.integers(0, 10**12),
)


@given(st.lists(files, max_size=30))
def test_partitions_add_up_to_the_files(found):
    data = [file for file in found if file.content == "DATA"]
    partitions = partition_figures(found)
    assert sum(one.record_count for one in partitions) == sum(file.records for file in data)
    assert sum(one.total_size for one in partitions) == sum(file.size for file in data)
    deletes = sum(
        one.position_delete_file_count + one.equality_delete_file_count for one in partitions
    )
    assert sum(one.file_count for one in partitions) == len(data) == len(found) - deletes
    counts = [one.record_count for one in partitions]
    assert counts == sorted(counts, reverse=True)

    values = _values(file_metrics(found, NOW))
    assert values["files.count", None] == len(data)
    if data:
        sizes = [file.size for file in data]
        assert values["files.avg_file_size", None] == pytest.approx(statistics.fmean(sizes))
        assert values["files.min_file_size", None] == min(sizes)
    aggregated = _values(aggregated_partition_metrics(partitions, NOW))
    if partitions:
        assert aggregated["partitions.max_record_count", None] == max(counts)
        assert aggregated["partitions.count", None] == len(partitions)
    each = _values(partition_metrics(partitions, NOW))
    for one in partitions:
        assert each["partition.record_count", one.path] == one.record_count


def test_a_table_without_partitions_has_no_partition_metrics():
    partitions = partition_figures([TableFile("DATA", "", 1, 1)])
    assert partitions == []
    assert list(aggregated_partition_metrics(partitions, NOW)) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [  # as pandas.Series(values).skew() has it
        ([], 0),
        ([1, 9], 0),
        ([5, 5, 5, 5], 0),
        ([1, 2, 3], 0),
        ([7, 1, 1, 1], 2.0),
        ([1, 2, 3, 10], 1.7636326148),
        ([-1, -2, -3, -10], -1.7636326148),
    ],
)
def test_skewness(values, expected):
    assert skewness(values) == pytest.approx(expected, abs=1e-6)


def test_the_table():
    values = _values(table_metrics(3, NOW - timedelta(minutes=1), NOW))
    assert values == {("table.snapshot_count", None): 3, ("table.last_commit_age", None): 60}
    assert len(list(table_metrics(0, None, NOW))) == 1


@given(st.text(min_size=1, max_size=2000).map(lambda text: f"p={text}"))
def test_dimensions_are_what_cloudwatch_takes(path):
    datum = metric_datum(Metric("partition.record_count", 1, "Count", NOW, path), "d", ":t")
    values = {entry["Name"]: entry["Value"] for entry in datum["Dimensions"]}
    assert values["Table"] == "%3At"
    assert 1 <= len(values["Partition"]) <= 1024
    assert values["Partition"].isascii()
    assert values["Partition"].isprintable()


def test_long_partitions_stay_apart():
    one, other = (
        metric_datum(Metric("m", 1, "Count", NOW, "x" * 1500 + end), "d", "t")["Dimensions"][2]
        for end in "ab"
    )
    assert one != other


@given(st.lists(st.integers(1, 1024), max_size=3000))
def test_requests_are_small_enough_and_lose_nothing(lengths):
    data = [{"MetricName": "m", "Value": n, "Text": "x" * n} for n in lengths]
    found = list(batches(data))
    assert [datum for batch in found for datum in batch] == data
    assert all(0 < len(batch) <= 1000 for batch in found)
    assert all(len(json.dumps(batch)) <= MOST_BYTES + 2 * len(batch) for batch in found)


def test_what_is_too_old_is_counted():
    metrics = [
        Metric("m", 1, "Count", NOW - timedelta(days=days), None) for days in (0, 13, 14, 15)
    ]
    kept, old = recent(metrics, NOW)
    assert (len(kept), old) == (2, 2)


def test_the_dashboard_has_graphs_of_each_table_below_each_other():
    tables = [{"database": "d", "table": "a"}, {"database": "d", "table": 'b"$x'}]
    body = dashboard_body(tables, namespace="n", region="eu-west-1", period=900)
    graphs = [one for one in body["widgets"] if one["type"] == "metric"]
    named = {metric[5] for one in graphs for metric in one["properties"]["metrics"]}
    assert named == {"a", 'b"$x'}
    assert {one["properties"]["period"] for one in graphs} == {900}
    places = {
        (x, y)
        for one in body["widgets"]
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    }
    assert len(places) == sum(one["width"] * one["height"] for one in body["widgets"])
    alarms = anomaly_alarms(
        tables, prefix="p", namespace="n", period=900, band=2.5, actions=["arn:x"]
    )
    assert len({alarm["AlarmName"] for alarm in alarms}) == len(alarms) == 8
    assert alarms[0]["Metrics"][1]["Expression"] == "ANOMALY_DETECTION_BAND(metric, 2.5)"
    assert alarms[0]["Metrics"][0]["MetricStat"]["Period"] == 900


def test_the_graphs_and_alarms_show_metrics_that_there_are():
    table = {"database": "d", "table": "a"}
    body = dashboard_body([table], namespace="n", region="r", period=60)
    shown = {
        metric[1]
        for widget in body["widgets"]
        if widget["type"] == "metric"
        for metric in widget["properties"]["metrics"]
    }
    alarms = anomaly_alarms([table], prefix="p", namespace="n", period=60, band=2, actions=[])
    shown |= {a["Metrics"][0]["MetricStat"]["Metric"]["MetricName"] for a in alarms}
    data = [TableFile("DATA", f"p={n}", n, n) for n in range(4)]
    totals = ("files-size", "delete-files", "position-deletes", "equality-deletes")
    summary = {f"total-{name}": "1" for name in totals}
    made = {
        metric.name
        for metrics in (
            snapshot_metrics(TableSnapshot(1, NOW, summary)),
            file_metrics(data, NOW),
            aggregated_partition_metrics(partition_figures(data), NOW),
            table_metrics(1, NOW, NOW),
        )
        for metric in metrics
    }
    assert shown <= made
