"""Taking scripts apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.sql_lineage.scanning import Kind, statements


def texts(script):
    return [one.text for one in statements(script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        (" ;; \n; -- only a comment", []),
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';'; select 2;", ["select ';'", "select 2"]),
        ("select 'it''s; \\'; x'; b", ["select 'it''s; \\'; x'", "b"]),
        ('select "a;""b"; c', ['select "a;""b"', "c"]),
        ("a $$ ; $$; b", ["a $$ ; $$", "b"]),
        ("a $x$ ; $$ ; $x$; b", ["a $x$ ; $$ ; $x$", "b"]),
        ("a -- ;\n b; c", ["a -- ;\n b", "c"]),
        ("a /* ; /* ; */ ; */ b; c", ["a /* ; /* ; */ ; */ b", "c"]),
        ("select $1; select $2", ["select $1", "select $2"]),
        ("a '; b", ["a '; b"]),
        ("a /* ; b", ["a /* ; b"]),
        ("-- head\n/* more */ select 1", ["select 1"]),
    ],
)
def test_statements(script, expected):
    assert texts(script) == expected


def test_lines_and_numbers():
    script = "\n-- one\nselect\n1;\n\n;select 2; select\n'\n\n'; x"
    assert [(one.number, one.line) for one in statements(script)] == [
        (1, 3),
        (2, 6),
        (3, 6),
        (4, 9),
    ]


def test_words_say_what_they_are():
    [found] = statements("copy \"A b\" from 's3://x/''y' -- z\n ( #t ) $$w$$")
    assert [(word.kind, word.text) for word in found.words] == [
        (Kind.WORD, "copy"),
        (Kind.QUOTED, "A b"),
        (Kind.WORD, "from"),
        (Kind.STRING, "s3://x/'y"),
        (Kind.SIGN, "("),
        (Kind.WORD, "#t"),
        (Kind.SIGN, ")"),
        (Kind.STRING, "w"),
    ]
    assert found.begins("COPY")
    assert not found.begins("COPY", "A B")
    assert all(found.text[word.start : word.end] for word in found.words)


@given(st.text(alphabet="ab'\"$;-/*\\\n #", max_size=60))
def test_all_but_spaces_and_comments_is_in_the_words(script):
    rebuilt = "".join(
        one.text[word.start : word.end] for one in statements(script) for word in one.words
    )
    assert len(rebuilt) <= len(script)
    assert [one.number for one in statements(script)] == list(range(1, len(texts(script)) + 1))
    for one in statements(script):
        assert (
            one.line == script[: script.index(one.text)].count("\n") + 1
            or script.count(one.text) > 1
        )


@given(st.lists(st.text(max_size=12), max_size=6))
def test_quoted_texts_come_back_as_they_were(values):
    script = ";".join(
        "x '" + value.replace("\\", "\\\\").replace("'", "''") + "'" for value in values
    )
    assert [one.words[1].text for one in statements(script)] == values
