"""The reader with positions agrees with the standard library, and never falls over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.datapipeline.json_text import (
    DEEPEST_NESTING,
    JsonObject,
    JsonSyntaxError,
    parse_json,
    plain,
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(documents, st.booleans(), st.sampled_from([None, 0, 2]))
def test_agrees_with_the_standard_library(document, ascii_only, indent):
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    assert plain(parse_json(text)) == json.loads(text)


def _read(text):
    try:
        return parse_json(text), None
    except JsonSyntaxError as error:
        return None, error


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \n\\u"d8', max_size=40))
def test_accepts_what_the_standard_library_accepts(text):
    try:
        expected = json.loads(text)
    except ValueError:
        expected = None
    value, error = _read(text)
    if error is not None:
        assert min(error.position.line, error.position.column) >= 1
        assert expected is None or "\\ud8" in text.lower()
        return
    # A comma before a closing bracket is the one thing that is taken in addition.
    assert plain(value) == expected or "," in text


def test_positions_count_from_one():
    document = parse_json('{\n  "a": [1,\n    "b"]}')
    assert isinstance(document, JsonObject)
    member = document.members[0]
    assert (member.position.line, member.position.column) == (2, 3)
    last = member.value.items[1]
    assert (last.position.line, last.position.column) == (3, 5)


def test_equal_keys_are_kept_in_order():
    document = parse_json('{"step": "a", "step": "b"}')
    assert [value.text for value in document.values("step")] == ["a", "b"]


def test_scalars_keep_their_text():
    document = parse_json('{"n": 1.50, "b": true}')
    assert [member.value.text for member in document.members] == ["1.50", "true"]


def test_trailing_commas_are_noticed():
    document = parse_json('{"a": [1, 2,],\n}')
    assert plain(document) == {"a": [1, 2]}
    assert [(one.line, one.column) for one in document.trailing_commas] == [(1, 14)]
    assert len(document.values("a")[0].trailing_commas) == 1


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        pytest.param("", 1, 1, "empty", id="empty"),
        pytest.param('{"a": 1', 1, 8, "ends", id="not closed"),
        pytest.param('{"a"\n 1}', 2, 2, "'1'", id="no colon"),
        pytest.param("{'a': 1}", 1, 2, '"\'"', id="single quotes"),
        pytest.param('{"a": $b}', 1, 7, "'$'", id="template"),
        pytest.param('{"a": "\\ud800"}', 1, 7, "surrogate", id="half a character"),
        pytest.param("[" * 5000, 1, 5001, "ends", id="thousands of brackets"),
        pytest.param("[,]", 1, 2, "','", id="comma alone"),
    ],
)
def test_says_where_it_is_wrong(text, line, column, word):
    with pytest.raises(JsonSyntaxError) as caught:
        parse_json(text)
    assert (caught.value.position.line, caught.value.position.column) == (line, column)
    assert word in caught.value.message
    assert caught.value.advice


def test_refuses_deep_nesting_without_falling_over():
    depth = DEEPEST_NESTING + 1
    with pytest.raises(JsonSyntaxError, match="nested more than"):
        parse_json("[" * depth + "]" * depth)
    parse_json("[" * DEEPEST_NESTING + "]" * DEEPEST_NESTING)


def test_refuses_huge_input():
    with pytest.raises(JsonSyntaxError, match="characters"):
        parse_json(" " * 9_000_000)


def test_a_number_beyond_the_digit_limit_keeps_its_text():
    assert parse_json("9" * 5000).text == "9" * 5000
