"""Iceberg tables that pyiceberg writes, and their metrics, read back from CloudWatch."""

import statistics
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pendulum
import pyarrow as pa
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.execution_time import macros
from airflow.timetables.interval import CronDataIntervalTimetable
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.types import StringType

from include.local.layout import PROJECT
from tests.integration.permission_proxy import Policy, permission_proxy
from updraft.errors import UpdraftError
from updraft.iceberg.metrics import skewness
from updraft.operators.iceberg_table_metrics import (
    IcebergDashboardOperator,
    IcebergTableListOperator,
    IcebergTableMetricsOperator,
)

pytestmark = pytest.mark.integration

DATABASE = "ice"


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, glue, cloudwatch = (
        session.client(service, endpoint_url=local_stack.endpoint_url)
        for service in ("s3", "glue", "cloudwatch")
    )
    properties = {
        f"{service}.{name}": value
        for service in ("glue", "s3")
        for name, value in {
            "access-key-id": "local",
            "secret-access-key": "local",
            "endpoint": local_stack.endpoint_url,
            "region": "us-east-1",
        }.items()
    }
    catalog = GlueCatalog("glue", **properties)
    catalog.create_namespace(DATABASE)
    bucket = f"ice-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    return SimpleNamespace(
        s3=s3,
        glue=glue,
        cloudwatch=cloudwatch,
        catalog=catalog,
        bucket=bucket,
        url=local_stack.endpoint_url,
    )


@pytest.fixture
def aws(cloud, local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    cloud.monkeypatch = monkeypatch
    return cloud


def _table(aws, *, partitioned, prefix="t"):
    name = f"{prefix}_{uuid.uuid4().hex}"
    schema = pa.schema([("id", pa.int64()), ("region", pa.string())])
    table = aws.catalog.create_table(
        f"{DATABASE}.{name}", schema=schema, location=f"s3://{aws.bucket}/{name}"
    )
    if partitioned:
        with table.update_spec() as update:
            update.add_identity("region")
    return name, table


def _rows(**by_region):
    pairs = [(n, region) for region, count in by_region.items() for n in range(count)]
    return pa.table({"id": [n for n, _ in pairs], "region": [region for _, region in pairs]})


def _found(aws, namespace):
    """Every data point: value by name, partition and moment; a second one would be an error."""
    found = {}
    pages = aws.cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    for metric in (metric for page in pages for metric in page["Metrics"]):
        dimensions = {entry["Name"]: entry["Value"] for entry in metric["Dimensions"]}
        points = aws.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric["MetricName"],
            Dimensions=metric["Dimensions"],
            StartTime=datetime.now(UTC) - timedelta(hours=1),
            EndTime=datetime.now(UTC) + timedelta(minutes=2),
            Period=1,
            Statistics=["Average", "SampleCount", "Sum"],
        )["Datapoints"]
        key = metric["MetricName"], dimensions.get("Partition")
        found[key] = sorted((p["Timestamp"], p["Sum"], p["SampleCount"]) for p in points)
    return found


def _values(aws, namespace):
    return {key: [point[1] for point in points] for key, points in _found(aws, namespace).items()}


def _run(name, **arguments):
    namespace = f"test/{uuid.uuid4().hex}"
    operator = IcebergTableMetricsOperator(
        task_id="metrics", database=DATABASE, table=name, namespace=namespace, **arguments
    )
    return namespace, operator.execute({})


def _sizes(aws, name):
    keys = aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix=f"{name}/data/")["Contents"]
    return {entry["Key"]: entry["Size"] for entry in keys}


