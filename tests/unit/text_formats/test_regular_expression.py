"""The RegEx format of AWS Data Pipeline."""

import pytest

from updraft.errors import ArgumentError
from updraft.text_formats.regular_expression import RegexFormat
from updraft.text_formats.row_format import RowError


def rows(regex, text):
    return [record.values for record in RegexFormat(input_regex=regex).read([text])]


def test_groups_are_columns():
    assert rows(r"(\S+) (\S+)", "a b\nc d") == [("a", "b"), ("c", "d")]


def test_a_group_that_takes_no_part_is_null():
    assert rows(r"(\d+)(?: (\w+))?", "1 a\n2\n") == [("1", "a"), ("2", None)]


def test_named_groups_as_in_java():
    assert rows(r"(?<first>\w+)-(?<=-)(?<second>\w+)", "a-b") == [("a", "b")]


def test_a_line_that_does_not_match_is_named():
    with pytest.raises(RowError, match=r"line 2 does not match.*'x'"):
        rows(r"(\d+)", "1\nx\n3\n")


def test_lines_are_put_together():
    form = RegexFormat(output_format="%2$s-%1$s 100%%")
    assert list(form.write([["a", "b"], [None, "c"]])) == ["b-a 100%\n", "c- 100%\n"]
    assert list(RegexFormat(output_format="%s,%s").write([["a", "b"]])) == ["a,b\n"]


@pytest.mark.parametrize("row", [["a"], ["a", "b", "c"], ["a", "b\nc"]])
def test_a_row_that_does_not_fit_is_refused(row):
    with pytest.raises(RowError, match="row 1"):
        list(RegexFormat(output_format="%1$s %2$s").write([row]))


@pytest.mark.parametrize(
    "arguments",
    [
        {"input_regex": "("},
        {"input_regex": "abc"},
        {"output_format": "%d"},
        {"output_format": "%0$s"},
        {"output_format": "100%"},
    ],
    ids=str,
)
def test_wrong_formats(arguments):
    with pytest.raises(ArgumentError):
        RegexFormat(**arguments)


def test_what_is_missing_is_named():
    with pytest.raises(ArgumentError, match="input_regex"):
        list(RegexFormat(output_format="%s").read(["a"]))
    with pytest.raises(ArgumentError, match="output_format"):
        list(RegexFormat(input_regex="(a)").write([["a"]]))
