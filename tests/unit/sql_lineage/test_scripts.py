"""Lineage of scripts: what went through tables that are not there in the end."""

import time

import pytest

from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import Session
from updraft.sql_lineage.schemas import parse_schemas

SCHEMAS = parse_schemas({"t": ["a", "b"], "s": ["a", "b"]}, Session())


def found(sql, schemas=SCHEMAS):
    lineage = analyze(sql, schemas)
    assert not lineage.errors, lineage.errors
    printed = lineage.as_json()
    return printed["inputs"], printed["outputs"], printed["columns"]


def through(*middle):
    return found("; ".join(middle))


BOTH = {"dev.public.t.a": ["dev.public.s.a"], "dev.public.t.b": ["dev.public.s.b"]}


@pytest.mark.parametrize(
    "script",
    [
        "create temp table x as select * from s; insert into t select * from x",
        "create temporary table x (like t); insert into x select * from s;"
        "insert into t select * from x",
        "create local temp table x (a int, b int); insert into x (b, a) select b, a from s;"
        "insert into t select * from x",
        "create table #x as select * from s; insert into t select * from #x; drop table #x",
        "select * into #x from s; insert into t select * from #x",
        "select * into temp table x from s; insert into t select * from x",
        "create table x as select * from s; insert into t select * from x; drop table x",
        "create table x as select * from s; alter table t append from x; drop table x",
        "create table x as select * from s; drop table t; alter table x rename to t",
        "create table x as select * from s; alter table t rename to old;"
        "alter table x rename to t; drop table old cascade",
        "create table w.x as select * from s; drop table t; alter table w.x set schema public;"
        "alter table public.x rename to t",
        "create table x as select * from s; create table y as select * from x; drop table x;"
        "drop table if exists t; alter table y rename to t",
        "create view v as select * from s; insert into t select * from v; drop view v",
        "create schema w; create table w.x as select * from s; insert into t select * from w.x;"
        "drop schema w cascade",
        "begin; drop table if exists t; create table t as select * from s; end",
        "create temp table x as select a as p, b from s; alter table x rename column p to q;"
        "alter table x add column r int; alter table x drop column r;"
        "insert into t select * from x",
    ],
)
def test_what_is_not_there_in_the_end_is_left_out(script):
    inputs, outputs, columns = found(script)
    assert (inputs, outputs, columns) == (["dev.public.s"], ["dev.public.t"], BOTH)


def test_columns_go_through_the_star_of_a_temporary_table_without_schemas():
    script = (
        "create temp table x as select * from s; create temp table y as select * from x;"
        "insert into t (k) select a from y"
    )
    assert found(script, None)[2] == {"dev.public.t.k": ["dev.public.s.a"]}


def test_a_temporary_table_holds_what_was_put_in_before_it_is_read():
    script = (
        "create temp table x (a int); insert into x select a from s;"
        "insert into t (a) select a from x; insert into x select b from s;"
        "insert into t (b) select a from x"
    )
    assert found(script)[2] == {
        "dev.public.t.a": ["dev.public.s.a"],
        "dev.public.t.b": ["dev.public.s.a", "dev.public.s.b"],
    }


def test_a_table_may_be_filled_from_one_that_was_made_later():
    script = (
        "create temp table x (a int, b int); create temp table y as select * from s;"
        "insert into x select * from y; insert into y select b, a from y;"
        "insert into x (a) select z.a from x z; insert into t select * from x"
    )
    assert found(script) == (["dev.public.s"], ["dev.public.t"], BOTH)


def test_files_may_be_written_and_loaded():
    script = "unload ('select a from s') to 's3://lake/p/'; copy t from 's3://lake/p'"
    inputs, outputs, _ = found(script)
    assert (inputs, outputs) == (["dev.public.s", "s3://lake/p"], ["dev.public.t", "s3://lake/p"])


@pytest.mark.parametrize(
    "script",
    [
        "create temp table w (a int);"
        + "".join(f"insert into w (a) select b from y{n};" for n in range(2000))
        + "insert into t (a) select a from w",
        "".join(
            f"begin; create temp table w{n} as select a from y{n}; drop table w{n}; commit;"
            for n in range(500)
        ),
        "".join(f"copy t from 's3://lake/{n}';" for n in range(2000)),
    ],
    ids=["many writes", "many transactions", "many files"],
)
def test_long_scripts_take_time_in_proportion(script):
    begun = time.process_time()
    found(script)
    assert time.process_time() - begun < 10