def test_metrics_equal_what_the_data_says(aws):
    name, table = _table(aws, partitioned=True)
    counts = {"a": 5, "b": 1, "c": 1, "d": 1}
    table.append(_rows(**counts))
    table.append(_rows(a=2))
    namespace, result = _run(name)
    found = _values(aws, namespace)
    sizes = _sizes(aws, name)
    newest = max(
        sizes, key=lambda key: aws.s3.head_object(Bucket=aws.bucket, Key=key)["LastModified"]
    )

    def one(metric, partition=None):
        (value,) = found[metric, partition]
        return value

    # The last commit appended one file with two records to partition a.
    assert one("snapshot.added_records") == 2
    assert one("snapshot.added_data_files") == 1
    assert one("snapshot.changed_partition_count") == 1
    assert one("snapshot.deleted_records") == one("snapshot.added_position_deletes") == 0
    assert one("snapshot.total_records") == 10
    assert one("snapshot.total_data_files") == 5 == len(sizes)
    assert one("snapshot.total_files_size") == sum(sizes.values())
    assert one("snapshot.added_files_size") in sizes.values()
    assert newest in sizes

    records = [5, 1, 1, 1, 2]
    assert one("files.count") == 5
    assert one("files.avg_record_count") == statistics.fmean(records)
    assert (one("files.max_record_count"), one("files.min_record_count")) == (5, 1)
    assert one("files.avg_file_size") == pytest.approx(statistics.fmean(sizes.values()))
    assert one("files.max_file_size") == max(sizes.values())
    assert one("files.min_file_size") == min(sizes.values())

    per_partition = [7, 1, 1, 1]
    assert one("partitions.count") == 4
    assert one("partitions.avg_record_count") == 2.5
    assert one("partitions.max_record_count") == 7
    assert one("partitions.min_record_count") == 1
    assert one("partitions.deviation_record_count") == 3.0
    assert one("partitions.skew_record_count") == pytest.approx(2.0)  # as pandas has it
    assert one("partitions.skew_file_count") == pytest.approx(skewness([2, 1, 1, 1]))
    assert one("partitions.skew_record_count") == pytest.approx(skewness(per_partition))
    assert one("partition.record_count", "region=a") == 7
    assert one("partition.file_count", "region=a") == 2
    assert one("partition.record_count", "region=d") == 1
    assert one("partition.total_size", "region=a") == sum(
        size for key, size in sizes.items() if "/region=a/" in key
    )
    assert one("table.snapshot_count") == 2
    assert 0 <= one("table.last_commit_age") < 300
    assert result == {"snapshots": 1, "metrics": sum(map(len, found.values()))}


@pytest.mark.thorough
def test_each_snapshot_of_the_window_has_its_moment(aws):
    name, table = _table(aws, partitioned=False)
    table.append(_rows(a=3))
    table.delete("id = 0")
    table.overwrite(_rows(a=4, b=4), overwrite_filter="region = 'a'")
    with table.update_schema() as update:
        update.add_column("note", StringType())
    table.append(_rows(z=1).append_column("note", pa.array(["x"])))
    snapshots = table.metadata.snapshots
    moments = [datetime.fromtimestamp(s.timestamp_ms / 1000, UTC) for s in snapshots]
    # delete rewrites a file; overwrite is a delete and an append
    expected = [[3, 0], [2, 3], [0, 2], [8, 0], [1, 0]]

    namespace, result = _run(
        name,
        window_start=str(moments[0]),
        window_end=str(moments[-1] + timedelta(milliseconds=1)),
    )
    assert result["snapshots"] == len(expected) == len(snapshots)
    points = _found(aws, namespace)
    added = points["snapshot.added_records", None]
    assert sum(point[1] for point in added) == sum(one for one, _ in expected)
    assert sum(point[2] for point in added) == 5
    deleted = points["snapshot.deleted_records", None]
    assert sum(point[1] for point in deleted) == sum(one for _, one in expected)
    assert {moment for moment, *_ in added} == {moment.replace(microsecond=0) for moment in moments}
    assert points["snapshot.total_records", None][-1][0] == moments[-1].replace(microsecond=0)
    assert not [key for key in points if key[0].startswith("partition")]

    namespace, result = _run(
        name, window_start=str(moments[1]), window_end=str(moments[2])
    )  # the end is exclusive
    assert result["snapshots"] == 1
    assert _values(aws, namespace)["snapshot.added_records", None] == [2]
    assert _values(aws, namespace)["files.max_record_count", None] == [2]

    later = moments[-1] + timedelta(seconds=1)
    namespace, result = _run(
        name, window_start=str(later), window_end=str(later + timedelta(hours=1))
    )
    assert result["snapshots"] == 0
    assert set(_values(aws, namespace)) == {
        ("table.last_commit_age", None),
        ("table.snapshot_count", None),
    }


