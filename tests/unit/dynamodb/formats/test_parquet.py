"""Parquet files: typed columns, nothing lost, and those of other tools can be read."""

import datetime as dt
import decimal
import io
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.dynamodb.formats.strategies import (
    EVERY_TYPE,
    KEY_TYPES,
    decode,
    decoded_items,
    encode,
    item_lists,
    round_trip,
)
from updraft.dynamodb.formats import ItemFormatError, RejectedRecord, create_format

FORMAT = create_format("PARQUET", {"id": "S"})


def _table(content):
    return pq.read_table(io.BytesIO(content))


def _written(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def test_columns_have_fitting_types():
    items = [
        EVERY_TYPE | {"id": {"S": "a"}, "price": {"N": "1.25"}, "big": {"N": "9" * 30}},
        {"id": {"S": "b"}, "price": {"N": "1000"}, "big": {"N": "1"}},
    ]
    table = _table(encode(FORMAT, items))

    assert {field.name: str(field.type) for field in table.schema} == {
        "id": "string",
        "text": "string",
        "number": "int64",
        "binary": "binary",
        "texts": "list<element: string>",
        "numbers": "list<element: string>",
        "binaries": "list<element: binary>",
        "list": "string",
        "map": "string",
        "flag": "bool",
        "nothing": "bool",
        "price": "decimal128(38, 2)",
        "big": "decimal128(38, 0)",
        "_other_attributes": "string",
    }
    assert table.column("price").to_pylist() == [decimal.Decimal("1.25"), decimal.Decimal(1000)]
    assert table.column("_other_attributes").null_count == 2
    assert decoded_items(FORMAT, encode(FORMAT, items)) == items


def test_what_does_not_fit_its_column_is_kept_beside_it():
    items = [{"id": {"S": str(n)}, "n": {"N": str(n)}} for n in range(20)]
    odd = [
        {"id": {"S": "type"}, "n": {"S": "1"}},
        {"id": {"S": "null"}, "n": {"NULL": True}},
        {"id": {"S": "missing"}},
        {"id": {"S": "digits"}, "n": {"N": "9" * 38}},
        {"id": {"S": "fraction"}, "n": {"N": "1.5"}},
        {"id": {"S": "spelling"}, "n": {"N": "1E+2"}},
        {"id": {"S": "zeros"}, "n": {"N": "007"}},
        {
            "id": {"S": "new"},
            "n": {"N": "7"},
            "late": {"SS": ["x"]},
            "_other_attributes": {"S": ""},
        },
    ]
    content = encode(
        create_format("PARQUET", {"id": "S"}, {"schema": {"id": "string", "n": "int64"}}),
        items + odd,
    )
    others = _table(content).column("_other_attributes").to_pylist()

    assert others[:20] == [None] * 20
    assert [None if other is None else json.loads(other) for other in others[20:]] == [
        {"n": {"S": "1"}},
        {"n": {"NULL": True}},
        None,
        {"n": {"N": "9" * 38}},
        {"n": {"N": "1.5"}},
        {"n": {"N": "1E+2"}},
        {"n": {"N": "007"}},
        {"late": {"SS": ["x"]}, "_other_attributes": {"S": ""}},
    ]
    assert decoded_items(FORMAT, content) == items + odd


SCHEMA = {
    "id": "string",
    "range": "number",
    "a": "double",
    "b": "decimal(5,2)",
    "c": "binary_set",
    "d": "map",
    "e": "list",
    "f": "string_set",
    "g": "number_set",
    "h": "null",
    "i": "bool",
    "j": "binary",
    "k": "int64",
}


@given(item_lists)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip_with_a_schema(items):
    assert round_trip("PARQUET", items, KEY_TYPES, schema=SCHEMA) == items


@given(st.integers(-(10**38), 10**38), st.integers(-20, 20))
def test_numbers_are_exact_in_every_numeric_column(digits, exponent):
    text = format(decimal.Decimal(digits).scaleb(exponent, decimal.Context(prec=60)), "f")
    schema = {"id": "string", "a": "double", "b": "decimal(38,10)", "k": "int64", "n": "number"}
    item = {
        "id": {"S": "x"},
        "a": {"N": text},
        "b": {"N": text},
        "k": {"N": text},
        "n": {"N": text},
    }

    assert round_trip("PARQUET", [item], {"id": "S"}, schema=schema) == [item]


def test_decimal_columns_hold_what_their_digits_allow():
    schema = {"id": "string", "b": "decimal(5,2)"}
    fitting, not_fitting = ["999.99", "-0.01", "0", "100"], ["1000", "0.001", "1.50", "-0"]
    items = [{"id": {"S": t}, "b": {"N": t}} for t in fitting + not_fitting]
    content = encode(create_format("PARQUET", {"id": "S"}, {"schema": schema}), items)

    assert _table(content).column("b").null_count == len(not_fitting)
    assert decoded_items(FORMAT, content) == items


def test_row_groups_are_small():
    items = [{"id": {"S": str(n)}} for n in range(25_000)]
    large = [{"id": {"S": str(n)}, "a": {"S": f"{n:0300000}"}} for n in range(60)]

    assert pq.ParquetFile(io.BytesIO(encode(FORMAT, items))).num_row_groups == 3
    assert pq.ParquetFile(io.BytesIO(encode(FORMAT, large))).num_row_groups >= 2
    assert decoded_items(FORMAT, encode(FORMAT, items)) == items


def test_files_of_other_tools_are_read():
    table = pa.table(
        {
            "id": ["a", "b"],
            "int": pa.array([1, None], pa.uint64()),
            "float": pa.array([0.1, 1e22], pa.float64()),
            "single": pa.array([0.5, None], pa.float32()),
            "decimal": pa.array([decimal.Decimal("1.50"), None], pa.decimal256(50, 2)),
            "flag": [True, None],
            "bytes": pa.array([b"\x00\xff", None], pa.large_binary()),
            "list": pa.array([[1, None], []], pa.list_(pa.int8())),
            "struct": pa.array([{"x": "y", "n": None}, None]),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
            "time": pa.array([1_709_168_523_004_000, None], pa.timestamp("us")),
            "utc": pa.array([1_709_164_800_000, None], pa.timestamp("ms", "UTC")),
            "date": pa.array([dt.date(2024, 2, 29), None]),
            "category": pa.array(["x", None]).dictionary_encode(),
            "never": pa.nulls(2),
        }
    )

    assert decoded_items(FORMAT, _written(table)) == [
        {
            "id": {"S": "a"},
            "int": {"N": "1"},
            "float": {"N": "0.1"},
            "single": {"N": "0.5"},
            "decimal": {"N": "1.5"},
            "flag": {"BOOL": True},
            "bytes": {"B": "AP8="},
            "list": {"L": [{"N": "1"}, {"NULL": True}]},
            "struct": {"M": {"x": {"S": "y"}}},
            "map": {"M": {"k": {"N": "1"}}},
            "time": {"S": "2024-02-29T01:02:03.004000"},
            "utc": {"S": "2024-02-29T00:00:00+00:00"},
            "date": {"S": "2024-02-29"},
            "category": {"S": "x"},
        },
        {"id": {"S": "b"}, "float": {"N": "10000000000000000000000"}, "list": {"L": []}},
    ]


def test_nanoseconds_are_read():
    times = [1_709_168_523_123_456_789, None]
    table = pa.table(
        {
            "t": pa.array(times, pa.timestamp("ns")),
            "utc": pa.array(times, pa.timestamp("ns", "UTC")),
        }
    )

    assert decoded_items(FORMAT, _written(table)) == [
        {
            "t": {"S": "2024-02-29T01:02:03.123456789"},
            "utc": {"S": "2024-02-29T01:02:03.123456789+00:00"},
        },
        {},
    ]


def test_nanoseconds_within_lists_are_an_error_rather_than_rounded():
    values = pa.array([[1_709_168_523_123_456_789]], pa.list_(pa.timestamp("ns")))

    with pytest.raises(ItemFormatError, match=r"timestamp\[ns\]"):
        decode(FORMAT, _written(pa.table({"id": values})))


def test_a_tool_that_drops_the_metadata_leaves_the_values_readable():
    table = _table(encode(FORMAT, [EVERY_TYPE | {"id": {"S": "a"}}]))
    bare = pa.table([column.combine_chunks() for column in table.columns], names=table.column_names)

    (item,) = decoded_items(FORMAT, _written(bare))

    assert item["texts"] == {"L": [{"S": "a"}]}
    assert item["number"] == {"N": "5"}
    assert item["binary"] == {"B": "AP8="}


def test_a_tool_that_changes_a_type_but_keeps_the_metadata_is_understood():
    field = pa.field("b", pa.string(), metadata={"dynamodb_type": "B"})
    table = pa.table([["AP8="]], schema=pa.schema([field]))

    assert decoded_items(FORMAT, _written(table)) == [{"b": {"S": "AP8="}}]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([1.0, float("nan"), 2.0]), "attribute a: DynamoDB has no such number: nan"),
        (pa.array([1.0, float("-inf"), 2.0]), "DynamoDB has no such number: -inf"),
        (
            pa.array([[("k", 1)], [("k", 1), ("k", 2)], []], pa.map_(pa.string(), pa.int32())),
            "one map names a member twice",
        ),
    ],
)
def test_rows_that_are_no_items_are_rejected(values, message):
    table = pa.table({"id": ["a", "b", "c"], "a": values})
    first, rejected, last = decode(FORMAT, _written(table))

    assert type(rejected) is RejectedRecord
    assert rejected.position == 2
    assert re.search(f"s3://bucket/file.parquet, row 2: .*{message}", rejected.reason)
    assert b'"b"' in rejected.content
    assert (first.position, last.position) == (1, 3)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("{", "it is no JSON"),
        ('{"id":{"S":"x"}}', "_other_attributes repeats a column: 'id'"),
        ('{"a":{"X":"x"}}', "attribute a: unknown type key"),
    ],
)
def test_damaged_other_attributes_are_rejected(other, message):
    table = pa.table({"id": ["a"], "_other_attributes": [other]})

    assert message in decode(FORMAT, _written(table))[0].reason


