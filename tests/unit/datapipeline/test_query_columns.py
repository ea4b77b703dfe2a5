"""Columns of a query in scripts of Pig and Hive."""

import pytest

from updraft.datapipeline.query_columns import hive_columns, pig_columns
from updraft.errors import UpdraftError

_ENGINES = pytest.mark.parametrize("columns", [pig_columns, hive_columns])


def test_names_become_a_schema():
    assert pig_columns(["id", "Country2", "net_amount"]) == "id, Country2, net_amount"
    assert hive_columns(["id", "Größe", "2nd"]) == "`id` STRING, `Größe` STRING, `2nd` STRING"


@_ENGINES
@pytest.mark.parametrize("name", ["count(*)", "", "a b", "a` STRING); DROP x", "a); sh rm -r /; b"])
def test_what_is_no_name_gets_into_no_script(columns, name):
    with pytest.raises(UpdraftError, match="which is no name to"):
        columns(["id", name])


@pytest.mark.parametrize("name", ["2nd", "Größe"])
def test_names_that_only_hive_knows(name):
    with pytest.raises(UpdraftError, match="no name to Pig"):
        pig_columns([name])


@_ENGINES
def test_a_name_that_comes_twice(columns):
    with pytest.raises(UpdraftError, match="several columns 'id'"):
        columns(["id", "country", "id"])


def test_hive_does_not_tell_cases_apart():
    assert pig_columns(["id", "ID"]) == "id, ID"
    with pytest.raises(UpdraftError, match="several columns 'id'"):
        hive_columns(["id", "ID"])