def test_a_table_without_snapshots_and_one_that_is_none(aws):
    name, _ = _table(aws, partitioned=True)
    namespace, result = _run(name)
    assert result == {"snapshots": 0, "metrics": 1}
    assert _values(aws, namespace) == {("table.snapshot_count", None): [0]}

    aws.glue.create_table(
        DatabaseName=DATABASE,
        TableInput={
            "Name": f"plain{name}",
            "StorageDescriptor": {"Columns": [], "Location": "s3://x/"},
        },
    )
    with pytest.raises(UpdraftError, match=f"{DATABASE}.plain{name} is no Iceberg table"):
        _run(f"plain{name}")


def test_no_data_file_is_read(aws):
    name, table = _table(aws, partitioned=True)
    table.append(_rows(a=2, b=3))
    policy = Policy(
        "iceberg-table-metrics",
        catalog_arn="arn:aws:glue:us-east-1:123456789012:catalog",
        database_arn=f"arn:aws:glue:us-east-1:123456789012:database/{DATABASE}",
        tables_arn=f"arn:aws:glue:us-east-1:123456789012:table/{DATABASE}/*",
        bucket_arn=f"arn:aws:s3:::{aws.bucket}",
        prefix=name,
        namespace="test/*",
    )
    with permission_proxy(aws.url, policy) as proxy:
        aws.monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        namespace, _ = _run(name)
    assert proxy.used == {"s3:GetObject"}
    assert proxy.denied == []
    assert _values(aws, namespace)["partition.record_count", "region=b"] == [3]


@pytest.mark.thorough
def test_more_partitions_than_wanted_and_more_metrics_than_a_request_takes(aws):
    name, table = _table(aws, partitioned=True)
    table.append(_rows(**{f"é{number:03d}": number + 1 for number in range(150)}))
    namespace, result = _run(name, partition_limit="145")
    assert result["metrics"] > 1000
    found = _values(aws, namespace)
    named = {partition for _, partition in found if partition}
    assert len(named) == 145
    assert "region=%C3%A9149" in named
    assert "region=%C3%A9004" not in named  # of those with the fewest records
    assert found["partitions.count", None] == [150]


def test_partitions_of_an_evolved_table(aws):
    name, table = _table(aws, partitioned=True)
    table.append(_rows(a=2, b=3))
    with table.update_spec() as update:
        update.remove_field("region")
        update.add_identity("id")
    with table.update_schema() as update:
        update.delete_column("region")  # its values stay in the names of partitions
        update.rename_column("id", "number")
    table.append(pa.table({"number": pa.array([7, 7, 8], pa.int64())}))
    namespace, _ = _run(name)
    counts = {
        partition: values
        for (metric, partition), values in _values(aws, namespace).items()
        if metric == "partition.record_count"
    }
    assert {tuple(values) for values in counts.values()} == {(2,), (3,), (1,)}
    assert sorted(counts)[:2] == ["id=7", "id=8"]
    assert {"region=a", "region=b"} <= {path.partition("/")[0] for path in counts}


