"""Items as DynamoDB sends them, for property tests."""

import base64
import io

from hypothesis import strategies as st

from updraft.dynamodb.formats import ItemRecord, create_format
from updraft.dynamodb.formats.canonical_numbers import canonical_number

KEY_TYPES = {"id": "S", "range": "N"}

# DynamoDB's text is UTF-8, which has no lone surrogates. The sampled ones have meaning somewhere.
_characters = st.characters(exclude_categories=("Cs",)) | st.sampled_from(
    "\x00\x02\x03\t\r\n\u0085\u2028\u2029\ufeff\"\\',;|{}[]:$%<>&="
)
_special_texts = st.sampled_from(
    [
        "",
        '{"S":"x"}',
        '{"N":"1"}',
        '{ "M" : {',
        "true",
        "null",
        "NaN",
        "1e5",
        " padded ",
        "$ion_1_0",
        "$10",
        "'quoted'",
        "_other_attributes",
        "\ufeff",
        "\r",
        "\r\n",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ]
)
texts = st.text(_characters, max_size=30) | _special_texts
names = st.text(_characters, min_size=1, max_size=12) | _special_texts.filter(bool)

# 38 digits, at any place of DynamoDB's range.
numbers = st.builds(
    lambda digits, exponent: canonical_number(f"{digits}E{exponent}"),
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(-130, 87),
) | st.integers(-(2**63) - 2, 2**63 + 1).map(str)
binaries = st.binary(max_size=40).map(lambda content: base64.b64encode(content).decode())


def _sets(members):
    return st.lists(members, min_size=1, max_size=4, unique=True)


_scalars = st.one_of(
    st.fixed_dictionaries({"S": texts}),
    st.fixed_dictionaries({"N": numbers}),
    st.fixed_dictionaries({"B": binaries}),
    st.fixed_dictionaries({"SS": _sets(texts)}),
    st.fixed_dictionaries({"NS": _sets(numbers)}),
    st.fixed_dictionaries({"BS": _sets(binaries)}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.fixed_dictionaries({"NULL": st.just(True)}),
)
values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=4)}),
        st.fixed_dictionaries({"M": st.dictionaries(names, inner, max_size=4)}),
    ),
    max_leaves=10,
)
_keys = st.fixed_dictionaries(
    {
        "id": st.fixed_dictionaries({"S": texts.filter(bool)}),
        "range": st.fixed_dictionaries({"N": numbers}),
    }
)
# Few names, so that items share attributes, also with different types.
_attributes = st.dictionaries(st.sampled_from(["a", "b", "c"]) | names, values, max_size=5)
items = st.builds(lambda attributes, key: attributes | key, _attributes, _keys)
item_lists = st.lists(items, min_size=1, max_size=8)

EVERY_TYPE = {
    "text": {"S": "x"},
    "number": {"N": "5"},
    "binary": {"B": "AP8="},
    "texts": {"SS": ["a"]},
    "numbers": {"NS": ["1"]},
    "binaries": {"BS": ["eg=="]},
    "list": {"L": [{"N": "1"}]},
    "map": {"M": {"inner": {"S": ""}}},
    "flag": {"BOOL": True},
    "nothing": {"NULL": True},
}
"""One attribute of each type."""


def encode(item_format, items):
    return b"".join(item_format.encode(items))


def decode(item_format, content, source=None):
    source = source or f"s3://bucket/file{item_format.file_suffix}"
    return list(item_format.decode(io.BytesIO(content), source))


def decoded_items(item_format, content, source=None):
    records = decode(item_format, content, source)
    rejected = [record.reason for record in records if type(record) is not ItemRecord]
    assert rejected == []
    return [record.item for record in records]


def round_trip(name, items, key_types=KEY_TYPES, **options):
    item_format = create_format(name, key_types, options)
    return decoded_items(item_format, encode(item_format, items))


def only_rejection(item_format, content, source=None):
    """Return what the second record was rejected for, after and before a good one."""
    first, rejected, last = decode(item_format, content, source)
    assert type(first) is ItemRecord
    assert type(last) is ItemRecord
    return rejected
