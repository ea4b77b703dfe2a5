"""Every format gives back what was written, whatever it is."""

import base64
import io
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.dynamodb.formats.strategies import (
    EVERY_TYPE,
    decoded_items,
    encode,
    item_lists,
    items,
    round_trip,
)
from updraft.dynamodb.formats import FORMAT_NAMES, create_format
from updraft.dynamodb.formats.canonical_numbers import canonical_number
from updraft.errors import UpdraftError

every_format = pytest.mark.parametrize("name", FORMAT_NAMES)


def _with_canonical_numbers(value):
    ((key, payload),) = value.items()
    if key == "N":
        return {key: canonical_number(payload)}
    if key == "NS":
        return {key: [canonical_number(member) for member in payload]}
    if key == "L":
        return {key: [_with_canonical_numbers(member) for member in payload]}
    if key == "M":
        return {key: {n: _with_canonical_numbers(member) for n, member in payload.items()}}
    return value


def _comparable(name, item):
    """Ion has decimals where the others have the text of a number."""
    if name != "ION":
        return item
    return {attribute: _with_canonical_numbers(value) for attribute, value in item.items()}


@every_format
@given(original=item_lists)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip_keeps_every_type_digit_and_character(name, original):
    assert [_comparable(name, item) for item in round_trip(name, original)] == original


@every_format
@given(items)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_writing_twice_gives_the_same_bytes(name, item):
    item_format = create_format(name, {"id": "S", "range": "N"})

    assert encode(item_format, [item]) == encode(item_format, [item])


@every_format
def test_one_attribute_of_each_type(name):
    assert round_trip(name, [EVERY_TYPE], {"text": "S"}) == [EVERY_TYPE]


@every_format
def test_items_of_400_kb(name):
    large = [
        {"id": {"S": "text"}, "a": {"S": "é" * 200_000}},
        {"id": {"S": "binary"}, "a": {"B": base64.b64encode(bytes(range(256)) * 1_590).decode()}},
        {"id": {"S": "quotes"}, "a": {"S": '"\n' * 200_000}},
        {"id": {"S": "list"}, "a": {"L": [{"N": str(n)} for n in range(60_000)]}},
        {"id": {"S": "attributes"}, **{f"attribute-{n}": {"S": "x"} for n in range(20_000)}},
    ]

    assert round_trip(name, large, {"id": "S"}) == large


@every_format
def test_32_levels_of_nesting(name):
    value = {"S": "deep"}
    for level in range(32):
        value = {"M": {"m": value}} if level % 2 else {"L": [value]}
    item = {"id": {"S": "a"}, "nested": value}

    assert round_trip(name, [item], {"id": "S"}) == [item]


@every_format
def test_many_items_go_out_in_pieces(name):
    def endless():
        number = 0
        while True:
            taken.append(number)
            content = {"S": base64.b64encode(number.to_bytes(8, "big") * 30).decode()}
            yield {"id": {"S": str(number)}, "content": content}
            number += 1

    taken = []
    item_format = create_format(name, {"id": "S"})
    pieces = (piece for piece in item_format.encode(endless()) if len(piece) > 100)
    next(pieces)

    assert len(taken) <= 25_000


@every_format
def test_positions_grow(name):
    item_format = create_format(name, {"id": "S"})
    content = encode(item_format, [{"id": {"S": f"line\n{n}"}} for n in range(50)])
    records = item_format.decode(io.BytesIO(content), f"s3://b/f{item_format.file_suffix}")
    positions = [record.position for record in records]

    assert positions == sorted(set(positions))
    assert positions[0] >= 1


@pytest.mark.parametrize("compression", ["NONE", "GZIP", "ZSTD"])
@pytest.mark.parametrize("name", ["DYNAMODB_JSON", "DYNAMODB_JSON_LINES", "ION", "CSV"])
@given(original=st.lists(items, min_size=1, max_size=3))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_compressions(name, compression, original):
    copies = round_trip(name, original, compression=compression)

    assert [_comparable(name, item) for item in copies] == original


def test_suffixes():
    suffixes = {name: create_format(name, {}).file_suffix for name in FORMAT_NAMES}

    assert suffixes == {
        "DATA_PIPELINE": "",
        "DYNAMODB_JSON": ".json.gz",
        "DYNAMODB_JSON_LINES": ".jsonl",
        "ION": ".ion.gz",
        "CSV": ".csv",
        "PARQUET": ".parquet",
    }
    assert create_format("CSV", {}, {"compression": "GZIP"}).file_suffix == ".csv.gz"


def test_an_empty_file_has_no_items():
    for name in set(FORMAT_NAMES) - {"PARQUET"}:
        item_format = create_format(
            name, {}, {} if name == "DATA_PIPELINE" else {"compression": "NONE"}
        )
        assert decoded_items(item_format, b"") == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("PARKET", {}, "format: 'PARKET' is unknown; did you mean 'PARQUET'"),
        ("csv", {}, "did you mean 'CSV'"),
        ("CSV", {"delimeter": ";"}, "option of the format CSV: 'delimeter'.*'delimiter'"),
        ("CSV", {"delimiter": ";;"}, "delimiter: ';;'"),
        ("CSV", {"columns": ["a", "a"]}, "columns: .*each of them once"),
        ("CSV", {"columns": ["a"]}, "columns: the key attribute 'id' is missing"),
        ("CSV", {"columns": ["id", "_other_attributes"]}, "columns: '_other_attributes'"),
        ("CSV", {"attribute_types": {"a": "n"}}, "attribute_types, a: 'n'.*'N'"),
        ("CSV", {"attribute_types": ["a"]}, "attribute_types: .*mapping"),
        ("ION", {"compression": "gzip"}, "compression: 'gzip'.*'GZIP'"),
        ("DATA_PIPELINE", {"compression": "GZIP"}, "option of the format DATA_PIPELINE"),
        ("PARQUET", {"schema": {"id": "strng"}}, "schema, id: 'strng'.*'string'"),
        ("PARQUET", {"schema": {"a": "string"}}, "schema: the key attribute 'id' is missing"),
        ("PARQUET", {"schema": {"id": "int64"}}, "schema, id: 'int64' cannot hold keys"),
        ("PARQUET", {"schema": {"id": "string", "a": "decimal(39,1)"}}, "1 to 38 digits"),
        ("PARQUET", {"schema": {"id": "string", "a": "decimal(3,4)"}}, "1 to 38 digits"),
    ],
)
def test_wrong_names_and_options_are_refused_with_the_nearest_right_one(name, options, message):
    with pytest.raises(UpdraftError, match=message):
        create_format(name, {"id": "S"}, options)


def test_creating_formats_loads_no_heavy_library():
    program = (
        "import sys; from updraft.dynamodb.formats import FORMAT_NAMES, create_format\n"
        "for name in FORMAT_NAMES: create_format(name, {'id': 'S'})\n"
        "print([m for m in ('pyarrow', 'amazon.ion', 'boto3', 'airflow') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert found.stdout.strip() == "[]"
