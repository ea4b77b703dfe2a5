"""What DynamoDB would refuse is found before it is sent."""

import base64
import json
import re

import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from tests.unit.dynamodb.formats.strategies import EVERY_TYPE, KEY_TYPES, items
from updraft.dynamodb.item_checks import MAXIMUM_ITEM_BYTES, ItemChecker
from updraft.dynamodb.item_size import item_size

CHECKER = ItemChecker({"id": "S", "range": "N"})
KEY = {"id": {"S": "a"}, "range": {"N": "1"}}


def _problem(item, checker=CHECKER):
    return checker.problem(item, len(json.dumps(item, ensure_ascii=False).encode()))


def _nested(depth):
    value = {"S": "x"}
    for level in range(depth):
        value = {"M": {"m": value}} if level % 2 else {"L": [value]}
    return value


@given(items)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_dynamodb_takes_has_no_problem(item):
    if any("" in names for names in _names(item)):
        return
    assert _problem(item, ItemChecker(KEY_TYPES)) is None


def _names(members):
    yield members
    for value in members.values():
        yield from _names_below(value)


def _names_below(value):
    for key, payload in value.items():
        if key == "M":
            yield from _names(payload)
        if key == "L":
            for member in payload:
                yield from _names_below(member)


@given(items)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_the_length_of_the_json_is_never_below_the_size(item):
    assert item_size(item) <= len(orjson.dumps(item))


@pytest.mark.parametrize(
    "attribute",
    [
        {"S": ""},
        {"B": ""},
        {"SS": ["", "a"]},
        {"N": "-0"},
        {"N": "0" * 60},
        {"N": "1E125"},
        {"N": "-9.9999999999999999999999999999999999999E+125"},
        {"N": "1E-130"},
        {"N": "0." + "0" * 129 + "1"},
        {"N": "1" + "0" * 125},
        {"N": "+1.5e+3"},
        {"NS": ["1", "-1"]},
        {"L": []},
        {"M": {}},
        _nested(32),
        {"S": "é" * 204_000},
        {"B": base64.b64encode(bytes(409_000)).decode()},
    ],
)
def test_unusual_values_that_dynamodb_takes(attribute):
    assert _problem(KEY | {"a": attribute}) is None


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"range": {"N": "1"}}, "lacks the key attribute 'id'; it has ['range']"),
        ({"ID": {"S": "a"}, "range": {"N": "1"}}, "lacks the key attribute 'id'; is it 'ID'?"),
        (KEY | {"id": {"N": "1"}}, "'id' has the type N, while the table's key has the type S"),
        (KEY | {"range": {"S": "1"}}, "'range' has the type S, while"),
        (KEY | {"range": {"N": "one"}}, "attribute range: this is no number: 'one'"),
        (KEY | {"id": {"S": ""}}, "the key attribute 'id' is empty"),
        (KEY | {"id": {"S": "é" * 1_025}}, "'id' has 2,050 bytes, while the table takes 2,048"),
        (KEY | {"a": {"N": ""}}, "attribute a: this is no number: ''"),
        (KEY | {"a": {"N": "1_000"}}, "this is no number"),
        (KEY | {"a": {"N": "٣"}}, "this is no number"),
        (KEY | {"a": {"N": "0x10"}}, "this is no number"),
        (KEY | {"a": {"N": "NaN"}}, "this is no number"),
        (KEY | {"a": {"N": "Infinity"}}, "this is no number"),
        (KEY | {"a": {"N": "1" * 39}}, "the number has 39 digits, DynamoDB keeps 38"),
        (KEY | {"a": {"N": "1." + "0" * 38 + "1"}}, "the number has 40 digits"),
        (KEY | {"a": {"N": "1E126"}}, "outside DynamoDB's range"),
        (KEY | {"a": {"N": "1E-131"}}, "outside DynamoDB's range"),
        (KEY | {"a": {"N": "1E999999999"}}, "outside DynamoDB's range"),
        (KEY | {"a": {"NS": ["1", "x"]}}, "attribute a: this is no number: 'x'"),
        (KEY | {"a": {"SS": []}}, "attribute a: a set is not empty"),
        (KEY | {"a": {"SS": ["x", "y", "x"]}}, "a set has this member twice: 'x'"),
        (KEY | {"a": {"NS": ["1", "1.0"]}}, "a set has this member twice: '1'"),
        (KEY | {"a": {"BS": ["AA==", "AA=="]}}, "a set has this member twice"),
        (KEY | {"a": {"M": {"b": {"L": [{"NS": []}]}}}}, "attribute a.b[0]: a set is not empty"),
        (KEY | {"a": {"M": {"b": {"M": {"": {"S": "x"}}}}}}, "attribute a.b: a member of a map"),
        (KEY | {"a": {"NULL": False}}, "attribute a: a value of the type NULL is true"),
        (KEY | {"a": _nested(33)}, "nested deeper than 32 levels"),
        (KEY | {"": {"S": "x"}}, "an attribute has no name"),
        (KEY | {"a": {"S": "x" * 409_600}}, "the item has 409,611 bytes, DynamoDB takes 409,600"),
    ],
)
def test_what_dynamodb_refuses(item, message):
    assert re.search(re.escape(message), _problem(item))


def test_long_keys_of_each_type():
    binary = ItemChecker({"id": "B", "sort": "B"})

    def key(first, second):
        values = (base64.b64encode(bytes(size)).decode() for size in (first, second))
        return dict(zip(("id", "sort"), ({"B": value} for value in values), strict=True))

    assert binary.key_problem(key(2_048, 1_024)) is None
    assert "2,049 bytes" in binary.key_problem(key(2_049, 1))
    assert "1,025 bytes, while the table takes 1,024" in binary.key_problem(key(1, 1_025))


def test_only_the_key_of_a_deleted_item_is_checked():
    assert CHECKER.key_problem(KEY) is None
    assert "lacks the key attribute 'range'" in CHECKER.key_problem({"id": {"S": "a"}})


def test_the_limit_of_the_size_is_exact():
    item = KEY | {"a": {"S": ""}}
    room = MAXIMUM_ITEM_BYTES - item_size(item)

    assert _problem(KEY | {"a": {"S": "x" * room}}) is None
    assert "409,601 bytes" in _problem(KEY | {"a": {"S": "x" * (room + 1)}})


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é😀"}, 6),
        ({"B": "AP8="}, 2),
        ({"B": ""}, 0),
        ({"N": "0"}, 1),
        ({"N": "5"}, 2),
        ({"N": "-5"}, 3),
        ({"N": "12"}, 2),
        ({"N": "123"}, 3),
        ({"N": "1000"}, 2),
        ({"N": "1" * 38}, 20),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"NS": ["1", "2"]}, 4),
        ({"BS": ["AP8=", "AA=="]}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": True}]}, 8),
        ({"M": {"k": {"S": "ab"}}}, 7),
        ({"L": []}, 3),
    ],
)
def test_sizes(value, size):
    assert item_size({"name": value}) == 4 + size


def test_every_type_at_once():
    assert _problem(EVERY_TYPE | KEY) is None
