"""The legacy file format: it looks as the legacy tool's did, and whatever that wrote is read."""

import bz2
import gzip
import io
import json
import re
import zlib

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.dynamodb.formats.strategies import (
    EVERY_TYPE,
    decode,
    decoded_items,
    encode,
    item_lists,
    items,
    only_rejection,
)
from updraft.dynamodb.formats import ItemFormatError, RejectedRecord, create_format

FORMAT = create_format("DATA_PIPELINE", {"id": "S"})
GOOD = b'{"good":{"s":"x"}}\n'

# Byte for byte what the legacy tool wrote for EVERY_TYPE.
LEGACY_LINE = (
    b'{"text":{"s":"x"},"number":{"n":"5"},"binary":{"b":"AP8="},"texts":{"sS":["a"]},'
    b'"numbers":{"nS":["1"]},"binaries":{"bS":["eg=="]},"list":{"l":[{"n":"1"}]},'
    b'"map":{"m":{"inner":{"s":""}}},"flag":{"bOOL":true},"nothing":{"nULL":true}}\n'
)


def test_a_line_is_byte_for_byte_what_the_legacy_tool_wrote():
    assert encode(FORMAT, [EVERY_TYPE]) == LEGACY_LINE
    assert decoded_items(FORMAT, LEGACY_LINE) == [EVERY_TYPE]


@given(items)
def test_a_line_stays_one_line_for_readers_that_split_at_unicode_separators(item):
    line = encode(FORMAT, [item]).decode()[:-1]

    assert not set(line) & set("\n\r\u2028\u2029")


@given(items, st.randoms())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_type_keys_are_read_in_any_casing(item, random):
    def recase(value):
        ((key, payload),) = value.items()
        if key == "M":
            payload = {name: recase(member) for name, member in payload.items()}
        if key == "L":
            payload = [recase(member) for member in payload]
        return {random.choice([key, key.lower(), key.swapcase(), key.title()]): payload}

    line = json.dumps({name: recase(value) for name, value in item.items()}).encode()

    assert decoded_items(FORMAT, line) == [item]


def test_text_is_written_as_utf_8():
    assert encode(FORMAT, [{"n": {"S": "Zürich 😀"}}]) == '{"n":{"s":"Zürich 😀"}}\n'.encode()


def test_half_a_surrogate_pair_is_written_with_an_escape_and_read_as_an_error():
    content = encode(FORMAT, [{"n": {"S": "\ud800"}}])

    assert content == b'{"n":{"s":"\\ud800"}}\n'
    assert "half a surrogate pair" in decode(FORMAT, content)[0].reason


def test_escapes_of_gson_are_read():
    content = b'{"a":{"s":"\\u003ca href\\u003d\\u0027x\\u0027\\u003e \\ud83d\\ude00 \\/"}}'

    assert decoded_items(FORMAT, content) == [{"a": {"S": "<a href='x'> 😀 /"}}]


def test_null_of_the_first_sdk_releases_is_read():
    assert decoded_items(FORMAT, b'{"a":{"nULLValue":true}}') == [{"a": {"NULL": True}}]


@pytest.mark.parametrize(
    "number",
    ["12345678901234567890123456789012345678", "1.50", "-0", "1E+125", "0.1e-7", "9" * 38],
)
def test_numbers_without_quotes_keep_their_digits(number):
    content = f'{{"a":{{"n":{number}}},"l":{{"l":[{{"nS":[{number},"1"]}}]}}}}'.encode()

    assert decoded_items(FORMAT, content) == [
        {"a": {"N": number}, "l": {"L": [{"NS": [number, "1"]}]}}
    ]


def test_empty_lines_and_line_ends_of_windows_are_read():
    content = b'\n{"a":{"s":"x"}}\r\n \t\r\n\r\n{ "a" : {"s":"y"} }  '

    assert [(r.position, r.item["a"]["S"]) for r in decode(FORMAT, content)] == [(2, "x"), (5, "y")]


def test_byte_order_mark_is_dropped():
    assert decoded_items(FORMAT, b"\xef\xbb\xbf" + GOOD) == [{"good": {"S": "x"}}]


