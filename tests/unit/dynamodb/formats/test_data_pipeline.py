"""The legacy file format: what is written can be read, and it looks as the legacy tool's did."""

import base64
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.dynamodb.formats import ITEM_FORMATS, ItemFormatError
from updraft.dynamodb.formats.data_pipeline import encode_item

FORMAT = ITEM_FORMATS["DATA_PIPELINE"]

# DynamoDB's text is UTF-8, which has no lone surrogates.
text = st.text(st.characters(exclude_categories=("Cs",)))
names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=19).map(str) | st.integers(
    -(10**38) + 1, 10**38 - 1
).map(str)


def _sets(members):
    return st.lists(members, min_size=1, max_size=4, unique=True)


scalars = st.one_of(
    st.fixed_dictionaries({"S": text}),
    st.fixed_dictionaries({"N": numbers}),
    st.fixed_dictionaries({"B": st.binary(max_size=50)}),
    st.fixed_dictionaries({"SS": _sets(text)}),
    st.fixed_dictionaries({"NS": _sets(numbers)}),
    st.fixed_dictionaries({"BS": _sets(st.binary(max_size=20))}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.fixed_dictionaries({"NULL": st.just(True)}),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=4)}),
        st.fixed_dictionaries({"M": st.dictionaries(names, inner, max_size=4)}),
    ),
    max_leaves=10,
)
items = st.dictionaries(names, values, min_size=1, max_size=6)


def _decode(content, source="s3://bucket/file"):
    return list(FORMAT.decode(io.BytesIO(content), source))


@given(st.lists(items, max_size=5))
def test_round_trip_keeps_every_type_and_digit(original):
    content = b"".join(FORMAT.encode(original))

    assert _decode(content) == original
    assert content.count(b"\n") == len(original)


@given(items)
def test_a_line_stays_one_line_for_readers_that_split_at_unicode_separators(item):
    line = encode_item(item).decode()[:-1]

    assert "\n" not in line
    assert "\r" not in line
    assert "\u2028" not in line
    assert "\u2029" not in line


@given(items, st.randoms())
def test_type_keys_are_read_in_any_casing(item, random):
    def recase(value):
        ((key, payload),) = value.items()
        if key == "M":
            payload = {name: recase(member) for name, member in payload.items()}
        if key == "L":
            payload = [recase(member) for member in payload]
        if key == "B":
            payload = base64.b64encode(payload).decode()
        if key == "BS":
            payload = [base64.b64encode(member).decode() for member in payload]
        return {random.choice([key, key.lower(), key.swapcase()]): payload}

    line = json.dumps({name: recase(value) for name, value in item.items()}).encode()

    assert _decode(line) == [item]


def test_a_line_is_byte_for_byte_what_the_legacy_tool_wrote():
    item = {
        "text": {"S": "x"},
        "number": {"N": "5"},
        "binary": {"B": b"\x00\xff"},
        "texts": {"SS": ["a"]},
        "numbers": {"NS": ["1"]},
        "binaries": {"BS": [b"z"]},
        "list": {"L": [{"N": "1"}]},
        "map": {"M": {"inner": {"S": ""}}},
        "flag": {"BOOL": True},
        "nothing": {"NULL": True},
    }

    assert encode_item(item) == (
        b'{"text":{"s":"x"},"number":{"n":"5"},"binary":{"b":"AP8="},"texts":{"sS":["a"]},'
        b'"numbers":{"nS":["1"]},"binaries":{"bS":["eg=="]},"list":{"l":[{"n":"1"}]},'
        b'"map":{"m":{"inner":{"s":""}}},"flag":{"bOOL":true},"nothing":{"nULL":true}}\n'
    )


def test_text_is_written_as_utf_8():
    assert encode_item({"n": {"S": "Zürich 😀"}}) == '{"n":{"s":"Zürich 😀"}}\n'.encode()


def test_binary_that_is_base64_already_is_written_as_it_is():
    assert encode_item({"b": {"B": "AP8="}}) == encode_item({"b": {"B": b"\x00\xff"}})


def test_null_of_the_first_sdk_releases_is_read():
    assert _decode(b'{"a":{"nULLValue":true}}') == [{"a": {"NULL": True}}]


def test_number_without_quotes_keeps_its_digits():
    digits = "12345678901234567890123456789012345678"

    assert _decode(b'{"a":{"n":%s}}' % digits.encode()) == [{"a": {"N": digits}}]


def test_empty_lines_are_no_items():
    assert _decode(b'\n{"a":{"s":"x"}}\n\n') == [{"a": {"S": "x"}}]


def test_a_value_that_dynamodb_does_not_have_is_refused():
    with pytest.raises(ItemFormatError, match="complex is no attribute value"):
        encode_item({"a": {"N": 1j}})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(b"id\x03{...}", "does not start with '{'", id="hive-era"),
        pytest.param(b'{"a":{"s":"x"}', "is no JSON", id="truncated"),
        pytest.param(b'{"a":{"s":"\xff"}}', "is no JSON", id="no-utf-8"),
        pytest.param(b'{"a":{"str":"x"}}', "unknown type key.*'str'", id="unknown-key"),
        pytest.param(b'{"a":"x"}', "attribute a: expected one type key", id="no-type"),
        pytest.param(b'{"a":{"s":"x","n":"1"}}', "expected one type key", id="two-types"),
        pytest.param(b'{"a":{"m":{"b":{"l":[{"n":true}]}}}}', r"attribute a\.b\[0\]", id="path"),
        pytest.param(b'{"a":{"b":"***"}}', "no base64", id="no-base64"),
        pytest.param(b'{"a":{"nS":[1]}}', "members of a set", id="set-of-numbers"),
        pytest.param(b'{"a":{"s":"x"},"a":{"s":"y"}}', "one attribute twice", id="duplicate"),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(line, message):
    with pytest.raises(ItemFormatError, match=message) as error:
        _decode(b'{"good":{"s":"x"}}\n' + line)

    assert str(error.value).startswith("s3://bucket/file, line 2: ")
