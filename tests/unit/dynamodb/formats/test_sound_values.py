"""What is evidently sound is sound: the closer looks, which it spares, find nothing either."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.dynamodb.formats import create_format
from updraft.dynamodb.formats.data_pipeline import _READER as LEGACY_READER
from updraft.dynamodb.formats.dynamodb_json import _READER as READER
from updraft.dynamodb.formats.lossless_json import exact_json
from updraft.dynamodb.formats.sound_values import MAXIMUM_DEPTH, are_evidently_sound
from updraft.dynamodb.formats.wire_values import TYPE_KEYS
from updraft.dynamodb.item_checks import _value_problem

_numbers = st.sampled_from(
    [
        "0",
        "-0",
        "00",
        "1",
        "-1.50",
        "1e5",
        "1E-131",
        "\u0661",
        "1.",
        ".5",
        "",
        "x",
        "1" * 38,
        "1" * 39,
    ]
)
_scalars = st.text(max_size=3) | _numbers | st.booleans() | st.none() | st.integers()
_names = st.sampled_from(["", "a", "b"])


def _typed(keys):
    def values(inner):
        payloads = _scalars | st.lists(_scalars, max_size=3) | st.lists(inner, max_size=2)
        payloads |= st.dictionaries(_names, inner, max_size=2)
        return st.dictionaries(st.sampled_from(keys), payloads, min_size=1, max_size=1)

    empty = st.dictionaries(st.sampled_from(keys), _scalars, max_size=2)
    return st.recursive(empty, values, max_leaves=6)


def _nested(levels, key, below):
    value = {"S": "x"}
    for _ in range(levels):
        value = {key: below(value)}
    return value


@given(_typed([*TYPE_KEYS, "s", "X"]))
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
def test_evidently_sound_values(value):
    if are_evidently_sound([value]):
        assert READER.value(value) == value
        assert _value_problem(value, 1) is None


@given(_typed(["s", "n", "bOOL", "nULL", "m", "l", "sS", "nS", "bS", "b", "N", "x"]))
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_reader_calls_sound(value):
    try:
        item, sound = LEGACY_READER.read({"a": value})
    except Exception:  # noqa: BLE001 - other tests say which errors these are
        return
    if sound:
        assert item == {"a": LEGACY_READER.value(value)}
        assert _value_problem(item["a"], 1) is None


USUAL = {
    "text": {"S": ""},
    "number": {"N": "-12.50"},
    "truth": {"BOOL": False},
    "null": {"NULL": True},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "list": {"L": [{"S": "a"}, {"M": {"n": {"N": "1"}}}]},
    "nothing": {"M": {}},
}


@pytest.mark.parametrize("format_name", ["DYNAMODB_JSON", "DYNAMODB_JSON_LINES", "DATA_PIPELINE"])
def test_usual_values_need_no_closer_look(format_name):
    item_format = create_format(format_name, {})

    read = item_format.decode_line(item_format.encode_item(USUAL).strip())

    assert read == (USUAL, False, True)


@pytest.mark.parametrize(
    ("key", "below"), [("M", lambda value: {"m": value}), ("L", lambda v: [v])]
)
def test_the_depth_is_the_one_that_the_checks_allow(key, below):
    deepest, deeper = (_nested(levels, key, below) for levels in (MAXIMUM_DEPTH, MAXIMUM_DEPTH + 1))

    assert are_evidently_sound([deepest])
    assert _value_problem(deepest, 1) is None
    assert not are_evidently_sound([deeper])
    assert _value_problem(deeper, 1) is not None


def test_a_number_without_quotes_is_no_text():
    assert not are_evidently_sound(exact_json(b'[{"S": 1}]'))
    assert not are_evidently_sound(exact_json(b'[{"N": 1}]'))
