"""The arguments for formats of files."""

import pytest

from updraft.errors import ArgumentError
from updraft.operators.copy_formats import is_gzip, row_format
from updraft.text_formats.delimited import CSV, TSV, DelimitedFormat
from updraft.text_formats.regular_expression import RegexFormat


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("csv", None, CSV),
        ("CSV", "None", CSV),
        ("tsv", {}, TSV),
        ("tsv", {"column_separator": r"\t", "record_separator": r"\n"}, TSV),
        ("csv", '{"null_text": ""}', DelimitedFormat(null_texts=("",))),
        ("csv", {"escape_char": ""}, DelimitedFormat(escape_character="")),
        ("custom", {"column_separator": "*"}, DelimitedFormat("*")),
        ("regex", {"input_regex": "(.)"}, RegexFormat(input_regex="(.)")),
    ],
)
def test_formats(name, options, expected):
    assert row_format("file_format", name, options) == expected


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cvs", None, "file_format: 'cvs' is unknown; did you mean 'csv'"),
        ("csv", {"escape": "x"}, "did you mean 'escape_char'"),
        ("csv", {"column_separator": ";"}, "'column_separator' is unknown"),
        ("csv", {"null_text": None}, "null_text None is no text"),
        ("csv", "[]", "is no mapping"),
        ("csv", "{", "is no JSON"),
        ("custom", {}, "needs column_separator"),
        ("tsv", {"column_separator": "||"}, "not a single character"),
        (None, None, "file_format"),
    ],
)
def test_wrong_formats(name, options, message):
    with pytest.raises(ArgumentError, match=message.replace("(", r"\(")):
        row_format("file_format", name, options)


def test_compression():
    assert is_gzip("compression", "gzip")
    assert not is_gzip("compression", None)
    with pytest.raises(ArgumentError, match="compression"):
        is_gzip("compression", "zip")
