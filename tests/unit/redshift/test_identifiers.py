"""Names of tables and columns, as they are read and quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.redshift.identifiers import parse_columns, parse_table, quoted, text_list
from updraft.sql_lineage.scanning import Kind, statements

NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=30)


@given(NAMES)
def test_a_quoted_name_is_one_word(name):
    [statement] = statements(f"x {quoted(name)} y")
    assert [word.kind for word in statement.words] == [Kind.WORD, Kind.QUOTED, Kind.WORD]
    assert statement.words[1].text == name


@given(NAMES, NAMES)
def test_a_quoted_name_is_read_as_it_is(schema, table):
    found = parse_table("table", f"{quoted(schema)}.{quoted(table)}")
    assert (found.schema, found.table) == (schema.lower(), table.lower())
    assert parse_table("table", found.sql) == found


@given(st.text(max_size=40))
def test_whatever_is_taken_for_a_name_stays_one(text):
    try:
        found = parse_table("table", text)
    except UpdraftError:
        return
    [statement] = statements(f"x {found.sql} y")
    kinds = [word.kind for word in statement.words]
    assert kinds == [Kind.WORD, Kind.QUOTED, Kind.SIGN, Kind.QUOTED, Kind.WORD]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, []),
        ("", []),
        ("a, b", ["a", "b"]),
        ('["a", "\\"b,c\\""]', ["a", '"b,c"']),
        ('"a,b", c', ['"a,b"', "c"]),
        (["a"], ["a"]),
    ],
)
def test_lists(text, names):
    assert text_list("columns", text) == names


def test_names_are_folded_and_differ():
    assert parse_columns("columns", 'Id, "Unit Price"') == ("id", "unit price")
    with pytest.raises(UpdraftError, match="'id' comes twice"):
        parse_columns("columns", "id, ID")
    with pytest.raises(UpdraftError, match="no list in JSON"):
        parse_columns("columns", "[a")


def test_the_length_is_in_bytes():
    assert parse_table("table", "ä" * 63).table == "ä" * 63
    with pytest.raises(UpdraftError, match="127 bytes"):
        parse_table("table", "ä" * 64)
