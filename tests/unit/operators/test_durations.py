"""Arguments that are lengths of time or lists of texts, as forms and old definitions write them."""

from datetime import timedelta

import pytest

from updraft.errors import ArgumentError
from updraft.operators.template_arguments import duration, texts


@pytest.mark.parametrize(
    ("value", "minutes"),
    [(timedelta(hours=1), 60), (90, 90), ("90", 90), ("1.5", 1.5), ("2 Hours", 120)],
)
def test_a_length_of_time(value, minutes):
    assert duration("x", value) == timedelta(minutes=minutes)


@pytest.mark.parametrize("value", ["soon", "", "1 month", "nan", "inf", None])
def test_what_is_no_length_of_time(value):
    with pytest.raises(ArgumentError, match=r"x: .* neither a number of minutes nor a period"):
        duration("x", value)


def test_lists_of_texts():
    assert texts("x", '["a", ""]') == ["a", ""]
    assert texts("x", ("a",)) == ["a"]
    assert texts("x", None) == texts("x", "") == []
    for wrong in ("a", "[a", [1], {"a": 1}):
        with pytest.raises(ArgumentError, match="no list of texts"):
            texts("x", wrong)
