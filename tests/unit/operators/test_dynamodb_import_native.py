"""What the engine refuses before it calls AWS, and where it tells AWS that the files are."""

import json
from types import SimpleNamespace

import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from updraft.dynamodb.destination import Content, StoredObject
from updraft.dynamodb.manifest import render_manifest
from updraft.dynamodb.table import TableReference
from updraft.errors import ArgumentError, UpdraftError
from updraft.operators import dynamodb_import_native as native
from updraft.operators.dynamodb import DynamoDBImportOperator
from updraft.operators.dynamodb_import_engine import ImportRequest
from updraft.operators.dynamodb_native_source import find_native_import_source

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
TABLE = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
ID = "0b7c1e3e-6a55-5c0e-9d0a-6f1f2c7f3b11"


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")


def _operator(**arguments):
    return DynamoDBImportOperator(
        **{
            "task_id": "import",
            "table_name": "orders",
            "s3_uri": "s3://bucket/p",
            "engine": "native",
            "table_creation_parameters": TABLE,
            "aws_conn_id": None,
            "botocore_config": {"retries": {"total_max_attempts": 1}},
        }
        | arguments
    )


def _execute(operator):
    instance = {"dag_id": "d", "task_id": "import", "map_index": -1, "run_id": "r", "try_number": 1}
    return operator.execute({"ti": SimpleNamespace(**instance)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"on_conflict": "skip"}, "on_conflict='skip': has no meaning for the engine native"),
        (
            {"on_error": "dead_letter", "dead_letter_s3_uri": "s3://bucket/rejected"},
            "on_error='dead_letter': has no meaning for the engine native",
        ),
        ({"checkpoint_s3_uri": "s3://bucket/c"}, "checkpoint_s3_uri: has no meaning"),
        ({"write_throughput_ratio": 0.9}, "write_throughput_ratio: has no meaning"),
        (
            {"table_creation_parameters": None},
            r'needs at least AttributeDefinitions and KeySchema, such as \{"AttributeDefinitions"',
        ),
        (
            {"table_creation_parameters": {"KeySchema": TABLE["KeySchema"]}},
            "table_creation_parameters: .* does not say what the new table is like",
        ),
        (
            {"table_creation_parameters": {**TABLE, "TableName": "other"}},
            "TableName 'other' contradicts table_name 'orders'",
        ),
        ({"poll_interval": 1.5}, "poll_interval: 1.5 is not a whole number of seconds"),
    ],
)
def test_wrong_arguments_fail_for_good_with_name_value_and_advice(arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        _execute(_operator(**arguments))


def test_right_arguments_get_as_far_as_aws():
    with pytest.raises(AirflowException, match=r"s3:\w+ on "):
        _execute(_operator())


@pytest.mark.parametrize(
    ("given", "billing"),
    [
        ({}, "PAY_PER_REQUEST"),
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            "PROVISIONED",
        ),
        ({"BillingMode": "PROVISIONED"}, "PROVISIONED"),
        ({"TableName": ARN}, "PAY_PER_REQUEST"),
    ],
)
def test_the_new_table(given, billing):
    request = ImportRequest(
        ID, 1, TableReference.parse(ARN), "s3://b/p", table_creation_parameters={**TABLE, **given}
    )
    expected = {**TABLE, **given, "TableName": "orders", "BillingMode": billing}

    assert native._table_parameters(request) == expected


class Objects:
    """Objects of a bucket ``bucket`` by key."""

    def __init__(self, **contents):
        self.contents = contents

    def objects(self, uri):
        prefix = uri.removeprefix("s3://bucket").strip("/")
        prefix = f"{prefix}/" if prefix else ""
        for key in sorted(self.contents):
            if key.startswith(prefix):
                yield StoredObject(key.removeprefix(prefix), len(self.contents[key]))

    def read(self, uri):
        content = self.contents.get(uri.removeprefix("s3://bucket/"))
        return None if content is None else Content(content, {})


def _source(contents, **arguments):
    request = ImportRequest(
        **{
            "import_id": ID,
            "attempt": 1,
            "table": TableReference.parse("orders"),
            "s3_uri": "s3://bucket/p",
        }
        | arguments
    )
    return find_native_import_source(request, Objects(**contents))


def _parameters(prefix, input_format="DYNAMODB_JSON", compression="NONE", **others):
    return {
        "S3BucketSource": {"S3Bucket": "bucket", "S3KeyPrefix": prefix},
        "InputFormat": input_format,
        "InputCompressionType": compression,
        **others,
    }


