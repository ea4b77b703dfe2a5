"""The SQL of loads and unloads, as it is sent."""

import pytest

from updraft.errors import UpdraftError
from updraft.redshift.credentials import iam_role_clause
from updraft.redshift.identifiers import parse_table
from updraft.redshift.insert_modes import InsertMode, Load, TableFacts, load_statements
from updraft.redshift.single_statements import table_definition
from updraft.redshift.unload_statement import UnloadOptions, unload_sql

TABLE = parse_table("table", "sales.orders")
FACTS = TableFacts(("id", "v"), (), ("v",), ("id", "v"))


def test_a_merge_by_distribution_and_sort_key():
    load = Load(TABLE, InsertMode.OVERWRITE_EXISTING, transformation="SELECT id, v FROM staging")
    assert load_statements(load, FACTS, "COPY …") == [
        'LOCK "sales"."orders"',
        'CREATE TEMP TABLE "staging" (LIKE "sales"."orders" INCLUDING DEFAULTS)',
        "COPY …",
        'CREATE TEMP TABLE "staging_transformed" (LIKE "sales"."orders" INCLUDING DEFAULTS)',
        'INSERT INTO "staging_transformed" SELECT id, v FROM staging',
        'DELETE FROM "sales"."orders" USING "staging_transformed" '
        'WHERE "sales"."orders"."v" = "staging_transformed"."v" '
        'AND "sales"."orders"."id" = "staging_transformed"."id"',
        'INSERT INTO "sales"."orders" SELECT * FROM "staging_transformed"',
    ]


def test_given_keys_win_and_columns_are_named():
    load = Load(TABLE, InsertMode.KEEP_EXISTING, columns=("id",), primary_keys=("id",))
    assert load_statements(load, TableFacts(("id", "v"), ("v",)), "COPY …")[1:] == [
        'CREATE TEMP TABLE "staging" AS SELECT "id" FROM "sales"."orders" WHERE FALSE',
        "COPY …",
        'DELETE FROM "staging" USING "sales"."orders" WHERE "sales"."orders"."id" = "staging"."id"',
        'INSERT INTO "sales"."orders" ("id") SELECT "id" FROM "staging"',
    ]


def test_a_new_table_has_nothing_to_merge_with():
    sql = 'CREATE TABLE IF NOT EXISTS Sales."Orders" (id int)'
    definition = table_definition("create_table_sql", sql, TABLE)
    load = Load(TABLE, InsertMode.KEEP_EXISTING, definition=definition)
    statements = load_statements(load, TableFacts(), "COPY …")
    assert statements[0] == 'CREATE TABLE Sales."Orders" (id int)'
    assert not any(one.startswith(("DELETE", "LOCK")) for one in statements)

    filled = table_definition(
        "create_table_sql", sql.replace("(id int)", "AS SELECT 1 AS id"), TABLE
    )
    assert filled.is_query
    load = Load(TABLE, InsertMode.KEEP_EXISTING, primary_keys=("id",), definition=filled)
    assert any(one.startswith("DELETE") for one in load_statements(load, TableFacts(), "COPY …"))


@pytest.mark.parametrize("name", ["staging", "x.staging_transformed"])
def test_a_target_is_not_called_as_the_staging_table(name):
    load = Load(parse_table("table", name), InsertMode.APPEND)
    with pytest.raises(UpdraftError, match="rows on their way"):
        load_statements(load, FACTS, "COPY …")


def test_roles():
    one = "arn:aws:iam::123456789012:role/a"
    two = "arn:aws-cn:iam::123456789012:role/path/b,c"
    assert iam_role_clause("iam_role", "Default") == "IAM_ROLE default"
    assert iam_role_clause("iam_role", f"{one}, {two}") == f"IAM_ROLE '{one},{two}'"


def test_an_unload():
    options = UnloadOptions(
        delimiter="\\t", header=True, compression="gzip", parallel=False, max_file_size=5,
        manifest="verbose", partition_by=("a b",), include_partition_columns=True, null_as="\\N",
        region="eu-west-1", extension="csv.gz",
    )  # fmt: skip
    sql = unload_sql("SELECT 'x'", "s3://b/f/", "IAM_ROLE default", options, clean=True)
    assert sql == (
        "UNLOAD ('SELECT ''x''') TO 's3://b/f/' IAM_ROLE default FORMAT AS CSV "
        "PARTITION BY (\"a b\") INCLUDE MANIFEST VERBOSE HEADER DELIMITER AS '\t' GZIP "
        "NULL AS '\\\\N' PARALLEL OFF MAXFILESIZE 5 MB REGION 'eu-west-1' EXTENSION 'csv.gz' "
        "CLEANPATH"
    )