def test_lines_of_hive_exports_are_read():
    content = (
        b'id\x03{"s":"Seattle"}\x02scores\x03{"nS":["100","30","45"]}\n'
        b'a b\x03{"n":5}\x02m\x03{"m":{"x":{"sS":["\xc3\xa9"]}}}\n'
    )

    assert decoded_items(FORMAT, content) == [
        {"id": {"S": "Seattle"}, "scores": {"NS": ["100", "30", "45"]}},
        {"a b": {"N": "5"}, "m": {"M": {"x": {"SS": ["é"]}}}},
    ]


BAD_LINES = [
    pytest.param(b"hello", "neither a JSON object nor attributes", id="text"),
    pytest.param(b"[]", "neither a JSON object", id="array"),
    pytest.param(b"id\x03{...}", "attribute id: it is no JSON", id="hive-no-json"),
    pytest.param(
        b'a\x03{"s":"x"}\x02a\x03{"s":"y"}', "names this attribute twice: 'a'", id="hive-2"
    ),
    pytest.param(b'\xff\x03{"s":"x"}', "attribute name is no UTF-8", id="hive-no-utf-8"),
    pytest.param(b'{"a":{"s":"x"}', "is no JSON", id="truncated"),
    pytest.param(b'{"a":{"s":"\xff"}}', "is no JSON", id="no-utf-8"),
    pytest.param(b'{"a":{"s":"x\x01"}}', "is no JSON", id="control-character"),
    pytest.param(b'{"a":{"n":NaN}}', "NaN is no JSON number", id="nan"),
    pytest.param(b'{"a":' * 100_000, "is no JSON|recursion", id="too-deep"),
    pytest.param(b'{"a":{"str":"x"}}', "attribute a: unknown type key.*'str'", id="unknown-key"),
    pytest.param(b'{"a":"x"}', "attribute a: expected one type key", id="no-type"),
    pytest.param(b'{"a":{}}', "attribute a: expected one type key", id="empty"),
    pytest.param(b'{"a":{"s":"x","n":"1"}}', "expected one type key", id="two-types"),
    pytest.param(b'{"a":{"s":5}}', "type S takes text: 5", id="number-as-text"),
    pytest.param(b'{"a":{"s":null}}', "type S takes text: None", id="null-as-text"),
    pytest.param(b'{"a":{"m":{"b":{"l":[{"n":true}]}}}}', r"attribute a\.b\[0\]: ", id="path"),
    pytest.param(b'{"a":{"b":"***"}}', "no base64", id="no-base64"),
    pytest.param(b'{"a":{"b":"AAA"}}', "no base64", id="no-padding"),
    pytest.param(b'{"a":{"bS":["AA==",5]}}', "binary value is base64", id="set-of-no-binaries"),
    pytest.param(b'{"a":{"sS":["x",1]}}', "members of a set", id="set-of-numbers"),
    pytest.param(b'{"a":{"bOOL":"true"}}', "type BOOL takes true or false", id="no-boolean"),
    pytest.param(b'{"a":{"s":"x"},"a":{"s":"y"}}', "names this twice: 'a'", id="duplicate"),
    pytest.param(b'{"a":{"m":{"b":{"n":1e9},"b":{"n":"1"}}}}', "twice: 'b'", id="duplicate-inside"),
    pytest.param(
        b'{"Item":{"id":{"S":"a"}}}', "like a record of .* --format DYNAMODB_JSON", id="export"
    ),
    pytest.param(
        b'{"Metadata":{},"Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"},"n":{"N":"1"}}}',
        "like a record of .*import_format='DYNAMODB_JSON'",
        id="incremental-export",
    ),
    pytest.param(b'{"Item":{"x":"a"},"n":{"n":"1"}}', "Item: unknown type key", id="no-export"),
    pytest.param(b'{"a":{"n":1e9,"n":"1"}}', "twice: 'n'", id="duplicate-type"),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES)
def test_a_bad_line_is_rejected_by_file_and_number_and_reading_goes_on(line, message):
    rejected = only_rejection(FORMAT, GOOD + line + b"\n" + GOOD, "s3://bucket/file")

    assert type(rejected) is RejectedRecord
    assert rejected.position == 2
    assert rejected.content == line
    assert rejected.reason.startswith("s3://bucket/file, line 2: ")
    assert len(rejected.reason) < 500
    assert re.search(message, rejected.reason)


