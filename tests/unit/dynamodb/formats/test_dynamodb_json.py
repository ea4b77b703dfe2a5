"""DynamoDB's own JSON: native exports, full and incremental, and bare items."""

import gzip
import json
import re

import pytest

from tests.unit.dynamodb.formats.strategies import (
    EVERY_TYPE,
    decode,
    decoded_items,
    encode,
    only_rejection,
)
from updraft.dynamodb.formats import ItemFormatError, create_format

NATIVE = create_format("DYNAMODB_JSON", {"id": "S"})
LINES = create_format("DYNAMODB_JSON_LINES", {"id": "S"})
PLAIN = "s3://b/f.json"


def test_native_lines_are_those_of_the_documentation():
    content = gzip.decompress(encode(NATIVE, [{"Id": {"N": "103"}, "T": {"SS": ["a"]}}] * 2))

    assert content == b'{"Item":{"Id":{"N":"103"},"T":{"SS":["a"]}}}\n' * 2


def test_bare_items():
    assert (
        encode(LINES, [EVERY_TYPE])
        == json.dumps(EVERY_TYPE, separators=(",", ":")).encode() + b"\n"
    )


def test_gzip_has_no_time_in_it():
    assert encode(NATIVE, [EVERY_TYPE])[4:8] == bytes(4)


@pytest.mark.parametrize(
    "metadata",
    [
        '{"WriteTimestampMicros":{"N":"1680109764000000"}}',
        '{"WriteTimestampMicros":"1680109764000000"}',
        '{"WriteTimestampMicros":1680109764000000}',
        '{"WriteTimestampMicros":1.680109764e15}',
    ],
)
def test_records_of_an_incremental_export(metadata):
    key, old, new = '{"id":{"S":"a"}}', '{"id":{"S":"a"}}', '{"id":{"S":"a"},"n":{"N":"1"}}'
    lines = [
        f'{{"Metadata":{metadata},"Keys":{key},"NewImage":{new}}}',
        f'{{"Metadata":{metadata},"Keys":{key},"OldImage":{old},"NewImage":{new}}}',
        f'{{"Metadata":{metadata},"Keys":{key},"OldImage":{old}}}',
        f'{{"Metadata":{metadata},"Keys":{key}}}',
    ]

    records = decode(NATIVE, "\n".join(lines).encode(), PLAIN)

    put = {"id": {"S": "a"}, "n": {"N": "1"}}
    assert [(record.item, record.deleted) for record in records] == [
        (put, False),
        (put, False),
        ({"id": {"S": "a"}}, True),
        ({"id": {"S": "a"}}, True),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id":{"S":"a"}}', "neither Item nor Keys.*DYNAMODB_JSON_LINES"),
        ('{"Item":{"id":{"s":"a"}}}', "attribute id: unknown type key; the known ones are S N B"),
        ('{"Item":{"id":{"N":5}}}', "attribute id: a number is text, with quotes: 5"),
        ('{"Item":{"id":{"NS":["1",5]}}}', "a number is text"),
        ('{"Item":[]}', "expected an object with attributes"),
        ('{"Item":{},"Item":{}}', "names this twice: 'Item'"),
        ('{"Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"b"}}}', "Keys differ from the key"),
        ('{"Keys":{"id":{"S":"a"}},"Image":{}}', "unknown member of a record: 'Image'"),
        ('{"Keys":{"id":{"S":"a"}},"Metadata":5}', "Metadata is an object"),
        (
            '{"Metadata":{"a":{"b":1e5}},"Keys":{"id":{"S":"a"}},"Keys":{"id":{"S":"b"}}}',
            "names this twice: 'Keys'",
        ),
        ("{", "is no JSON"),
    ],
)
def test_bad_lines_are_rejected(line, message):
    good = b'{"Item":{"id":{"S":"a"}}}\n'
    rejected = only_rejection(NATIVE, good + line.encode() + b"\n" + good, PLAIN)

    assert rejected.position == 2
    assert rejected.content == line.encode()
    assert re.search(message, rejected.reason)
    assert rejected.reason.startswith(f"{PLAIN}, line 2: ")


def test_bare_items_in_place_of_records_are_rejected():
    reason = decode(LINES, b'{"Item":{"id":{"S":"a"}}}')[0].reason

    assert "looks like a record of a DynamoDB export, whose format is DYNAMODB_JSON" in reason


def test_an_attribute_may_have_the_name_of_a_record():
    line = b'{"Item":{"S":"a"}}'

    assert decoded_items(LINES, line) == [{"Item": {"S": "a"}}]


def test_spaces_and_superfluous_escapes_are_read():
    content = b'{ "Item" : { "\\u0069d" : { "S" : "a\\/b" } } }'

    assert decoded_items(NATIVE, content, PLAIN) == [{"id": {"S": "a/b"}}]


def test_equal_binaries_become_equal_texts():
    assert decoded_items(LINES, b'{"b":{"B":"AP9="}}') == [{"b": {"B": "AP8="}}]


def test_half_a_surrogate_pair_is_written_with_an_escape():
    assert encode(LINES, [{"a": {"S": "\udc00é"}}]) == b'{"a":{"S":"\\udc00\\u00e9"}}\n'


def test_bytes_are_not_written():
    with pytest.raises(ItemFormatError, match="base64 text"):
        encode(NATIVE, [{"a": {"B": b"x"}}])
