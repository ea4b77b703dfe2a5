"""`updraft lineage sql` from the outside."""

import json

import pytest
from typer.testing import CliRunner

from updraft.cli.lineage import lineage_app

_runner = CliRunner()


@pytest.fixture
def run(tmp_path):
    def invoke(script, *options, schemas=None, stdin=None):
        path = tmp_path / "Q.sql"
        if isinstance(script, bytes):
            path.write_bytes(script)
        elif script is not None:
            path.write_text(script, "utf-8")
        if schemas is not None:
            file = tmp_path / "S.json"
            file.write_text(schemas if isinstance(schemas, str) else json.dumps(schemas), "utf-8")
            options = ("--schemas", str(file), *options)
        arguments = ["sql", "--file", "-" if stdin is not None else str(path), *options]
        return _runner.invoke(lineage_app, arguments, input=stdin)

    return invoke


def test_json(run):
    result = run(
        "insert into market.sales select * from orders; selekt",
        "--format", "json", "--default-database", "sales_db", "--default-schema", "raw",
        schemas={"raw.orders": ["id", "amount"], "sales_db.market.sales": {"k": "int", "v": "int"}},
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["inputs"] == ["sales_db.raw.orders"]
    assert found["outputs"] == ["sales_db.market.sales"]
    assert found["columns"] == {
        "sales_db.market.sales.k": ["sales_db.raw.orders.id"],
        "sales_db.market.sales.v": ["sales_db.raw.orders.amount"],
    }
    [error] = found["errors"]
    assert (error["statement"], error["line"]) == (2, 1)
    assert "selekt" in error["extractionError"]
    assert found["unresolved"] == []


def test_query_results_and_what_is_unresolved(run):
    found = json.loads(run("select a.k as i, v from a, b", "--format", "json").stdout)
    assert found["columns"] == {}
    assert found["results"] == [{"statement": 1, "columns": {"i": ["dev.public.a.k"]}}]
    assert [one["what"] for one in found["unresolved"]] == ["v"]


def test_table(run):
    result = run("create table x as select [k] from t;create table y as select k from t, u where (")
    assert result.exit_code == 0, result.output
    result = run("create table x as select k from t; select w from t; selekt; call [b]p()")
    assert "inputs: dev.public.t" in result.stdout
    assert "dev.public.x.k" in result.stdout
    assert "result of statement 2: w" in result.stdout
    assert "statement 3, line 1: 'selekt' begins no statement" in result.stdout
    assert "call [" in result.stdout


def test_standard_input_and_byte_order_mark(run):
    result = run(None, "--format", "json", stdin="\ufeffcreate table é as select 1 as a")
    assert json.loads(result.stdout)["outputs"] == ["dev.public.é"]


def test_quoted_names_may_keep_their_case(run):
    result = run('create table "X" as select 1 as a', "--format", "json", "--case-sensitive")
    assert json.loads(result.stdout)["outputs"] == ["dev.public.X"]


def test_empty_script(run):
    found = json.loads(run("", "--format", "json").stdout)
    assert not any(found.values())


@pytest.mark.parametrize(
    ("script", "schemas", "message"),
    [
        (None, None, "cannot read the script"),
        (b"select '\xff'", None, "is not UTF-8: invalid start byte at byte 8"),
        ("select 1", "{", "is not JSON"),
        ("select 1", "[]", "found [] where an object was expected"),
        ("select 1", '{"a": 1}', "'a' has 1 for its columns"),
    ],
)
def test_bad_input_gets_one_clear_error(run, script, schemas, message):
    result = run(script, "--format", "json", schemas=schemas)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