def test_tables_are_found_by_pattern(aws):
    first, _ = _table(aws, partitioned=False, prefix="sales")
    second, _ = _table(aws, partitioned=False, prefix="stock")
    found = IcebergTableListOperator(
        task_id="t", tables=f'["{DATABASE}.sal*", "{DATABASE}.{second}"]'
    ).execute({})
    assert found == [{"database": DATABASE, "table": name} for name in (first, second)]
    with pytest.raises(UpdraftError, match=r"'ice.nothing\*' finds no Iceberg table"):
        IcebergTableListOperator(task_id="t", tables=[f"{DATABASE}.nothing*"]).execute({})


def test_dashboard_and_alarms_are_made_once_and_kept(aws):
    tables = [{"database": DATABASE, "table": "orders"}, {"database": DATABASE, "table": "o$x"}]
    arguments = {
        "tables": tables,
        "dashboard_name": f"d-{uuid.uuid4().hex}",
        "alarm_actions": '["arn:aws:sns:us-east-1:123456789012:ops"]',
    }
    name = arguments["dashboard_name"]
    changed = IcebergDashboardOperator(task_id="d", **arguments).execute({})
    assert changed[0] == name
    assert len(changed) == 1 + 2 * 4
    assert IcebergDashboardOperator(task_id="d", **arguments).execute({}) == []

    alarm = aws.cloudwatch.describe_alarms(
        AlarmNames=[f"{name}-{DATABASE}.orders-snapshot.added_records"]
    )["MetricAlarms"][0]
    assert alarm["ThresholdMetricId"] == "band"
    assert alarm["EvaluationPeriods"] == 2
    assert {m["Id"]: m.get("Expression") for m in alarm["Metrics"]} == {
        "metric": None,
        "band": "ANOMALY_DETECTION_BAND(metric, 2)",
    }
    wider = IcebergDashboardOperator(task_id="d", **arguments, band="3.5").execute({})
    assert len(wider) == 8
    assert name not in wider


def _window(run_after, run_type):
    """The window of a run, as the DAG has it."""
    (dag,) = DagBag(dag_folder=str(PROJECT / "dags" / "iceberg_table_metrics.py")).dags.values()
    timetable = CronDataIntervalTimetable(dag.timetable.expression, timezone="UTC")
    interval = timetable.infer_manual_data_interval(run_after=run_after)
    assert interval.end == run_after, "the DAG does not run then"
    values = {
        "dag_run": SimpleNamespace(run_type=run_type),
        "data_interval_start": interval.start,
        "data_interval_end": interval.end,
        "macros": macros,
    }
    templates = dag.get_task("metrics").partial_kwargs
    return [
        dag.get_template_env().from_string(templates[name]).render(values)
        for name in ("window_start", "window_end")
    ]


def test_a_snapshot_that_is_committed_after_the_end_of_its_hour_is_reported_once():
    stamped = datetime(2026, 11, 23, 5, 59, 58, tzinfo=UTC)
    committed = stamped + timedelta(minutes=9)
    runs = [pendulum.datetime(2026, 11, 23, hour, 10) for hour in range(4, 9)]
    windows = [[datetime.fromisoformat(m) for m in _window(run, "scheduled")] for run in runs]
    (seen_by,) = [
        run for run, (start, end) in zip(runs, windows, strict=True) if start <= stamped < end
    ]
    assert seen_by > committed
    assert [end for _, end in windows[:-1]] == [start for start, _ in windows[1:]]
    assert _window(runs[0], "manual") == ["", ""]


def test_the_dag(aws, dag_runs):
    name, table = _table(aws, partitioned=True, prefix="dag")
    table.append(_rows(a=2, b=3))
    namespace, dashboard = f"test/{uuid.uuid4().hex}", f"d-{uuid.uuid4().hex}"
    run = dag_runs.run(
        "iceberg_table_metrics",
        {
            "tables": [f"{DATABASE}.{name}"],
            "namespace": namespace,
            "dashboard_name": dashboard,
        },
    )
    assert run.state == "success", run.output[-3000:]
    assert _values(aws, namespace)["partition.record_count", "region=b"] == [3]
    assert aws.cloudwatch.get_dashboard(DashboardName=dashboard)["DashboardBody"]
