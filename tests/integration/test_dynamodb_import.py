"""The import operator against servers that speak DynamoDB and S3."""

import base64
import gzip
import json
import uuid
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator

pytestmark = pytest.mark.integration

ITEMS = 600
FORMATS = ["DATA_PIPELINE", "DYNAMODB_JSON", "DYNAMODB_JSON_LINES", "ION", "CSV", "PARQUET"]


def _item(number):
    return {
        "id": {"S": f"item-{number} \u2028 \0 Zürich 😀"},
        "at": {"N": str(number)},
        "digits": {"N": f"{number + 1}2345678901234567890.12345678901234"},
        "tiny": {"N": "0." + "0" * 129 + "1"},
        "binary": {"B": number.to_bytes(4, "big")},
        "texts": {"SS": ["a", f"b{number}"]},
        "numbers": {"NS": ["1", f"{number}.5"]},
        "binaries": {"BS": [b"x", b"y%d" % number]},
        "map": {"M": {"list": {"L": [{"N": "1"}, {"NULL": True}, {"M": {"e": {"S": ""}}}]}}},
        "list": {"L": []},
        "flag": {"BOOL": number % 2 == 0},
        "nothing": {"NULL": True},
        "empty": {"S": ""},
        f"rare-{number % 7}": {"S": '{"looks": "like JSON"}'},
        **({"long": {"S": "x" * 390_000}} if number < 3 else {}),
    }


class Cloud:
    """Clients of the local stack, and what the tests do with them."""

    def __init__(self, environment):
        self.environment = environment
        self.dynamodb = boto3.client("dynamodb")
        self.s3 = boto3.client("s3")
        self.bucket = f"backups-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.bucket)

    def create_table(self, *, sort_key=True):
        name = f"orders-{uuid.uuid4()}"
        keys = [("id", "S", "HASH"), ("at", "N", "RANGE")][: 2 if sort_key else 1]
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind, _ in keys
            ],
            KeySchema=[{"AttributeName": key, "KeyType": role} for key, _, role in keys],
        )
        return name

    def fill(self, table, items):
        for item in items:
            self.dynamodb.put_item(TableName=table, Item=item)

    def items(self, table):
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table)
        return sorted(
            json.dumps(_canonical({"M": item}), sort_keys=True)
            for page in pages
            for item in page["Items"]
        )

    def put(self, name, content, **arguments):
        self.s3.put_object(Bucket=self.bucket, Key=name, Body=content, **arguments)

    def read(self, name):
        return self.s3.get_object(Bucket=self.bucket, Key=name)["Body"].read()

    def names(self, prefix):
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", ())]

    def uri(self, prefix):
        return f"s3://{self.bucket}/{prefix}"


def _canonical(value):
    ((key, payload),) = value.items()
    if key == "M":
        return {key: {name: _canonical(member) for name, member in payload.items()}}
    if key == "L":
        return {key: [_canonical(member) for member in payload]}
    if isinstance(payload, bytes):
        return {key: base64.b64encode(payload).decode()}
    return {key: sorted(map(repr, payload)) if isinstance(payload, list) else payload}


