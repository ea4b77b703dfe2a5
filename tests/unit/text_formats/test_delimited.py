"""The CSV and TSV of AWS Data Pipeline: what is written is read again, as it was."""

import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import ArgumentError
from updraft.text_formats import delimited
from updraft.text_formats.delimited import CSV, TSV, DelimitedFormat
from updraft.text_formats.row_format import RowError

# What a value may collide with: separators, escapes, forms of NULL, other ends of lines.
VALUES = st.none() | st.text(
    st.sampled_from(",;\t|\n\r\\\"'nN0 ") | st.characters(codec="utf-8"), max_size=8
)
ROWS = st.lists(st.lists(VALUES, min_size=1, max_size=4), max_size=6)
FORMATS = (
    CSV,
    TSV,
    DelimitedFormat("|", ";"),
    DelimitedFormat(",", "\n", "\\", ("NULL",)),
    DelimitedFormat("n", "N", '"', ("0",)),
    DelimitedFormat("^", "]", "-"),
)


def read(form, *texts):
    return [record.values for record in form.read(texts)]


def cut(text, places):
    ends = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(ends)]


@pytest.mark.parametrize("form", FORMATS, ids=repr)
@given(rows=ROWS, places=st.lists(st.integers(0, 200), max_size=5))
def test_what_is_written_is_read_again_however_it_is_cut(form, rows, places):
    text = "".join(form.write(rows))
    assert read(form, *cut(text, places)) == [tuple(row) for row in rows]


@given(rows=st.lists(st.lists(st.text(string.ascii_letters), min_size=1), max_size=4))
def test_without_escapes_plain_texts_come_back(rows):
    form = DelimitedFormat(escape_character="")
    assert read(form, "".join(form.write(rows))) == [tuple(row) for row in rows]


@given(rows=ROWS)
def test_null_as_nothing_makes_empty_texts_null_and_nothing_else(rows):
    form = DelimitedFormat(null_texts=("",))
    expected = [tuple(value or None for value in row) for row in rows]
    assert read(form, "".join(form.write(rows))) == expected


@given(text=st.text(st.sampled_from('ab,\\\n"'), max_size=20), places=st.lists(st.integers(0, 20)))
def test_any_text_reads_the_same_however_it_is_cut(text, places):
    def outcome(*texts):
        try:
            return read(CSV, *texts)
        except RowError as error:
            return str(error)

    assert outcome(*cut(text, places)) == outcome(text)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n", [("a", "b")]),
        ("a,b", [("a", "b")]),
        ("", []),
        (",\n", [("", "")]),
        ("\n", [("",)]),
        ('"a,b"\n', [('"a', 'b"')]),
        (r"a\,b\\,c" "\n", [("a,b\\", "c")]),
        ("a\\\nb,c\n", [("a\nb", "c")]),
        ("\\n,\\N,n,\\\\n,\\\\N\n", [(None, None, "n", "\\n", "\\N")]),
        ("a\r\n", [("a\r",)]),
        ("a\\", "the last one, ends with the escape character"),
    ],
)
def test_what_a_text_means(text, rows):
    if isinstance(rows, str):
        with pytest.raises(RowError, match=rows):
            read(CSV, text)
    else:
        assert read(CSV, text) == rows


def test_what_is_written():
    rows = [["a", "b,c", 'say "x"', None, "", "\\", "1\n2"]]
    assert "".join(CSV.write(rows)) == 'a,b\\,c,say "x",\\n,,\\\\,1\\\n2\n'
    assert "".join(TSV.write([["a,b", "c\td", None]])) == "a,b\tc\\\td\t\\n\n"


@pytest.mark.parametrize("value", ["a,b", "a\nb", r"\n"])
def test_without_escapes_a_text_that_can_not_be_told_is_refused(value):
    form = DelimitedFormat(escape_character="")
    with pytest.raises(RowError, match="column 2 of row 1"):
        list(form.write([["x", value]]))


def test_a_row_has_columns():
    with pytest.raises(RowError, match="row 2 has no columns"):
        list(CSV.write([["a"], []]))


@pytest.mark.parametrize(
    "arguments",
    [
        {"column_separator": ""},
        {"column_separator": "||"},
        {"record_separator": "\r\n"},
        {"escape_character": "\\\\"},
        {"column_separator": "\n"},
        {"escape_character": ","},
        {"null_texts": "NULL"},
        {"null_texts": ()},
        {"null_texts": ("a,b",)},
        {"null_texts": ("\\",)},
        {"null_texts": ("N", "\\N")},
    ],
    ids=str,
)
def test_what_could_not_be_read_again_is_no_format(arguments):
    with pytest.raises(ArgumentError):
        DelimitedFormat(**arguments)


def test_a_record_without_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(delimited, "MOST_CHARACTERS", 1000)
    with pytest.raises(RowError, match=r"record 2 has more than 1,000 characters"):
        read(CSV, "a\n", *["x" * 100] * 20)
