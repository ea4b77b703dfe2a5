"""Columns of a query in a script of Pig."""

import pytest

from updraft.datapipeline.pig_columns import pig_columns
from updraft.errors import UpdraftError


def test_names_become_a_schema():
    assert pig_columns(["id", "Country2", "net_amount"]) == "id, Country2, net_amount"


@pytest.mark.parametrize("name", ["count(*)", "", "2nd", "a b", "größe", "a); sh rm -r /; b"])
def test_what_is_no_name_gets_into_no_script(name):
    with pytest.raises(UpdraftError, match="which is no name to Pig"):
        pig_columns(["id", name])


def test_a_name_that_comes_twice():
    with pytest.raises(UpdraftError, match="several columns 'id'"):
        pig_columns(["id", "country", "id"])
