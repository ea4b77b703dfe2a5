"""Options of COPY, as a legacy definition writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.redshift.copy_options import (
    KINDS,
    Value,
    check_options,
    option_sql,
    parse_command_options,
)
from updraft.sql_lineage.scanning import Kind, statements


def parsed(value):
    return option_sql(parse_command_options("copy_options", value))


@pytest.mark.parametrize(
    ("given", "sql"),
    [
        (None, ""),
        ([], ""),
        (["EMPTYASNULL", "IGNOREBLANKLINES"], "EMPTYASNULL IGNOREBLANKLINES"),
        (["GZIP", "CSV", "IGNOREHEADER AS 1"], "GZIP CSV IGNOREHEADER 1"),
        ("delimiter '\\t' gzip", "DELIMITER AS '\\t' GZIP"),
        ("format as csv quote as '''' ", "CSV QUOTE AS ''''"),
        ("json 'auto'", "JSON 'auto'"),
        ("FORMAT AS JSON 's3://b/paths'", "JSON 's3://b/paths'"),
        ("NULL AS '\\N' region 'eu-west-1'", "NULL AS '\\N' REGION 'eu-west-1'"),
        ("ACCEPTINVCHARS maxerror 5", "ACCEPTINVCHARS MAXERROR 5"),
        ("ACCEPTINVCHARS AS '^'", "ACCEPTINVCHARS '^'"),
        ("COMPUPDATE OFF STATUPDATE on", "COMPUPDATE OFF STATUPDATE on"),
        ("COMPUPDATE GZIP", "COMPUPDATE GZIP"),
        ("FORMAT AS PARQUET SERIALIZETOJSON", "PARQUET SERIALIZETOJSON"),
        ("ENCODING AS UTF16", "ENCODING UTF16"),
        ("fixedwidth 'a:1,b:2'", "FIXEDWIDTH 'a:1,b:2'"),
        ("DELIMITER '\\\\'", "DELIMITER AS '\\\\'"),
    ],
)
def test_options(given, sql):
    assert parsed(given) == sql


WORDS = st.sampled_from(
    [
        *KINDS,
        *("AS", "'x'", "1", "ON", "FROM", ";", "--", "/*", "(", ")", "'", "\\", "\\'", '"', "$$"),
    ]
)


@given(st.lists(WORDS, max_size=6), st.sampled_from(["", " "]))
def test_whatever_is_taken_holds_options_and_their_values_only(words, between):
    try:
        sql = parsed(between.join(words))
    except UpdraftError:
        return
    found = [word for statement in statements(f"x {sql}") for word in statement.words][1:]
    assert {word.kind for word in found} <= {Kind.WORD, Kind.STRING}
    known = {*KINDS, "SERIALIZETOJSON", "AS", "ON", "OFF", "TRUE", "FALSE", "PRESET"}
    encodings = [
        one for one, before in zip(found[1:], found, strict=False) if before.keyword == "ENCODING"
    ]
    for word in found:
        fits = word.keyword in known or word.text.isdigit() or word.kind is Kind.STRING
        assert fits or word in encodings


@given(st.sampled_from([name for name, kind in KINDS.items() if kind is Value.TEXT]), st.text())
def test_a_text_ends_where_every_reader_ends_it(name, text):
    try:
        sql = parsed(f"{name} '{text}'")
    except UpdraftError:
        return
    for escapes in (True, False):
        assert _ends(sql[sql.index("'") :], escapes=escapes)


def _ends(text, *, escapes):
    """Tell whether the quotes at both ends belong together."""
    at = 1
    while at < len(text):
        if escapes and text[at] == "\\":
            at += 2
        elif text[at] == "'":
            if text[at + 1 : at + 2] != "'":
                return at == len(text) - 1
            at += 2
        else:
            at += 1
    return False


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("PARQUET GZIP", "GZIP can't be used with PARQUET"),
        ("CSV ESCAPE", "ESCAPE can't be used with CSV"),
        ("QUOTE '%'", "QUOTE needs CSV"),
        ("CSV JSON 'auto'", "CSV and JSON are 2 formats"),
    ],
)
def test_what_does_not_go_together(given, message):
    options = parse_command_options("copy_options", given)
    with pytest.raises(UpdraftError, match=message):
        check_options(options, from_dynamodb=False)