@given(item_lists, st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_name_that_stands_twice_is_always_found(original, data):
    """The fast path compares lengths; whatever else is in the line must not hide a duplicate."""
    line = encode(FORMAT, original[:1])[:-2]
    name = json.dumps(data.draw(st.sampled_from(sorted(original[0]))), ensure_ascii=False)
    number = data.draw(st.sampled_from(['"1"', "1", "1e5", "1E5", "12345678901234567890123"]))
    content = line + f',{name}:{{"n":{number}}}}}\n'.encode()

    (record,) = decode(FORMAT, content)

    assert type(record) is RejectedRecord
    assert "names this twice" in record.reason


@pytest.mark.parametrize(
    "item",
    [
        {"a": {"N": 1j}},
        {"a": {"B": b"raw"}},
        {"a": {"X": "1"}},
        {"a": {"S": "1", "N": "1"}},
        {"a": "1"},
        {"a": {"L": [{}]}},
    ],
)
def test_a_value_that_dynamodb_does_not_have_is_not_written(item):
    with pytest.raises(ItemFormatError):
        encode(FORMAT, [item])


COMPRESSIONS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".deflate": zlib.compress,
    ".zst": lambda content: pa.compress(content, "zstd", asbytes=True),
}
COUNT = 50_000
LINES = b"".join(b'{"a":{"n":"%d"}}\n' % number for number in range(COUNT))


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_compressed_files_are_read_by_their_suffix(suffix):
    compress = COMPRESSIONS[suffix]
    half = len(LINES) // 2
    members = compress(LINES[:half]) + compress(LINES[half:])

    for content in (compress(LINES), members):
        records = decode(FORMAT, content, f"s3://b/f{suffix}")
        assert len(records) == COUNT
        assert records[-1].item == {"a": {"N": str(COUNT - 1)}}


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_file_that_breaks_off_is_an_error_after_its_good_lines(suffix):
    content = COMPRESSIONS[suffix](LINES)
    stored = io.BytesIO(content[: len(content) * 9 // 10])
    records = []

    with pytest.raises(ItemFormatError, match="damaged or breaks off here") as error:
        records.extend(FORMAT.decode(stored, f"s3://b/f{suffix}"))

    count = len(records)
    assert [record.item["a"]["N"] for record in records] == [str(n) for n in range(count)]
    assert str(error.value).startswith(f"s3://b/f{suffix}, line {count + 1}: ")
    if suffix != ".bz2":  # its blocks are larger than this file
        assert count > 1_000


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("damage", [b"", b"no such compression", b"\x00" * 100])
def test_what_is_not_compressed_as_its_name_says_is_an_error(suffix, damage):
    with pytest.raises(ItemFormatError, match=f"s3://b/f{suffix}, line 1: "):
        decode(FORMAT, damage, f"s3://b/f{suffix}")


def test_damage_in_the_middle_is_an_error():
    content = bytearray(gzip.compress(LINES))
    content[len(content) // 2] ^= 0xFF

    with pytest.raises(ItemFormatError, match=r"s3://b/f.gz, line \d+: .*damaged"):
        decode(FORMAT, bytes(content), "s3://b/f.gz")


@pytest.mark.parametrize("suffix", [".snappy", ".lz4", ".lzo", ".lzo_deflate", ".zip"])
def test_compressions_that_are_not_supported_are_named(suffix):
    with pytest.raises(ItemFormatError, match=f"s3://b/f{suffix}: files that end with {suffix} "):
        decode(FORMAT, b"x", f"s3://b/f{suffix}")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(GOOD), "gzip; its name has to end with .gz"),
        (bz2.compress(GOOD), "bzip2"),
        (pa.compress(GOOD, "zstd", asbytes=True), "Zstandard"),
        (b"PAR1\x15\x00", "Parquet"),
    ],
    ids=["gzip", "bzip2", "zstd", "parquet"],
)
def test_a_file_that_is_something_else_than_its_name_says_is_refused(content, what):
    with pytest.raises(ItemFormatError, match=what):
        decode(FORMAT, content, "s3://b/f")


def test_an_endless_line_is_refused_before_it_fills_the_memory():
    with pytest.raises(ItemFormatError, match="line 2: there is no line end"):
        decode(FORMAT, GOOD + b"x" * 20_000_000, "s3://b/f")


def test_errors_of_the_storage_stay_what_they_are():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        list(FORMAT.decode(Broken(), "s3://b/f"))
