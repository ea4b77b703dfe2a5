"""Statements that Hive and Pig get for staged data."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.emr.hive_staging import (
    WHOLE_ITEM,
    Delimited,
    DynamoDBTable,
    HiveTable,
    ItemLines,
    Regex,
    copy_statement,
    create_tables,
    drop_tables,
    hive_string,
)
from updraft.emr.pig_staging import PigRelation, load_relations, pig_string, store_relations
from updraft.emr.staged_columns import Column, parse_columns
from updraft.errors import UpdraftError

_COLUMNS = (Column("a", "STRING"), Column("b", "INT"))
_UNESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def _read_literal(text):
    def read(match):
        if match["code"]:
            return chr(int(match["code"], 16))
        if match["octal"]:
            return chr(int(match["octal"], 8))
        return _UNESCAPED.get(match["other"], match["other"])

    pattern = r"\\(?:u(?P<code>[0-9a-f]{4})|(?P<octal>[01][0-7]{2})|(?P<other>.))"
    return re.sub(pattern, read, text, flags=re.DOTALL)


@given(st.text())
def test_literals_read_back(text):
    for escaped in (hive_string(text), pig_string(text)):
        assert re.fullmatch(r"([^'\\]|\\.)*", escaped, flags=re.DOTALL)
        assert _read_literal(escaped) == text
    assert not re.search(r"(?<!\\)(\\\\)*;", hive_string(text))


@pytest.mark.parametrize(
    ("texts", "columns"),
    [
        (["a STRING", "b int"], _COLUMNS),
        (["a STRING, b INT"], _COLUMNS),
        (["p DECIMAL(10,2)"], (Column("p", "DECIMAL(10,2)"),)),
        (
            ["m map<string,array<int>>,  a STRING"],
            (Column("m", "MAP<STRING,ARRAY<INT>>"), _COLUMNS[0]),
        ),
    ],
)
def test_columns(texts, columns):
    assert parse_columns(texts) == columns


@pytest.mark.parametrize("text", ["a", "", "a STRING,", "x-y STRING"])
def test_what_is_no_column(text):
    with pytest.raises(UpdraftError, match="is no name with a type"):
        parse_columns([text])


def test_a_table_of_lines():
    table = HiveTable("t", _COLUMNS, Delimited(",", "\\"), "s3://b/it's/")
    assert create_tables([table]).splitlines() == [
        "DROP TABLE IF EXISTS t;",
        "CREATE EXTERNAL TABLE t (`a` STRING, `b` INT)",
        "ROW FORMAT DELIMITED",
        "FIELDS TERMINATED BY ',' ESCAPED BY '\\\\'",
        "LINES TERMINATED BY '\\n'",
        "STORED AS TEXTFILE",
        "LOCATION 's3://b/it\\'s/';",
    ]
    assert drop_tables([table]) == "DROP TABLE IF EXISTS t;"


def test_lines_that_a_pattern_takes_apart():
    statements = create_tables([HiveTable("t", _COLUMNS, Regex(r"(\d+) (.*)"), "s3://b/")])
    assert r"'input.regex' = '(\\d+) (.*)'" in statements
    assert "ADD JAR" not in statements
    written = create_tables([HiveTable("t", _COLUMNS, Regex("x", "%1$s"), "s3://b/")])
    assert written.startswith("ADD JAR")
    assert "'output.format.string' = '%1$s'" in written


def test_a_table_of_dynamodb():
    storage = DynamoDBTable("orders", {"dynamodb.region": "eu-west-1"})
    statements = create_tables([HiveTable("t", (WHOLE_ITEM, *_COLUMNS), storage)])
    assert "(`item` MAP<STRING,STRING>, `a` STRING, `b` INT)" in statements
    assert "'dynamodb.column.mapping' = 'a:a,b:b', 'dynamodb.region' = 'eu-west-1'" in statements
    assert "LOCATION" not in statements
    whole = create_tables([HiveTable("t", (WHOLE_ITEM,), storage)])
    assert "column.mapping" not in whole


def test_a_table_whose_columns_the_run_knows():
    table = HiveTable("t", (), Delimited("\x01"), "s3://b/", schema="{{ names }}")
    statements = create_tables([table]).splitlines()
    assert "CREATE EXTERNAL TABLE t ({{ names }})" in statements
    assert "FIELDS TERMINATED BY '\\001'" in statements


def test_copies():
    assert copy_statement("s", "t", ["item"], "a > 3") == (
        "INSERT OVERWRITE TABLE t\nSELECT `item` FROM s\nWHERE a > 3;"
    )
    assert "WHERE" not in copy_statement("s", "t", ["a", "b"], None)


def test_ends_of_records_that_nobody_reads():
    odd = Delimited(",", line_end="|")
    with pytest.raises(UpdraftError, match="Hive ends records"):
        create_tables([HiveTable("t", _COLUMNS, odd, "s3://b/")])
    with pytest.raises(UpdraftError, match="Pig ends records"):
        load_relations([PigRelation("r", _COLUMNS, odd, "s3://b/")])


def test_whole_items_as_lines():
    assert "FIELDS TERMINATED BY '\\t'" in create_tables(
        [HiveTable("t", (WHOLE_ITEM,), ItemLines(), "s3://b/")]
    )


def test_pig_loads_and_stores():
    relation = PigRelation("input1", _COLUMNS, Delimited("\t"), "s3://b/i")
    assert load_relations([relation]) == (
        "input1 = LOAD 's3://b/i' USING PigStorage('\\t') AS (a:chararray, b:int);"
    )
    assert store_relations([relation]) == "STORE input1 INTO 's3://b/i' USING PigStorage('\\t');"


def test_pig_loads_columns_that_the_run_knows():
    relation = PigRelation("input1", (), Delimited("\x01"), "s3://b/i", schema="{{ names }}")
    assert load_relations([relation]) == (
        "input1 = LOAD 's3://b/i' USING PigStorage('\\u0001') AS ({{ names }});"
    )


def test_pig_loads_by_a_pattern():
    relation = PigRelation("r", _COLUMNS, Regex(r"(\S+)"), "s3://b/i")
    register, load = load_relations([relation]).splitlines()
    assert register.startswith("REGISTER ")
    assert r"MyRegExLoader('(\\S+)')" in load
    with pytest.raises(UpdraftError, match="Pig has no storage"):
        store_relations([relation])


def test_types_that_pig_lacks():
    with pytest.raises(UpdraftError, match="no type for the column m"):
        load_relations([PigRelation("r", parse_columns(["m MAP<INT,INT>"]), Delimited(","), "s")])
