"""Lists in Airflow Variables."""

import pytest

from updraft import compat
from updraft.compat import AirflowFailException
from updraft.json_variables import entries_of_variable, listed_in_variable

NAME = "exports"


@pytest.fixture
def variable(monkeypatch):
    texts = {}

    def get(name, default):
        return texts.get(name, default)

    monkeypatch.setattr(compat.Variable, "get", get)
    return lambda text: texts.__setitem__(NAME, text)


def _entries():
    return entries_of_variable(NAME, ("table_name", "since"), ("region_name",))


def test_no_variable_is_an_empty_list(variable):
    assert _entries() == []


def test_entries(variable):
    variable(
        '[{"table_name": "a", "since": "x"}, {"table_name": "b", "since": "y", '
        '"region_name": null}]'
    )

    assert [entry["table_name"] for entry in _entries()] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{", "Variable exports is no JSON: "),
        ("", "Variable exports is no JSON: "),
        ('{"table_name": "a"}', "Variable exports: .* is no list"),
        ('["a"]', r"Variable exports\[0\]: 'a' is no object"),
        ('[{"table_name": "a"}]', r"Variable exports\[0\] lacks since"),
        ('[{"table_name": "a", "since": ""}]', r"exports\[0\] lacks since"),
        (
            '[{"table_name": "a", "since": "x", "region": "eu-west-1"}]',
            r"exports\[0\]: 'region' is unknown; did you mean 'region_name'",
        ),
    ],
)
def test_anything_else_fails_for_good(variable, text, message):
    variable(text)

    with pytest.raises(AirflowFailException, match=message):
        _entries()


def test_a_list_of_texts(variable):
    variable('["sales.*"]')

    assert listed_in_variable(NAME) == ["sales.*"]
