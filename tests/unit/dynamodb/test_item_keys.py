"""Keys that DynamoDB takes for equal are equal, others are not."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.dynamodb.formats.canonical_numbers import canonical_number
from updraft.dynamodb.item_keys import KeyReader


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.0", "0"),
        ("000", "0"),
        ("1", "1"),
        ("1.0", "1"),
        ("+1", "1"),
        ("01.50", "1.5"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("5.", "5"),
        ("10e-1", "1"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("-1.50E-3", "-0.0015"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("1E-130", "0." + "0" * 129 + "1"),
        ("not a number", "not a number"),
        ("NaN", "NaN"),
    ],
)
def test_numbers(text, canonical):
    assert canonical_number(text) == canonical


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_number_keeps_its_value_and_has_one_form(number):
    canonical = canonical_number(str(number))

    assert Decimal(canonical) == number
    assert canonical_number(canonical) == canonical
    assert canonical_number(f"{number:E}") == canonical


def test_equal_numbers_are_equal_keys():
    keys = KeyReader({"id": "S", "at": "N"})

    one = keys.key({"id": {"S": "1.0"}, "at": {"N": "1.0"}, "more": {"S": "x"}})

    assert one == keys.key({"at": {"N": "1"}, "id": {"S": "1.0"}})
    assert one != keys.key({"at": {"N": "1"}, "id": {"S": "1"}})


def test_the_key_attributes():
    keys = KeyReader({"id": "S"})

    assert keys.attributes({"id": {"S": "a"}, "b": {"N": "1"}}) == {"id": {"S": "a"}}


@pytest.mark.parametrize("item", [{"id": {"S": "a"}}, {"id": {"S": "a"}, "at": {"S": "1"}}])
def test_an_item_without_its_key(item):
    with pytest.raises(KeyError):
        KeyReader({"id": "S", "at": "N"}).key(item)
