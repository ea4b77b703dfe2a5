"""Values of statements, and how scripts are taken apart."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.redshift.literals import literal
from updraft.redshift.script import for_transaction, grouped, lives_in_session, read_script
from updraft.redshift.statement import RedshiftStatement, bound, inlined
from updraft.sql_lineage.scanning import Kind, words

VALUES = {
    "text": ("it's", "it's"),
    "injection": ("'; drop table t; --", "'; drop table t; --"),
    "number": (5, "5"),
    "decimal": (Decimal("0.1000"), "0.1000"),
    "truth": (True, "true"),
    "day": (dt.date(2026, 11, 2), "2026-11-02"),
    "moment": (dt.datetime(2026, 11, 2, 4, tzinfo=dt.UTC), "2026-11-02T04:00:00+00:00"),
}


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_literal_is_one_string_with_the_text_in_it(text):
    (word,) = words(literal(text))
    assert (word.kind, word.text) == (Kind.STRING, text)


def test_a_literal_has_no_nul():
    with pytest.raises(UpdraftError, match="NUL"):
        literal("a\0b")


@pytest.mark.parametrize(("value", "text"), VALUES.values(), ids=VALUES)
def test_values_are_bound_as_text(value, text):
    call = bound([RedshiftStatement("select :x", {"x": value})])
    assert call.texts == ("select :x",)
    assert call.members() == [{"name": "x", "value": text}]


def test_null_and_nothing_are_written_into_the_statement():
    call = bound([RedshiftStatement("select :a, :b,:a", {"a": None, "b": ""})])
    assert call.texts == ("select NULL, '',NULL",)
    assert call.members() == []


def test_statements_share_their_parameters():
    same = [RedshiftStatement("select :a", {"a": 1}), RedshiftStatement("delete :a", {"a": "1"})]
    assert bound(same).members() == [{"name": "a", "value": "1"}]
    for other in ("2", "", None):
        with pytest.raises(UpdraftError, match="statement 2 gives parameter 'a' another value"):
            bound([same[0], RedshiftStatement("select :a", {"a": other})])


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("select 1", {"a": 1}, "does not use parameter :a"),
        ("select ':a'", {"a": 1}, "does not use parameter :a"),
        ("select :a, :b", {"a": 1}, "uses parameter :b, which has no value"),
        ("select :a", {"a": [1]}, "is a list"),
        ("select :a", {"a": "x\0"}, "NUL"),
        ("select :a", {"a; drop": 1}, "is no name"),
        ("select :a", {"a'": 1}, "is no name"),
        ("select :a", {"": 1}, "is no name"),
        (f"select '{'x' * 102_400}'", {}, "100 KB"),
    ],
)
def test_parameters_that_are_refused(sql, parameters, message):
    with pytest.raises(UpdraftError, match=message):
        bound([RedshiftStatement(sql, parameters)])


@given(st.text(alphabet="a';\\-:b$\"\n"))
def test_values_that_are_inlined_stay_one_literal(value):
    text = inlined(RedshiftStatement("select :a;", {"a": value}))
    assert [word.text for word in words(text)] == ["select", value, ";"]


def test_splitting():
    script = """
    -- first; comment
    create table t (a varchar(9) default 'x;y'); /* second; */
    create procedure p() as $$ begin delete from t; end; $$ language plpgsql;
    ;
    insert into t values ('it''s; \\'fine')"""
    found = read_script(script)
    assert [one.text.split()[0] for one in found] == ["create", "create", "insert"]
    assert [one.line for one in found] == [3, 4, 6]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (" -- nothing", "no SQL statement"),
        ("", "no SQL statement"),
        ("select 1;\nselect 'x", "line 2: ' begins what is never closed"),
        ('select "x', 'line 1: " begins'),
        ("/* a /* b */", "never closed"),
    ],
)
def test_scripts_that_cannot_be_taken_apart(script, message):
    with pytest.raises(UpdraftError, match=message):
        read_script(script)


def test_the_transaction_of_a_script_is_not_opened_twice():
    script = read_script("begin transaction; delete from t; insert into t select 1; end;")
    assert [one.words[0].text for one in for_transaction(script)] == ["delete", "insert"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("delete from t; commit; delete from u", "COMMIT within a script"),
        ("delete from t; rollback", "ROLLBACK within"),
        ("delete from t; vacuum t", "line 1: VACUUM … can't be in a transaction"),
        ("select 1;\nalter table a append from b", "line 2: ALTER"),
        ("create database x; select 1", "CREATE"),
    ],
)
def test_what_cannot_be_in_one_transaction(script, message):
    with pytest.raises(UpdraftError, match=message):
        for_transaction(read_script(script))


def test_one_statement_needs_no_transaction():
    assert len(for_transaction(read_script("vacuum t"))) == 1


def test_groups_of_statements():
    script = read_script("select 1; begin; select 2; select 3; commit; select 4; begin; end")
    assert grouped(script) == [[0], [2, 3], [5]]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("begin; select 1", "not followed by COMMIT"),
        ("begin; begin; commit", "statement 2 is BEGIN"),
        ("commit", "statement 1 is COMMIT"),
        ("begin; select 1; rollback; commit", "statement 3 is ROLLBACK"),
    ],
)
def test_groups_that_are_refused(script, message):
    with pytest.raises(UpdraftError, match=message):
        grouped(read_script(script))


@pytest.mark.parametrize(
    ("sql", "lives"),
    [
        ("create temp table a (b int)", True),
        ("create local temporary table a as select 1", True),
        ("create table #a (b int)", True),
        ("select 1 into temp a", True),
        ("select 1 into #a", True),
        ("set search_path to x", True),
        ("call p()", True),
        ("create table a (temp int)", False),
        ("select '#a', 'into temp'", False),
        ("insert into a select 1", False),
    ],
)
def test_what_ends_with_its_session(sql, lives):
    assert lives_in_session(read_script(sql)[0]) is lives
