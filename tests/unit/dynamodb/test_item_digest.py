"""Digests are equal exactly when items are, by an equality that knows nothing of digests."""

import base64
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.dynamodb.item_digest import ItemDigester, canonical_binary, canonical_item

DIGESTER = ItemDigester({"id": "S", "at": "N"})


def _digest(item):
    return DIGESTER.digest({"id": {"S": "x"}, "at": {"N": "1"}} | item)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": {"S": "x"}, "b": {"S": "y"}}, {"b": {"S": "y"}, "a": {"S": "x"}}),
        ({"a": {"N": "1"}}, {"a": {"N": "1.0"}}),
        ({"a": {"N": "100"}}, {"a": {"N": "1E+2"}}),
        ({"a": {"N": "0"}}, {"a": {"N": "-0.00"}}),
        ({"a": {"SS": ["x", "y"]}}, {"a": {"SS": ["y", "x"]}}),
        ({"a": {"NS": ["1", "2"]}}, {"a": {"NS": ["2.0", "1"]}}),
        ({"a": {"BS": ["QQ==", "Qg=="]}}, {"a": {"BS": ["Qg==", "QR=="]}}),
        ({"a": {"B": "QQ=="}}, {"a": {"B": "QR=="}}),
        (
            {"a": {"L": [{"M": {"x": {"N": "1"}, "y": {"SS": ["a", "b"]}}}]}},
            {"a": {"L": [{"M": {"y": {"SS": ["b", "a"]}, "x": {"N": "1.0"}}}]}},
        ),
    ],
)
def test_the_same_item_in_two_ways(one, other):
    assert _digest(one) == _digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": {"S": "1"}}, {"a": {"N": "1"}}),
        ({"a": {"S": "1"}}, {"a": {"S": "1.0"}}),
        ({"a": {"S": ""}}, {}),
        ({"a": {"NULL": True}}, {}),
        ({"a": {"BOOL": True}}, {"a": {"BOOL": False}}),
        ({"a": {"L": [{"S": "x"}, {"S": "y"}]}}, {"a": {"L": [{"S": "y"}, {"S": "x"}]}}),
        ({"a": {"L": []}}, {"a": {"M": {}}}),
        ({"a": {"SS": ["x"]}}, {"a": {"L": [{"S": "x"}]}}),
        ({"a": {"S": "QQ=="}}, {"a": {"B": "QQ=="}}),
        ({"a": {"S": "é"}}, {"a": {"S": "e\u0301"}}),
        (
            {"a": {"N": "0.12345678901234567890123456789012345678"}},
            {"a": {"N": "0.12345678901234567890123456789012345679"}},
        ),
        ({"a": {"M": {"b": {"S": "x"}}}}, {"a": {"M": {"c": {"S": "x"}}}}),
    ],
)
def test_items_that_look_alike(one, other):
    assert _digest(one).digest != _digest(other).digest


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=5).map(str) | st.integers().map(
    str
)
BINARIES = st.binary(max_size=5).map(lambda value: base64.b64encode(value).decode())
VALUES = st.recursive(
    st.fixed_dictionaries({"S": st.text(max_size=5)})
    | st.fixed_dictionaries({"N": NUMBERS})
    | st.fixed_dictionaries({"B": BINARIES})
    | st.fixed_dictionaries({"BOOL": st.booleans()})
    | st.just({"NULL": True})
    | st.fixed_dictionaries({"SS": st.lists(st.text(max_size=3), min_size=1, unique=True)})
    | st.fixed_dictionaries({"NS": st.lists(NUMBERS, min_size=1, unique_by=Decimal)})
    | st.fixed_dictionaries({"BS": st.lists(BINARIES, min_size=1, unique=True)}),
    lambda values: (
        st.fixed_dictionaries({"L": st.lists(values, max_size=3)})
        | st.fixed_dictionaries({"M": st.dictionaries(st.text(max_size=3), values, max_size=3)})
    ),
    max_leaves=8,
)


def meaning(value):
    """What DynamoDB understands of a value, in Python's own terms."""
    ((type_key, content),) = value.items()
    match type_key:
        case "N":
            content = Decimal(content)
        case "B":
            content = base64.b64decode(content)
        case "NS":
            content = frozenset(map(Decimal, content))
        case "SS":
            content = frozenset(content)
        case "BS":
            content = frozenset(map(base64.b64decode, content))
        case "L":
            content = tuple(map(meaning, content))
        case "M":
            content = frozenset((name, meaning(inner)) for name, inner in content.items())
    return type_key, content


@given(VALUES, VALUES)
def test_digests_are_equal_exactly_when_the_meaning_is(one, other):
    same = meaning(one) == meaning(other)
    assert (_digest({"a": one}) == _digest({"a": other})) is same


@given(VALUES)
def test_the_canonical_form_has_the_same_meaning_and_leaves_the_item_alone(value):
    before = repr(value)
    canonical = canonical_item({"a": value})

    assert meaning(canonical["a"]) == meaning(value)
    assert canonical_item(canonical) == canonical
    assert repr(value) == before


def test_keys_are_equal_when_dynamodb_says_so():
    one = DIGESTER.digest({"id": {"S": "x"}, "at": {"N": "1.50"}})
    other = DIGESTER.digest({"at": {"N": "15e-1"}, "id": {"S": "x"}})

    assert one == other
    assert DIGESTER.key_attributes(one.key) == {"id": {"S": "x"}, "at": {"N": "1.5"}}


def test_a_binary_key():
    digester = ItemDigester({"id": "B"})

    assert digester.digest({"id": {"B": "QQ=="}}).key == digester.digest({"id": {"B": "QR=="}}).key


def test_no_base64_stays_what_it_is():
    assert canonical_binary("é") == "é"
    assert canonical_binary("Q") == "Q"


def test_a_lone_surrogate_can_be_digested():
    assert _digest({"a": {"S": "\ud800"}}) != _digest({"a": {"S": "\ud801"}})


@pytest.mark.parametrize("item", [{}, {"id": {"N": "1"}, "at": {"N": "1"}}, {"id": {"S": "x"}}])
def test_an_item_without_the_key(item):
    with pytest.raises(KeyError):
        DIGESTER.digest(item)
