"""Open values in texts, and their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.datapipeline.open_values import Numbering, OpenValue, splice

A, B = OpenValue("a", "a"), OpenValue("AWS::Region", "the region")
SECRET = OpenValue("key-1", "a key", secret=True)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([], ""),
        ([A], "#{a}"),
        (["s3://", A, "/", B], "s3://#{a}/#{AWS_Region}"),
        ([SECRET], "#{*key_1}"),
        (["#{format(x, '", A, "')}"], "#{format(x, a)}"),
        (["#{format(x, '", A, B, "')}"], "#{format(x, a + '' + AWS_Region)}"),
        (["#{'x", A, "y'}"], "#{'x' + a + 'y'}"),
        (["#{'x", A, "'}"], "#{'x' + a}"),
        (["#{'", A, "y'}"], "#{a + 'y'}"),
        (["#{", A, " + 1}"], "#{a + 1}"),
        (["#{b} ", A], "#{b} #{a}"),
        (["#{\"it's ", A, '"}'], '#{"it\'s " + a}'),
        (["#", "{", A, "}"], "#{a}"),
        (["#{'", A], "#{a + '"),
    ],
)
def test_splice(parts, text):
    assert splice(parts) == text


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("Bucket", "Bucket"),
        ("AWS::Region", "AWS_Region"),
        ("region", "region_value"),
        ("id", "id_value"),
        ("mySubnet", "mySubnet_value"),
        ("1st", "value_1st"),
        ("é", "value_value"),
    ],
)
def test_names_of_parameters(name, parameter):
    assert OpenValue(name, "x").parameter_name == parameter


def test_the_same_value_has_the_same_name():
    numbering = Numbering()
    assert [numbering.name("f", key) for key in "abab"] == ["f", "f 2", "f", "f 2"]


@given(st.lists(st.sampled_from([A, B, "#{", "}", "'", '"', "x", "#", "{"]), max_size=12))
def test_no_part_is_lost(parts):
    text = splice(parts)
    assert text.count("a") == parts.count(A)
    assert text.count("AWS_Region") == parts.count(B)
    assert text.count("x") == parts.count("x")
