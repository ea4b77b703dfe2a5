import json

from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.lineage.json_lines import line_of

TEXT = """
{
  "a": [
    1,
    {"b": "x,]{\\"",
     "c": {}},
    []
  ],
  "d": "a",
  "a b": null
}"""


def test_lines():
    assert line_of(TEXT, ()) == 2
    assert line_of(TEXT, ("a",)) == 3
    assert line_of(TEXT, ("a", 0)) == 4
    assert line_of(TEXT, ("a", 1, "b")) == 5
    assert line_of(TEXT, ("a", 1, "c")) == 6
    assert line_of(TEXT, ("a", 2)) == 7
    assert line_of(TEXT, ("d",)) == 9
    assert line_of(TEXT, ("a b",)) == 10
    assert line_of(TEXT, ("a", 1, "missing")) == 5
    assert line_of(TEXT, ("missing", "more")) == 2


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


def paths(value):
    """Give paths in the order of an indented text, in which each value has a line of its own."""
    yield ()
    if isinstance(value, (dict, list)):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from ((step, *rest) for rest in paths(child))


@settings(max_examples=50, deadline=None)
@given(value=st.dictionaries(st.text(max_size=3), VALUES, min_size=1))
def test_each_value_has_its_line(value):
    text = json.dumps(value, indent=1)
    lines = [line_of(text, path) for path in paths(value)]
    assert lines == sorted(set(lines))
    for path, line in zip(paths(value), lines, strict=True):
        if path and isinstance(path[-1], str):
            assert text.split("\n")[line - 1].lstrip().startswith(json.dumps(path[-1]))