def _native_export(folder, **changes):
    data = [f"{folder}/data/a.json.gz", f"{folder}/data/b.json.gz"]
    summary = {
        "version": "2020-06-30",
        "exportArn": f"{ARN}/export/01795400194100-9bccfdb6",
        "tableArn": ARN,
        "exportTime": "2026-11-23T04:00:00Z",
        "s3Bucket": "bucket",
        "s3Prefix": "p",
        "manifestFilesS3Key": f"{folder}/manifest-files.json",
        "itemCount": 2,
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
        **changes,
    }
    files = [
        {
            "itemCount": 1,
            "md5Checksum": "1B2M2Y8AsgTpgAmY7PhCfg==",
            "etag": "x",
            "dataFileS3Key": key,
        }
        for key in data
    ]
    return {
        f"{folder}/manifest-summary.json": json.dumps(summary).encode(),
        f"{folder}/manifest-files.json": "\n".join(map(json.dumps, files)).encode(),
        **dict.fromkeys(data, b"x"),
    }


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/p",
        "s3://bucket/p/AWSDynamoDB/01-ab",
        "s3://bucket/p/AWSDynamoDB/01-ab/manifest-summary.json",
    ],
)
def test_a_native_export_is_its_folder_of_data(uri):
    folder = "p/AWSDynamoDB/01-ab"
    source = _source({**_native_export(folder), "p/other.txt": b""}, s3_uri=uri)

    assert source.parameters == _parameters(f"{folder}/data/", compression="GZIP")
    assert source.files == 2


def test_an_export_of_the_worker_is_the_common_start_of_its_files():
    names = [f"p/{ID}_1_00000_00000.json.gz", f"p/{ID}_2_00001_00000.json.gz"]
    manifest = render_manifest(f"s3://bucket/{name}" for name in names)
    contents = {**dict.fromkeys(names, b"x"), "p/manifest": manifest, "p/_updraft/x": b"{}"}

    source = _source(contents, import_format="DYNAMODB_JSON")

    assert source.parameters == _parameters(f"p/{ID}_", compression="GZIP")


def test_files_alone_are_their_folder_and_one_file_is_itself():
    assert _source({"p/a.json": b"x", "p/b.json": b"x"}).parameters == _parameters("p/")
    assert _source({"p/_x": b"", "p/a.ion": b"x"}).parameters == _parameters("p/a.ion", "ION")


def test_options_of_csv():
    source = _source(
        {"p/a.csv.zst": b"x"},
        import_format="CSV",
        format_options={"delimiter": "|", "header_list": ["id", "x"]},
    )

    assert source.parameters == _parameters(
        "p/",
        "CSV",
        "ZSTD",
        InputFormatOptions={"Csv": {"Delimiter": "|", "HeaderList": ["id", "x"]}},
    )


def test_compression_can_be_told():
    source = _source({"p/a": b"x"}, format_options={"compression": "GZIP"})

    assert source.parameters["InputCompressionType"] == "GZIP"


@pytest.mark.parametrize(
    ("contents", "arguments", "message"),
    [
        (
            {"p/a.parquet": b"x"},
            {},
            "import_format: the engine native reads DYNAMODB_JSON, ION, CSV, not 'PARQUET'",
        ),
        (
            {"p/a": b"x"},
            {"import_format": "DATA_PIPELINE"},
            "not 'DATA_PIPELINE'; engine='worker' reads every format",
        ),
        (
            {"p/a": b"x"},
            {"format_options": {"delimiter": ";"}},
            "option of the format DYNAMODB_JSON with the engine native: 'delimiter' is unknown",
        ),
        (
            {"p/a": b"x"},
            {"import_format": "CSV", "format_options": {"header": ["id"]}},
            "'header' is unknown; did you mean 'header_list'",
        ),
        (
            {"p/a": b"x"},
            {"format_options": {"compression": "BZIP2"}},
            "compression: 'BZIP2' is unknown; did you mean 'GZIP'",
        ),
        (
            {"p/a.json": b"x", "p/b.json.gz": b"x"},
            {},
            "compressed in several ways ('GZIP', 'NONE')",
        ),
        (
            {"p/a.json": b"x", "p/a/_x/b.json": b"x", "p/ab.json": b"x"},
            {},
            "whose key begins with a prefix, here 'p/a' in bucket 'bucket'. Objects that belong to "
            "no file of the import begin with it too: 'p/a/_x/b.json'. Remove them",
        ),
        (
            _native_export("p/AWSDynamoDB/01-ab"),
            {"import_format": "ION"},
            "import_format: 'ION' contradicts s3://bucket/p/AWSDynamoDB/01-ab",
        ),
        (
            _native_export(
                "p/AWSDynamoDB/01-ab",
                version="2023-08-01",
                exportType="INCREMENTAL_EXPORT",
                exportFromTime="2026-11-22T00:00:00Z",
                exportToTime="2026-11-23T00:00:00Z",
                outputView="NEW_IMAGE",
            ),
            {},
            "is an incremental export, which ImportTable does not take; engine='worker'",
        ),
        (
            {"p/manifest": render_manifest(["s3://bucket/p/a.csv"]), "p/a.csv": b"x"},
            {},
            "whose CSV files hold types that ImportTable would take for text",
        ),
        ({"p/manifest": render_manifest([])}, {}, "holds no items. ImportTable refuses that"),
    ],
)
def test_files_that_aws_cannot_import(contents, arguments, message):
    with pytest.raises(UpdraftError) as error:
        _source(contents, **{"import_format": None, **arguments})
    assert message in str(error.value)
    # Arguments stay as they are, what is in the bucket may be another thing at the next attempt.
    can_change = "holds no items" in message or "Remove them" in message
    assert isinstance(error.value, ArgumentError) is not can_change
