"""What the engine refuses before it calls AWS; the rest is in tests/integration."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from updraft.dynamodb.table import TableDescription
from updraft.operators import dynamodb_export_native as native
from updraft.operators.dynamodb import DynamoDBExportOperator
from updraft.operators.dynamodb_native import _differences

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
PERIOD = {
    "export_type": "INCREMENTAL_EXPORT",
    "export_from_time": "2026-11-22T00:00:00Z",
    "export_to_time": "2026-11-23T00:00:00Z",
}


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")


def _operator(**arguments):
    return DynamoDBExportOperator(
        **{
            "task_id": "export",
            "table_name": "orders",
            "s3_uri": "s3://bucket/p",
            "engine": "native",
            "aws_conn_id": None,
            "botocore_config": {"retries": {"total_max_attempts": 1}},
        }
        | arguments
    )


def _context():
    instance = {"dag_id": "d", "task_id": "export", "map_index": -1, "run_id": "r", "try_number": 1}
    return {"ti": SimpleNamespace(**instance)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"export_format": "CSV"},
            r"export_format: the engine native writes DYNAMODB_JSON or ION, not 'CSV'; engine='wor",
        ),
        (
            {"format_options": {"compression": "NONE"}},
            r"format_options: .* \{'compression': 'NONE'",
        ),
        ({"total_segments": 4}, "total_segments: the engine native reads no segments"),
        ({"read_throughput_ratio": 0.5}, "read_throughput_ratio: the engine native needs no read"),
        ({**PERIOD, "export_time": "2026-11-22"}, "export_time: an incremental export has"),
        ({**PERIOD, "export_to_time": None}, "export_from_time and export_to_time: an incremental"),
        ({**PERIOD, "export_from_time": ""}, "export_from_time and export_to_time: an incremental"),
        (
            {**PERIOD, "export_from_time": "2026-11-23"},
            r"export_from_time: 2026-11-23T00:00:00\+00:00 is not before export_to_time 2026-11-23",
        ),
        ({**PERIOD, "export_type": "FULL_EXPORT"}, "only for export_type='INCREMENTAL_EXPORT'"),
        ({"poll_interval": 0}, "poll_interval: 0 is not a whole number of seconds"),
        ({"poll_interval": "30"}, "poll_interval: '30' is not a whole number of seconds"),
    ],
)
def test_wrong_arguments_fail_for_good_with_name_value_and_advice(arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        _operator(**arguments).execute(_context())


def test_right_arguments_get_as_far_as_aws():
    with pytest.raises(AirflowException, match=r"dynamodb:DescribeTable on table 'orders'"):
        _operator(**PERIOD).execute(_context())


def _parameters(**arguments):
    request = _operator(**arguments)._request(_context())
    return native._parameters(request, TableDescription(ARN, {"id": "S"}, 5, 5, 20, 400))


def test_the_request_of_a_full_export_is_the_same_in_each_attempt():
    assert _parameters() == {
        "TableArn": ARN,
        "S3Bucket": "bucket",
        "S3Prefix": "p",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "FULL_EXPORT",
    }


def test_every_argument_reaches_the_request():
    assert _parameters(
        s3_uri="s3://bucket",
        export_format="ION",
        export_time=datetime(2026, 11, 23, 4, tzinfo=timezone(timedelta(hours=2))),
        kms_key_id="alias/exports",
    ) == {
        "TableArn": ARN,
        "S3Bucket": "bucket",
        "ExportFormat": "ION",
        "ExportType": "FULL_EXPORT",
        "ExportTime": datetime(2026, 11, 23, 2, tzinfo=UTC),
        "S3SseAlgorithm": "KMS",
        "S3SseKmsKeyId": "alias/exports",
    }
    changes = _parameters(**PERIOD, export_view_type="NEW_IMAGE")
    assert changes["ExportType"] == "INCREMENTAL_EXPORT"
    assert changes["IncrementalExportSpecification"] == {
        "ExportFromTime": datetime(2026, 11, 22, tzinfo=UTC),
        "ExportToTime": datetime(2026, 11, 23, tzinfo=UTC),
        "ExportViewType": "NEW_IMAGE",
    }


def test_a_time_without_zone_is_in_utc():
    naive = datetime(2026, 11, 23, 4)  # noqa: DTZ001 - what users write

    assert _parameters(export_time=naive)["ExportTime"] == datetime(2026, 11, 23, 4, tzinfo=UTC)


def test_differences_between_what_is_asked_for_and_what_there_is():
    wanted = {
        "S3Bucket": "b",
        "S3Prefix": "p",
        "ExportTime": datetime(2026, 11, 23, 4, tzinfo=UTC),
        "IncrementalExportSpecification": {"ExportViewType": "NEW_IMAGE"},
    }
    names = (*wanted, "NotAskedFor")
    same = {**wanted, "ExportTime": datetime(2026, 11, 23, 4, 0, 0, 999, UTC), "NotAskedFor": 1}
    assert list(_differences(wanted, same, names)) == []

    other = {
        "S3Bucket": "c",
        "ExportTime": datetime(2026, 11, 23, 4, 0, 1, tzinfo=UTC),
        "IncrementalExportSpecification": {"ExportViewType": "NEW_AND_OLD_IMAGES"},
    }
    assert list(_differences(wanted, other, names)) == [
        "S3Bucket 'c' instead of 'b'",
        "S3Prefix None instead of 'p'",
        "ExportTime 2026-11-23T04:00:01+00:00 instead of 2026-11-23T04:00:00+00:00",
        "ExportViewType 'NEW_AND_OLD_IMAGES' instead of 'NEW_IMAGE'",
    ]
