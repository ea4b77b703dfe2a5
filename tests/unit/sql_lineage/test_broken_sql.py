"""Broken SQL ends in entries, not in tracebacks, and never in lineage of something else."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.sql_lineage.corpus import cases, schemas
from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import Session
from updraft.sql_lineage.scanning import Kind, statements
from updraft.sql_lineage.schemas import parse_schemas

SCHEMAS = parse_schemas(schemas(), Session())
CASES = cases()
WORD = re.compile(r"\w+|\s+|.", re.DOTALL)
WORDS = sorted({word for case in CASES for word in WORD.findall(case.sql) if word.strip()})


def check(sql):
    lineage = analyze(sql, SCHEMAS)
    assert not [one for one in lineage.errors if one.message.startswith("unexpected")], (
        sql,
        lineage.errors,
    )
    for error in lineage.errors:
        assert error.message
        assert "\n" not in error.message
    lineage.as_json()
    return lineage


@st.composite
def broken(draw):
    """Take a statement and leave words out, double them, swap them or put others in."""
    words = WORD.findall(draw(st.sampled_from(CASES)).sql)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        other = draw(st.integers(0, len(words) - 1))
        kind = draw(st.sampled_from(["drop", "double", "swap", "put", "cut"]))
        if kind == "drop" and len(words) > 1:
            del words[at]
        elif kind == "double":
            words.insert(at, words[at])
        elif kind == "swap":
            words[at], words[other] = words[other], words[at]
        elif kind == "put":
            words.insert(at, f" {draw(st.sampled_from(WORDS))} ")
        elif kind == "cut" and at:
            del words[at:]
    return "".join(words)


@settings(max_examples=500, deadline=None)
@given(broken())
def test_broken_statements(sql):
    check(sql)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_words_in_any_order(sql):
    check(sql)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
@example("\0")
@example("\ud800")
def test_any_text(sql):
    check(sql)


@settings(max_examples=200, deadline=None)
@given(broken())
def test_what_is_broken_does_not_touch_other_statements(sql):
    # A quote that is left open takes all that follows with it, and settings do change names.
    if lexical(sql) or re.search(r"(?i)\b(set|use|begin|rollback|drop|alter|create)\b", sql):
        return
    good = "insert into away.y (total) select v from away.z"
    lineage = check(f"{sql};\n{good}")
    assert lineage.columns["dev.away.y.total"] == ["dev.away.z.v"]


def lexical(sql):
    return any(word.kind is Kind.UNCLOSED for one in statements(sql) for word in one.words) or (
        "--" in sql.rpartition("\n")[2]
    )
