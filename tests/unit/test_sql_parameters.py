"""Parameters in SQL: found only where they are ones, and rewritten without touching the rest."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.sql_lineage.scanning import Kind, words
from updraft.sql_parameters import (
    named_places,
    positional_places,
    replaced,
    with_names,
    with_style,
)

# Pieces that may hide a question mark or a name, and what of them is a parameter.
HIDDEN = (
    "'a?b :c'",
    "'it''s ? :x'",
    r"'back\'slash ? :x'",
    '"col?umn:x"',
    '"a""? :x"',
    "-- why? :x\n",
    "/* ? :x /* nested ? */ ? */",
    "$$ body ? :x $$",
    "$tag$ ? $$ :x $tag$",
    "'2026-01-01'::date",
    "a::varchar(3)",
)
PLAIN = ("select", " a ", ",", "(", ")", "\n", "=", "1.5", "schema.table")
pieces = st.lists(st.sampled_from([*HIDDEN, *PLAIN, "?"]), max_size=12)


def spaced(parts):
    return " ".join(parts)


@given(pieces)
def test_question_marks_become_names_and_nothing_else_changes(parts):
    sql = spaced(parts)
    number = parts.count("?")
    text, values = with_names(sql, list(range(number)))
    assert list(values) == [f"argument_{n}" for n in range(1, number + 1)]
    assert list(values.values()) == list(range(number))
    expected = iter(f":argument_{n}" for n in range(1, number + 1))
    assert text == spaced([next(expected) if part == "?" else part for part in parts])
    assert [place.name for place in named_places(text)] == list(values)
    assert positional_places(text) == []


@given(st.lists(st.sampled_from([*HIDDEN, *PLAIN, "?", "x", "'s'", ":n", "::date"]), max_size=9))
def test_what_touches_a_question_mark_stays_a_word_of_its_own(parts):
    sql = "".join(parts)
    number = len(positional_places(sql))
    before = [word[:2] for word in words(sql)]
    text, values = with_names(sql, [None] * number)
    names = iter(values)
    after = []
    for word in before:
        if word == (Kind.SIGN, "?"):
            after += [(Kind.SIGN, ":"), (Kind.WORD, next(names))]
        else:
            after.append(word)
    assert [word[:2] for word in words(text)] == after


@given(st.lists(st.sampled_from([*HIDDEN, *PLAIN, ":n", "'s'", "x"]), max_size=9))
def test_constants_do_not_grow_into_their_neighbours(parts):
    sql = "".join(parts)
    assume(":n$" not in sql)  # a dollar sign may go on with a name
    count = sum(place.name == "n" for place in named_places(sql))
    text = replaced(sql, {"n": "''"})
    strings = [word for word in words(text) if word.kind is Kind.STRING and word.text == ""]
    assert len(strings) == count + sum(
        word.kind is Kind.STRING and word.text == "" for word in words(sql)
    )


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select :a, :b_2, :3", ["a", "b_2", "3"]),
        ("select x::int, :a::date", ["a"]),
        ("select ': a', \":b\" -- :c", []),
        ("select :a:b", ["a", "b"]),
        ("select a[1:2]", ["2"]),
        ("select 1 : 2, : a", []),
        ("select :é", []),
    ],
)
def test_names(sql, names):
    assert [place.name for place in named_places(sql)] == names


@pytest.mark.parametrize(
    ("sql", "arguments"), [("select ?", []), ("select '?'", [1]), ("? ?", [1])]
)
def test_a_count_that_does_not_match_is_an_error(sql, arguments):
    with pytest.raises(UpdraftError, match=r"question mark.* and \d argument"):
        with_names(sql, arguments)


def test_names_that_are_taken_are_avoided():
    assert with_names("select :argument_1, ?", [5]) == (
        "select :argument_1, :_argument_1",
        {"_argument_1": 5},
    )


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("qmark", "a like '5%' and b = ? and c = ?"),
        ("format", "a like '5%%' and b = %s and c = %s"),
        ("pyformat", "a like '5%%' and b = %(argument_1)s and c = %(argument_2)s"),
        ("numeric", "a like '5%' and b = :1 and c = :2"),
        ("named", "a like '5%' and b = :argument_1 and c = :argument_2"),
    ],
)
def test_styles_of_drivers(style, expected):
    assert with_style("a like '5%' and b = ? and c = ?", style) == expected


def test_a_driver_that_leaves_percent_signs_alone():
    sql = with_style("a like '5%' and b = ?", "pyformat", doubles_percent=False)
    assert sql == "a like '5%' and b = %(argument_1)s"


def test_an_unknown_style():
    with pytest.raises(UpdraftError, match="'jdbc' is no paramstyle; there are qmark"):
        with_style("select 1", "jdbc")


@given(pieces)
def test_a_driver_with_percent_signs_sees_the_sql_as_it_was(parts):
    sql = spaced([*parts, "'5%'", "%"])
    count = parts.count("?")
    assert with_style(sql, "format") % (("?",) * count) == sql
