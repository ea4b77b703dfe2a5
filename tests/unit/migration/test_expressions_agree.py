"""The evaluator and the rendered template give the same value, for any expression."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.datapipeline.checking import check
from updraft.datapipeline.evaluation import Evaluator
from updraft.datapipeline.expression_values import as_text
from updraft.datapipeline.expressions import (
    Call,
    ListOf,
    Name,
    Negation,
    Number,
    Operation,
    String,
    to_source,
)
from updraft.datapipeline.reading import read_text
from updraft.errors import UpdraftError
from updraft.migration.jinja_compiler import JinjaCompiler, RunClock
from updraft.migration.template_preview import render_template

_PARAMS = {"myCount": 3, "myRatio": 0.25, "myText": "x", "myDigits": "12", "myList": ["one", "two"]}
_CLOCKS = (
    RunClock("data_interval_start", "data_interval_end", pendulum=True),
    RunClock("dag_run.run_after", "(dag_run.run_after + macros.timedelta(days=1))"),
)


def _definition():
    document = {
        "objects": [
            {
                "id": "A",
                "type": "ShellCommandActivity",
                "command": "c",
                "myField": "f-#{myText}",
                "myDate": "#{minusDays(@scheduledStartTime, 1)}",
                "input": {"ref": "B"},
            },
            {"id": "B", "type": "S3DataNode", "directoryPath": "s3://b/#{myDigits}"},
        ],
        "parameters": [
            {"id": "myCount", "type": "Integer"},
            {"id": "myRatio", "type": "Double"},
            {"id": "myText"},
            {"id": "myDigits"},
            {"id": "myList", "isArray": "true"},
        ],
        "values": _PARAMS,
    }
    definition = read_text(json.dumps(document), "x.json").definition
    return definition, check(definition)[0]


_DEFINITION, _RESOLVED = _definition()


def both(text, at):
    """Give the value by the evaluator and by each template, none where there is none."""
    item = _RESOLVED["A"]
    end = at + timedelta(days=1)
    runtime = {"@scheduledStartTime": at, "@scheduledEndTime": end, "@pipelineId": "dag"}
    yield _value(
        lambda: as_text(Evaluator(_DEFINITION, _RESOLVED, runtime).evaluate_text(text, item))
    )
    for clock in _CLOCKS:
        compiler = JinjaCompiler(_DEFINITION, _RESOLVED, clock, lists=True)
        yield _value(
            lambda compiler=compiler: render_template(
                compiler.compile_text(text, item).text, runtime=runtime, params=_PARAMS
            )
        )


def _value(compute):
    try:
        return compute()
    except UpdraftError:
        return None


def test_golden_values_through_both_templates():
    path = Path(__file__).parents[1] / "datapipeline" / "joda_format.tsv"
    with path.open(encoding="utf-8", newline="\n") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows[::3]:
        pattern = row["pattern"]
        quote = '"' if "'" in pattern else "'"
        text = f"#{{format(@scheduledStartTime, {quote}{pattern}{quote})}}"
        at = datetime.fromisoformat(row["instant"])
        assert set(both(text, at)) == {row["result"]}, row


_INSTANTS = st.recursive(
    st.sampled_from([Name("@scheduledStartTime"), Name("@scheduledEndTime"), Name("myDate")]),
    lambda inner: (
        st.builds(
            lambda name, one, count: Call(name, (one, count)),
            st.sampled_from(
                [
                    f"{word}{unit}"
                    for word in ("plus", "minus")
                    for unit in ("Minutes", "Hours", "Days", "Weeks", "Months", "Years")
                ]
            ),
            inner,
            st.integers(0, 200).map(lambda number: Number(str(number)))
            | st.just(Name("myCount"))
            | st.just(Name("myDigits"))
            | st.just(Negation(Number("2"))),
        )
        | st.builds(
            lambda name, one: Call(name, (one,), method=True),
            st.sampled_from(["midnight", "yesterday", "sunday", "firstOfMonth"]),
            inner,
        )
        | st.builds(
            lambda one, zone: Call("inTimeZone", (one, String(zone))),
            inner,
            st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "+05:30"]),
        )
        | st.builds(
            lambda one, period: Call("plusPeriod", (one, String(period))),
            inner,
            st.sampled_from(["1 day", "3 months", "2 years"]),
        )
    ),
    max_leaves=4,
)
_PATTERNS = st.lists(
    st.sampled_from(
        [letter * count for letter in "GCYxweEyDMdaKhHkmsSzZ" for count in (1, 2, 3, 4, 6)]
        + ["-", "/", " ", "%", "{{", "[x]", ":", "é"]
    ),
    min_size=1,
    max_size=5,
).map("".join)
_NUMBERS = st.recursive(
    st.integers(0, 99).map(lambda number: Number(str(number)))
    | st.sampled_from([Number("1.5"), Number(".25"), Name("myCount"), Name("myRatio")])
    | st.builds(
        lambda name, one: Call(name, (one,)),
        st.sampled_from(["year", "month", "day", "dayOfYear", "hour", "minute"]),
        _INSTANTS,
    ),
    lambda inner: (
        st.builds(Operation, st.sampled_from("+-*/^"), inner, inner) | st.builds(Negation, inner)
    ),
    max_leaves=5,
)
_TEXTS = st.recursive(
    st.text("ab{}%#$ é\n\\", max_size=4).map(String)
    | st.sampled_from([Name("myText"), Name("myField"), Name("myDigits"), Name("@pipelineId")])
    | st.builds(lambda one, pattern: Call("format", (one, String(pattern))), _INSTANTS, _PATTERNS),
    lambda inner: st.builds(
        lambda one, other: Operation("+", one, other), inner, inner | _NUMBERS | _INSTANTS
    ),
    max_leaves=4,
)
_LISTS = st.recursive(
    st.just(Name("myList")) | st.lists(_TEXTS | _NUMBERS, max_size=3).map(tuple).map(ListOf),
    lambda inner: (
        st.builds(lambda one, other: Operation("+", one, other), inner, _TEXTS)
        | st.builds(lambda one, other: ListOf((one, other)), inner, inner)
    ),
    max_leaves=3,
)


@settings(max_examples=150, deadline=None)
@given(
    _TEXTS | _NUMBERS | _INSTANTS | _LISTS,
    st.sampled_from(["", "s3://b/", "${x}", "{", "a\n"]),
    st.integers(160_000_000, 3_800_000_000).map(lambda at: datetime.fromtimestamp(at, UTC)),
)
def test_any_expression_has_one_value(tree, before, at):
    text = f"{before}#{{{to_source(tree)}}}"
    values = set(both(text, at))
    assert len(values) == 1, values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("#{'this is ' + myList}", '["this is one", "this is two"]'),
        ("#{[myList, 3]}", '["one", "two", 3]'),
        ("x-#{myList}", '["x-one", "x-two"]'),
        ("#{1 / 2}", "0"),
        ("#{1.0 / 2}", "0.5"),
        ("#{2 ^ 2}", "4.0"),
        ('#{"hel" + "lo"}', "hello"),
        ("#{10.0 * 1000000}", "1.0E7"),
        ("#{input.directoryPath}/#{myField}", "s3://b/12/f-x"),
        ("${INPUT1_STAGING_DIR} %{x} }", "${INPUT1_STAGING_DIR} %{x} }"),
        ("#{1 / 0}", None),
        ("#{'a' - 1}", None),
        ("#{myList + myList}", None),
        ("#{minusYears(@scheduledStartTime, 5000)}", None),
    ],
)
def test_values(text, value):
    assert set(both(text, datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC))) == {value}
