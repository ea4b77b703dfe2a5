"""Splitting the steps of EmrActivity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.datapipeline.expressions import Embedded, Verbatim
from updraft.datapipeline.steps import join_step, split_step

arguments = st.lists(
    st.text(st.characters(exclude_characters="\\#", exclude_categories=["Cs"]), max_size=10),
    min_size=1,
    max_size=6,
)


def _literals(step):
    return [
        "".join(
            part.text if isinstance(part, Verbatim) else f"#{{{part.source}}}" for part in parts
        )
        for parts in split_step(step)
    ]


@given(arguments)
def test_splitting_undoes_joining(given_arguments):
    assert _literals(join_step(given_arguments)) == given_arguments


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("a.jar", ["a.jar"]),
        ("a.jar,Main, x ", ["a.jar", "Main", " x "]),
        ("a,,b,", ["a", "", "b", ""]),
        (r"a,low\,high,b", ["a", "low,high", "b"]),
        (r"a,low\\,high,b", ["a", "low,high", "b"]),
        (r"a,C:\tmp", ["a", r"C:\tmp"]),
        ("a,#{format(@x,'Y')}/b,c", ["a", "#{format(@x,'Y')}/b", "c"]),
    ],
)
def test_splits(step, expected):
    assert _literals(step) == expected


def test_expressions_keep_their_tree():
    (_, (part,)) = split_step("a,#{myX}")
    assert isinstance(part, Embedded)