@pytest.fixture
def cloud(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    return Cloud(local_stack.environment)


def _import(table, s3_uri, run="run", attempt=1, max_tries=2, **arguments):
    operator = DynamoDBImportOperator(
        task_id="import", table_name=table, s3_uri=s3_uri, aws_conn_id=None, **arguments
    )
    instance = SimpleNamespace(
        dag_id="d",
        task_id="import",
        map_index=-1,
        run_id=run,
        try_number=attempt,
        max_tries=max_tries,
    )
    return operator.execute({"ti": instance}), operator


def _export(table, s3_uri, **arguments):
    operator = DynamoDBExportOperator(
        task_id="export", table_name=table, s3_uri=s3_uri, aws_conn_id=None, **arguments
    )
    instance = SimpleNamespace(
        dag_id="d", task_id="export", map_index=-1, run_id="run", try_number=1
    )
    return operator.execute({"ti": instance})


def _lines(*items):
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def _many():
    return [{"id": {"s": f"item-{n}"}, "x": {"s": "y" * n}} for n in range(999)]


@pytest.mark.parametrize("export_format", FORMATS)
def test_what_was_exported_is_imported_item_by_item(cloud, export_format):
    source, target = cloud.create_table(), cloud.create_table()
    cloud.fill(source, map(_item, range(ITEMS)))
    _export(source, cloud.uri(export_format), export_format=export_format)
    result, operator = _import(target, cloud.uri(export_format))

    assert cloud.items(target) == cloud.items(source)
    arn = cloud.dynamodb.describe_table(TableName=target)["Table"]["TableArn"]
    counts = {name: result[name] for name in ("items", "deleted", "skipped", "rejected")}
    assert counts == {"items": ITEMS, "deleted": 0, "skipped": 0, "rejected": 0}
    assert (result["table_arn"], result["rejected_records"]) == (arn, None)
    lineage = operator.get_openlineage_facets_on_complete(None)
    (written,) = lineage.outputs
    types = {field.name: field.type for field in written.facets["schema"].fields}
    assert {name: next(iter(value)) for name, value in _item(0).items()}.items() <= types.items()
    assert written.outputFacets["outputStatistics"].rowCount == ITEMS
    assert [dataset.name for dataset in lineage.inputs] == [export_format]


def test_a_backup_of_the_legacy_tool_restores(cloud):
    """Written by hand, byte for byte as emr-dynamodb-tools did."""
    first = (
        b'{"id":{"s":"order-1"},"at":{"n":"1"},"set":{"sS":["a","b"]},"nums":{"nS":["1","30"]},'
        b'"l":{"l":[{"s":"x"},{"n":"12345678901234567890123456789012345678"}]},'
        b'"m":{"m":{"k":{"bOOL":true}}},"bin":{"b":"AQID"},"bins":{"bS":["AQID"]},'
        b'"html":{"s":"\\u003ca\\u003e\\u0026"},"none":{"nULL":true}}\n'
    )
    second = b'{"id":{"s":"order-2"},"at":{"n":"2"},"none":{"nULLValue":true}}\n'
    cloud.put("legacy/2f0d3d0c-4a1c-4b65-9d43-4a2e7a2b9f10", first)
    cloud.put("legacy/8c1f9e2a-77c9-4f0e-8f2f-0f0b2f1f2c33", second)
    cloud.put("legacy/left-over-of-a-failed-task", b"not named by the manifest")
    cloud.put(
        "legacy/manifest",
        b'{"name":"DynamoDB-export","version":3,\n"entries": [\n'
        + b",\n".join(
            b'{"url":"s3n://%s/legacy/%s","mandatory":true}' % (cloud.bucket.encode(), name)
            for name in (
                b"2f0d3d0c-4a1c-4b65-9d43-4a2e7a2b9f10",
                b"8c1f9e2a-77c9-4f0e-8f2f-0f0b2f1f2c33",
            )
        )
        + b"\n]}\n",
    )
    table = cloud.create_table()
    result, _ = _import(table, cloud.uri("legacy"))

    assert result["items"] == 2
    key = {"id": {"S": "order-1"}, "at": {"N": "1"}}
    item = cloud.dynamodb.get_item(TableName=table, Key=key)["Item"]
    item["set"]["SS"].sort()
    item["nums"]["NS"].sort()
    assert item == {
        **key,
        "set": {"SS": ["a", "b"]},
        "nums": {"NS": ["1", "30"]},
        "l": {"L": [{"S": "x"}, {"N": "12345678901234567890123456789012345678"}]},
        "m": {"M": {"k": {"BOOL": True}}},
        "bin": {"B": b"\1\2\3"},
        "bins": {"BS": [b"\1\2\3"]},
        "html": {"S": "<a>&"},
        "none": {"NULL": True},
    }


def test_files_without_a_manifest_hive_lines_and_compressed_ones(cloud):
    cloud.put("old/uuid_000000", b'id\x03{"s":"a"}\x02at\x03{"n":"1"}\x02scores\x03{"nS":["1"]}\n')
    cloud.put(
        "old/uuid_000001.gz", gzip.compress(b'{"ID":{"s":"x"},"id":{"S":"b"},"at":{"N":2}}\n')
    )
    cloud.put("old/_SUCCESS", b"")
    table = cloud.create_table()
    result, _ = _import(table, cloud.uri("old"))

    assert result["items"] == 2
    assert len(cloud.items(table)) == 2


def test_items_of_the_table_are_replaced_and_others_stay(cloud):
    table = cloud.create_table(sort_key=False)
    cloud.fill(table, [{"id": {"S": "a"}, "old": {"BOOL": True}}, {"id": {"S": "z"}}])
    cloud.put("in/file", _lines({"id": {"s": "a"}, "new": {"n": "1"}}, {"id": {"s": "b"}}))
    result, _ = _import(table, cloud.uri("in"))

    assert result["items"] == 2
    assert cloud.items(table) == sorted(
        json.dumps({"M": item}, sort_keys=True)
        for item in (
            {"id": {"S": "a"}, "new": {"N": "1"}},
            {"id": {"S": "b"}},
            {"id": {"S": "z"}},
        )
    )


def test_items_of_the_table_can_be_left_alone(cloud):
    table = cloud.create_table(sort_key=False)
    cloud.fill(table, [{"id": {"S": "a"}, "old": {"BOOL": True}}])
    cloud.put("in/file", _lines({"id": {"s": "a"}, "new": {"n": "1"}}, {"id": {"s": "b"}}))
    result, _ = _import(table, cloud.uri("in"), on_conflict="skip")

    assert (result["items"], result["skipped"]) == (1, 1)
    assert '{"M": {"id": {"S": "a"}, "old": {"BOOL": true}}}' in cloud.items(table)


def test_of_records_with_one_key_the_last_stays(cloud):
    table = cloud.create_table(sort_key=False)
    items = [{"id": {"s": str(n % 10)}, "version": {"n": str(n)}} for n in range(1000)]
    cloud.put("in/file", _lines(*items))
    result, _ = _import(table, cloud.uri("in"))

    assert result["items"] + result["superseded"] == 1000
    versions = {
        item["id"]["S"]: item["version"]["N"]
        for item in cloud.dynamodb.scan(TableName=table)["Items"]
    }
    assert versions == {str(n): str(990 + n) for n in range(10)}


BAD_LINES = {
    "no JSON": b"not json\n",
    "no item": b'{"id": "a"}\n',
    "the key is missing": b'{"other": {"s": "x"}}\n',
    "the key has another type": b'{"id": {"n": "1"}}\n',
    "too large": b'{"id": {"s": "x"}, "long": {"s": "' + b"y" * 410_000 + b'"}}\n',
    "39 digits": b'{"id": {"s": "x"}, "n": {"n": "' + b"1" * 39 + b'"}}\n',
    "an empty key": b'{"id": {"s": ""}}\n',
}


@pytest.mark.parametrize("what", BAD_LINES)
def test_the_first_bad_record_stops_the_import_with_file_and_line(cloud, what):
    table = cloud.create_table(sort_key=False)
    cloud.put("in/file", _lines({"id": {"s": "a"}}) + BAD_LINES[what] + _lines({"id": {"s": "b"}}))

    with pytest.raises(AirflowFailException, match=rf"{cloud.uri('in/file')}.*\b2\b"):
        _import(table, cloud.uri("in"))


def test_bad_records_can_be_kept_and_counted(cloud):
    table = cloud.create_table(sort_key=False)
    good = [{"id": {"s": f"good-{number}"}} for number in range(50)]
    lines = [_lines(item) for item in good]
    bad = list(BAD_LINES.values())
    for number, line in enumerate(bad):
        lines.insert(number * 5, line)
    cloud.put("in/file", b"".join(lines))
    cut = gzip.compress(
        _lines(*({"id": {"s": f"cut-{n}"}, "n": {"n": str(n)}} for n in range(999)))
    )
    cloud.put("in/truncated.gz", cut[: len(cut) // 2])
    result, _ = _import(
        table,
        cloud.uri("in"),
        on_error="dead_letter",
        dead_letter_s3_uri=cloud.uri("rejected"),
    )

    assert result["rejected"] == len(bad) + 1
    assert result["rejected_records"] == cloud.uri("rejected")
    rejected = [
        json.loads(line)
        for name in cloud.names("rejected/")
        for line in cloud.read(name).splitlines()
    ]
    assert len(rejected) == len(bad) + 1
    assert {entry["file"] for entry in rejected} == {
        cloud.uri("in/file"),
        cloud.uri("in/truncated.gz"),
    }
    assert sorted(
        entry["position"] for entry in rejected if entry["file"] == cloud.uri("in/file")
    ) == [1 + number * 5 for number in range(len(bad))]
    assert all(entry["reason"].startswith(entry["file"]) for entry in rejected)
    imported = {item["id"]["S"] for item in cloud.dynamodb.scan(TableName=table)["Items"]}
    assert {item["id"]["s"] for item in good} <= imported


def test_a_truncated_file_is_named_and_what_was_read_stays(cloud):
    table = cloud.create_table(sort_key=False)
    content = gzip.compress(
        _lines(*({"id": {"s": f"{n}"}, "x": {"s": "y" * n}} for n in range(999)))
    )
    cloud.put("in/file.gz", content[:-100])

    with pytest.raises(AirflowException, match=rf"{cloud.uri('in/file.gz')}"):
        _import(table, cloud.uri("in"))
    cloud.put("in/file.gz", content)
    result, _ = _import(table, cloud.uri("in"), attempt=2)

    assert result["items"] == 999
    assert len(cloud.items(table)) == 999


def test_a_missing_file_of_the_manifest_is_named_before_anything_is_written(cloud):
    source, table = cloud.create_table(sort_key=False), cloud.create_table(sort_key=False)
    cloud.fill(source, [{"id": {"S": str(number)}} for number in range(50)])
    _export(source, cloud.uri("in"))
    gone = next(name for name in cloud.names("in/") if not name.endswith("manifest"))
    cloud.s3.delete_object(Bucket=cloud.bucket, Key=gone)

    with pytest.raises(AirflowException, match=rf"names s3://{cloud.bucket}/{gone}"):
        _import(table, cloud.uri("in"))
    assert cloud.items(table) == []


def _copy(cloud, prefix, target):
    """Copy the objects below a prefix, with their metadata as every copy in S3 does."""
    for name in cloud.names(prefix):
        cloud.s3.copy_object(
            Bucket=cloud.bucket,
            Key=name.replace(prefix, target, 1),
            CopySource={"Bucket": cloud.bucket, "Key": name},
        )


def _exported(cloud, items=50, **arguments):
    table = cloud.create_table(sort_key=False)
    cloud.fill(table, [{"id": {"S": str(number)}} for number in range(items)])
    _export(table, cloud.uri("in"), **arguments)


def _data_files(cloud, prefix):
    return [name for name in cloud.names(prefix) if not name.endswith("manifest")]


def test_a_copied_export_is_read_where_it_was_copied_to(cloud):
    _exported(cloud)
    _copy(cloud, "in/", "copy/")
    for name in _data_files(cloud, "in/"):
        cloud.put(name, b"other content of the original\n")
    table = cloud.create_table(sort_key=False)
    result, _ = _import(table, cloud.uri("copy"))

    assert (result["items"], len(cloud.items(table))) == (50, 50)


def test_a_manifest_that_was_copied_alone_is_refused(cloud):
    _exported(cloud)
    _copy(cloud, "in/manifest", "copy/manifest")
    table = cloud.create_table(sort_key=False)

    with pytest.raises(AirflowException, match=rf"Import {cloud.uri('in/')} instead, or copy"):
        _import(table, cloud.uri("copy"))
    assert cloud.items(table) == []


def test_a_shortened_file_of_an_export_is_found_before_anything_is_written(cloud):
    _exported(cloud)
    longest = max(_data_files(cloud, "in/"), key=lambda name: len(cloud.read(name)))
    content = cloud.read(longest)
    cloud.put(longest, content[: content.rindex(b"\n", 0, -1) + 1])
    table = cloud.create_table(sort_key=False)

    for arguments in ({}, {"on_error": "dead_letter", "dead_letter_s3_uri": cloud.uri("bad")}):
        with pytest.raises(AirflowException, match=r"the export wrote [\d,]+ bytes to \d+ files, "):
            _import(table, cloud.uri("in"), **arguments)
    assert cloud.items(table) == []


def test_a_file_that_lost_a_record_but_no_byte_is_no_success(cloud):
    _exported(cloud)
    longest = max(_data_files(cloud, "in/"), key=lambda name: len(cloud.read(name)))
    content = cloud.read(longest)
    end = content.index(b"\n")
    cloud.put(longest, b" " * end + content[end:])
    table = cloud.create_table(sort_key=False)

    with pytest.raises(AirflowFailException, match="wrote 50 items, but its files hold 49 records"):
        _import(table, cloud.uri("in"))
    result, _ = _import(
        table,
        cloud.uri("in"),
        run="tolerant",
        on_error="dead_letter",
        dead_letter_s3_uri=cloud.uri("bad"),
    )
    (name,) = cloud.names("bad/")
    assert (result["items"], result["rejected"]) == (49, 1)
    assert json.loads(cloud.read(name))["file"] == cloud.uri("in/manifest")

    cloud.put(longest, content)
    result, _ = _import(table, cloud.uri("in"), attempt=2)
    assert (result["items"], len(cloud.items(table))) == (50, 50)


def test_lines_of_dynamodbs_own_export_are_recognised_under_another_name(cloud):
    table = cloud.create_table(sort_key=False)
    cloud.put("in/part-0", b'{"Item":{"id":{"S":"a"}}}\n')

    with pytest.raises(AirflowFailException, match="whose format is DYNAMODB_JSON"):
        _import(table, cloud.uri("in"))
    result, _ = _import(table, cloud.uri("in"), import_format="DYNAMODB_JSON")
    assert result["items"] == 1


def test_a_missing_bucket_for_rejected_records_is_found_before_anything_is_written(cloud):
    table = cloud.create_table(sort_key=False)
    cloud.put("in/file", _lines({"id": {"s": "a"}}))

    for argument in ("dead_letter_s3_uri", "checkpoint_s3_uri"):
        with pytest.raises(AirflowException, match="There is no bucket 'no-such-bucket'"):
            _import(
                table,
                cloud.uri("in"),
                on_error="dead_letter",
                **{"dead_letter_s3_uri": cloud.uri("bad"), argument: "s3://no-such-bucket/x"},
            )
    assert cloud.items(table) == []


def test_objects_behind_repeated_slashes_are_not_mixed_up(cloud):
    table = cloud.create_table(sort_key=False)
    cloud.put("dd//file", _lines({"id": {"s": "a"}}))

    for prefix in ("dd/", "dd//"):
        with pytest.raises(AirflowException, match=f"in its key, {cloud.uri('dd//file')}"):
            _import(table, cloud.uri(prefix))
    assert cloud.items(table) == []


def test_a_second_attempt_after_completion_writes_nothing(cloud):
    table = cloud.create_table(sort_key=False)
    cloud.put("in/file", _lines({"id": {"s": "a"}}))
    first, _ = _import(table, cloud.uri("in"))
    cloud.dynamodb.delete_item(TableName=table, Key={"id": {"S": "a"}})
    second, _ = _import(table, cloud.uri("in"), attempt=2)

    assert second == {**first, "already_imported": True}
    assert first["already_imported"] is False
    assert cloud.items(table) == []
    _import(table, cloud.uri("in"), run="another")
    assert len(cloud.items(table)) == 1


def test_a_task_that_was_cleared_after_its_success_imports_again(cloud):
    table = cloud.create_table(sort_key=False)
    cloud.put("in/file", _lines({"id": {"s": "a"}}))
    first, _ = _import(table, cloud.uri("in"))
    cloud.dynamodb.delete_item(TableName=table, Key={"id": {"S": "a"}})
    cleared, _ = _import(table, cloud.uri("in"), attempt=2, max_tries=3)
    retried, _ = _import(table, cloud.uri("in"), attempt=3, max_tries=3)

    assert cleared == first
    assert len(cloud.items(table)) == 1
    assert retried == {**first, "already_imported": True}


def test_progress_can_be_noted_elsewhere(cloud):
    table = cloud.create_table(sort_key=False)
    cloud.put("in/file", _lines({"id": {"s": "a"}}))
    _import(table, cloud.uri("in"), checkpoint_s3_uri=cloud.uri("progress"))

    assert cloud.names("in/") == ["in/file"]
    assert len(cloud.names("progress/_updraft/")) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table_name": "missing"}, "There is no table 'missing'"),
        ({"s3_uri": "s3://missing-bucket/x"}, "There is no bucket 'missing-bucket'"),
        ({"s3_uri": "nothing-there"}, "There is nothing to import below"),
    ],
)
def test_what_is_missing_is_named(cloud, change, message):
    arguments = {"table_name": cloud.create_table(), "s3_uri": "in"} | change
    uri = arguments["s3_uri"]
    with pytest.raises(AirflowException, match=message):
        _import(arguments["table_name"], uri if "://" in uri else cloud.uri(uri))