def test_what_is_no_parquet_file_is_refused():
    whole = encode(FORMAT, [{"id": {"S": "a" * 1_000}}])
    for content in (b"", b"id,a\n", whole[:-10], whole[:100]):
        with pytest.raises(ItemFormatError, match=r"s3://bucket/file\.parquet: no Parquet"):
            decode(FORMAT, content)


def test_damaged_pages_are_refused():
    content = bytearray(encode(FORMAT, [{"id": {"S": f"{n:050}"}} for n in range(20_000)]))
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)

    with pytest.raises(ItemFormatError, match=r"s3://bucket/file\.parquet: .*CRC"):
        decode(FORMAT, bytes(content))


def test_types_that_dynamodb_does_not_have_are_named():
    table = pa.table({"id": ["a"], "took": pa.array([1], pa.duration("s"))})

    with pytest.raises(ItemFormatError, match="'took' has the type duration"):
        decode(FORMAT, _written(table))


def test_columns_of_one_name_are_refused():
    table = pa.table([["a"], ["b"]], names=["id", "id"])

    with pytest.raises(ItemFormatError, match="two columns have the name 'id'"):
        decode(FORMAT, _written(table))


def test_what_cannot_be_written_is_an_error():
    for item in ({"a": {"S": "\ud800"}}, {"a": {"S": 5}}, {"a": "x"}, {"a": {"S": "", "N": ""}}):
        with pytest.raises(ItemFormatError, match="not in the form"):
            encode(FORMAT, [{"id": {"S": "x"}} | item])
