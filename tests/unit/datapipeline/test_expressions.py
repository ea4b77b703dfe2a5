"""Reading and writing expressions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.datapipeline.expressions import (
    DEEPEST_NESTING,
    Call,
    Embedded,
    ExpressionError,
    ListOf,
    Member,
    Name,
    Negation,
    Number,
    Operation,
    Secret,
    String,
    Verbatim,
    parse_expression,
    parse_text,
    to_source,
    walk,
)
from updraft.datapipeline.functions import function_problems

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
leaves = (
    st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True).map(Number)
    | st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"]), max_size=8).map(
        String
    )
    | names.map(Name)
    | names.map(lambda name: Name(f"@{name}"))
    | names.map(Secret)
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Call, names, st.lists(inner, max_size=3).map(tuple))
        | st.builds(
            Call, names, st.lists(inner, min_size=1, max_size=3).map(tuple), method=st.just(True)
        )
        | st.builds(Operation, st.sampled_from("+-*/^"), inner, inner)
        | st.builds(Negation, inner)
        | st.builds(ListOf, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Member, names.map(Name), names)
    ),
    max_leaves=12,
)


def _read(text):
    try:
        return parse_text(text), None
    except ExpressionError as error:
        return (), error


@given(trees)
def test_writing_and_reading_gives_the_same_tree(tree):
    assert parse_expression(to_source(tree)) == tree


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    parts, error = _read(text)
    if error is not None:
        assert 0 <= error.offset <= len(text)
        assert "#{" in text
        return
    written = "".join(
        part.text if isinstance(part, Verbatim) else f"#{{{part.source}}}" for part in parts
    )
    assert written == text


@given(st.text(alphabet="#{}'\"()[]+-*/^.,@ab1 ", max_size=40))
def test_expression_soup_is_read_or_refused(soup):
    parts, error = _read("#{" + soup)
    assert (error is None) == any(isinstance(part, Embedded) for part in parts)
    assert error is None or error.message


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("myX", Name("myX")),
        ("@scheduledStartTime", Name("@scheduledStartTime")),
        ("*myPassword", Secret("myPassword")),
        ("input.directoryPath", Member(Name("input"), "directoryPath")),
        ("node.@pipelineId", Member(Name("node"), "@pipelineId")),
        ("node.output.path", Member(Member(Name("node"), "output"), "path")),
        (
            "format(@scheduledStartTime, 'YYYY-MM-dd')",
            Call("format", (Name("@scheduledStartTime"), String("YYYY-MM-dd"))),
        ),
        (
            "@scheduledStartTime.format('YYYY')",
            Call("format", (Name("@scheduledStartTime"), String("YYYY")), method=True),
        ),
        ("1 + 2 * 3", Operation("+", Number("1"), Operation("*", Number("2"), Number("3")))),
        ("1 - 2 - 3", Operation("-", Operation("-", Number("1"), Number("2")), Number("3"))),
        ("2 ^ 3 ^ 2", Operation("^", Number("2"), Operation("^", Number("3"), Number("2")))),
        ("\"a'b\" + 'c\"d'", Operation("+", String("a'b"), String('c"d'))),
        ("[1, 'a']", ListOf((Number("1"), String("a")))),
        ("(1)", Number("1")),
    ],
)
def test_forms(source, tree):
    assert parse_expression(source) == tree


def test_text_outside_and_shell_variables_stay():
    assert parse_text("a${b}%{c}#{myX}}") == (
        Verbatim("a${b}%{c}"),
        Embedded("myX", Name("myX"), 9),
        Verbatim("}"),
    )


def test_a_brace_inside_of_quotes_does_not_close():
    (part,) = parse_text("#{format(@x, '}')}")
    assert part.tree == Call("format", (Name("@x"), String("}")))


@pytest.mark.parametrize(
    ("text", "offset"),
    [("ab#{myX", 2), ("#{}", 2), ("#{a b}", 4), ("#{1 +}", 5), ("x#{'a}", 1), ("#{a?b}", 3)],
)
def test_refusals_say_where(text, offset):
    with pytest.raises(ExpressionError) as caught:
        parse_text(text)
    assert caught.value.offset == offset


def test_deep_nesting_does_not_fall_over():
    _, error = _read("#{" + "-" * (DEEPEST_NESTING + 1) + "1}")
    assert "nested" in error.message
    brackets = "(" * 9000 + "1" + ")" * 9000
    assert list(walk(parse_expression(brackets))) == [Number("1")]


def test_unknown_functions_and_wrong_counts_are_problems():
    assert function_problems(parse_expression("formt(@x, 'Y')")) == [
        ("There is no function 'formt'", "Did you mean 'format'?")
    ]
    ((message, _),) = function_problems(parse_expression("@x.format()"))
    assert message == "format() takes 2 arguments, here it has 1"
    assert function_problems(parse_expression("minusDays(@x, 1).format('Y')")) == []