def test_a_name_that_is_used_again_is_another_table():
    script = (
        "create temp table x as select a from s; insert into t (a) select a from x; drop table x;"
        "create temp table x as select b as a from s; insert into t (b) select a from x"
    )
    assert found(script)[2] == BOTH


def test_a_table_of_before_that_is_dropped_in_the_end_was_read():
    inputs, outputs, _ = found("insert into t select * from s; drop table s")
    assert (inputs, outputs) == (["dev.public.s"], ["dev.public.t"])


def test_an_error_in_making_a_temporary_table_does_not_make_it_an_input():
    lineage = analyze(
        "create temp table x as selekt; insert into t (a) select a from x; create table #y as (;"
        "insert into t (b) select b from #y"
    ).as_json()
    assert (lineage["inputs"], lineage["outputs"], lineage["columns"]) == ([], ["dev.public.t"], {})
    assert [error["statement"] for error in lineage["errors"]] == [1, 3]


@pytest.mark.parametrize("undo", ["rollback", "abort", "rollback transaction"])
def test_what_is_rolled_back_was_not_written(undo):
    script = f"begin; create table x as select 1 as a; insert into t select * from s; {undo}"
    assert found(script)[1:] == ([], {})


def test_a_rollback_brings_back_names_and_data():
    script = (
        "create temp table x as select a from s; begin; truncate t; rollback;"
        "begin; drop table x; create temp table x as select b as a from s; rollback;"
        "insert into t (a) select a from x"
    )
    assert found(script)[2] == {"dev.public.t.a": ["dev.public.s.a"]}


def test_what_is_committed_stays():
    script = "begin; insert into t select * from s; commit; rollback"
    assert found(script)[1:] == (["dev.public.t"], BOTH)


def test_truncate_commits():
    script = "begin; insert into t (a) select a from s; truncate s; rollback"
    assert found(script)[1:] == (
        ["dev.public.s", "dev.public.t"],
        {"dev.public.t.a": ["dev.public.s.a"]},
    )


def test_delete_of_all_rows_forgets_where_they_were_from():
    script = (
        "create temp table x as select a from s; delete from x; insert into x select b from s;"
        "insert into t (a) select a from x"
    )
    assert found(script)[2] == {"dev.public.t.a": ["dev.public.s.b"]}


def test_update_of_a_temporary_table_adds_to_what_it_holds():
    script = (
        "create temp table x as select a, b from s; update x set a = u.z from u where u.k = x.b;"
        "insert into t select * from x"
    )
    assert found(script) == (
        ["dev.public.s", "dev.public.u"],
        ["dev.public.t"],
        {
            "dev.public.t.a": ["dev.public.s.a", "dev.public.u.z"],
            "dev.public.t.b": ["dev.public.s.b"],
        },
    )


def test_use_and_search_path_change_what_names_mean():
    script = "use sales; set search_path to '$user', market; insert into x (a) select a from y"
    inputs, outputs, _ = found(script)
    assert (inputs, outputs) == (["sales.market.y"], ["sales.market.x"])


def test_default_names():
    lineage = analyze(
        "insert into x select 1; copy m.y from 's3://lake/p'",
        default_database="Db",
        default_schema="Sc",
    )
    assert [str(one.dataset) for one in lineage.outputs] == ["db.m.y", "db.sc.x"]


def test_a_table_that_the_script_makes_and_only_counts_is_no_input():
    inputs, outputs, _ = found("create table x as select * from s; select count(*) from x")
    assert (inputs, outputs) == (["dev.public.s"], ["dev.public.x"])


def test_bodies_of_procedures_are_not_run():
    script = """create or replace procedure p() as $body$
    begin insert into t select * from s; end $body$ language plpgsql; call p();"""
    assert found(script) == ([], [], {})
    [note] = analyze(script).unresolved
    assert (note.statement, note.what) == (2, "call p")


@pytest.mark.parametrize("count", [3000])
def test_long_chains_are_no_problem(count):
    terms = " + ".join(f"c{number}" for number in range(count))
    columns = found(f"create table x as select {terms} as total from u", None)[2]
    assert len(columns["dev.public.x.total"]) == count
    unions = " union all ".join(f"select c{number} as c from u" for number in range(500))
    assert len(found(f"create table x as {unions}", None)[2]["dev.public.x.c"]) == 500
