"""Compiled templates, rendered by Jinja, say what the expressions said."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.datapipeline.checking import check
from updraft.datapipeline.macros import template_macros
from updraft.datapipeline.reading import read_text
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.jinja_compiler import JinjaCompiler, RunClock
from updraft.migration.jinja_text import jinja_string

RUN_AFTER = datetime(2024, 2, 29, 23, 59, 9, 123456, tzinfo=UTC)
CLOCK = RunClock("dag_run.run_after", "(dag_run.run_after + macros.timedelta(days=1))")


def _compiler(fields, clock=CLOCK, *, lists=False):
    document = {
        "objects": [
            {
                "id": "A",
                "type": "ShellCommandActivity",
                "workerGroup": "w",
                "command": "c",
                **fields,
            },
            {"id": "T", "type": "DynamoDBDataNode", "tableName": "#{myName}-t"},
        ],
        "parameters": [
            {"id": "myName"},
            {"id": "myCount", "type": "Integer"},
            {"id": "myOptional", "optional": "true"},
            {"id": "myList", "isArray": "true"},
            {"id": "*mySecret"},
            {"id": "myText", "default": "7"},
            {"id": "myPattern", "default": "YYYY"},
            {"id": "myDate", "default": "2020-01-02T03:04:05"},
        ],
        "values": {"other": "o", "items": "i"},
    }
    definition = read_text(json.dumps(document), "x.json").definition
    resolved, _ = check(definition)
    return JinjaCompiler(definition, resolved, clock, lists=lists), resolved["A"]


def _compile(text, **fields):
    compiler, item = _compiler(fields)
    return compiler.compile_text(text, item)


PARAMS = {
    "myName": "name",
    "myCount": 3,
    "myOptional": None,
    "other": "o",
    "items": "i",
    "myText": "7",
    "myPattern": "YYYY",
    "myDate": "2020-01-02T03:04:05",
}


def _render(template):
    macros = {macro.__name__: macro for macro in template_macros()}
    return (
        jinja2.Environment(autoescape=False)
        .from_string(template)
        .render(
            params=PARAMS,
            dag_run=SimpleNamespace(run_after=RUN_AFTER),
            dag=SimpleNamespace(dag_id="the_dag"),
            macros=SimpleNamespace(timedelta=timedelta, updraft=SimpleNamespace(**macros)),
        )
    )


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("plain ${shell} %{ruby}", "plain ${shell} %{ruby}"),
        ("s3://#{myName}/x", "s3://name/x"),
        ("{#{myName}}", "{name}"),
        ("#{@scheduledStartTime}", "2024-02-29T23:59:09"),
        ("#{@scheduledEndTime}", "2024-03-01T23:59:09"),
        ("#{@pipelineId}", "the_dag"),
        ("#{format(@scheduledStartTime,'YYYY-MM-dd-HH-mm-ss')}", "2024-02-29-23-59-09"),
        ("#{@scheduledStartTime.format('hh a')}", "11 PM"),
        ("#{format(minusDays(@scheduledStartTime, 1), 'D')}", "59"),
        ("#{format(plusHours(@scheduledStartTime, myCount), 'HH')}", "02"),
        ("#{midnight(@scheduledStartTime)}", "2024-02-29T00:00:00"),
        ("#{firstOfMonth(@scheduledStartTime)}", "2024-02-01T23:59:09"),
        ("#{yesterday(@scheduledStartTime)}", "2024-02-28T23:59:09"),
        ("#{year(@scheduledStartTime)}/#{month(@scheduledStartTime)}", "2024/2"),
        ("#{dayOfYear(@scheduledStartTime)}", "60"),
        ("#{'a' + myName + 1}", "aname1"),
        ("#{format(@scheduledStartTime, 'SSS')}", "123"),
        ("#{format(@scheduledStartTime, myPattern)}", "2024"),
        ("#{minusMonths(@scheduledStartTime, 12)}", "2023-02-28T23:59:09"),
        ("#{minusDays(@scheduledStartTime, myText)}", "2024-02-22T23:59:09"),
        ("#{midnight(myDate)}", "2020-01-02T00:00:00"),
        ("#{1 + 2 * 2}", "5"),
        ("#{(0 - 7) / 2} #{1.0 / 2} #{2 ^ 2}", "-3 0.5 4.0"),
        ("#{myCount / 2}#{myText}", "17"),
        ("#{-myCount + myText - 1}", "-38"),
        ("#{input.tableName}", "name-t"),
        ("#{myOwn}", "own name"),
        ("#{id} #{type}", "A ShellCommandActivity"),
        ("#{myOptional}.", "."),
        ("#{other}", "o"),
        ("#{items}", "i"),
        ("line\n", "line\n"),
        ("#{'{'}#{'{'}x", "{{x"),
    ],
)
def test_compiled_texts(text, rendered):
    template = _compile(text, input={"ref": "T"}, myOwn="own #{myName}")
    assert _render(template.text) == rendered
    assert (template.literal is None) == ("#{" in text and not text.startswith(("#{id}", "#{'{")))


def test_of_several_objects_those_count_that_have_the_field():
    several = [{"ref": "A"}, {"ref": "T"}]
    assert _render(_compile("#{input.tableName}", input=several).text) == "name-t"
    compiler, item = _compiler({"input": [*several, {"ref": "T"}]}, lists=True)
    found = compiler.compile_text("#{input.tableName}", item)
    assert _render(found.text) == '["name-t", "name-t"]'


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
def test_any_text_without_expressions_comes_out_as_it_was(text):
    if "#{" not in text:
        template = _compile(text)
        assert _render(template.text) == text
        assert template.literal == text


@given(st.text(alphabet="{}%#-'\"\\n ", max_size=12), st.text(alphabet="{}%#- \n", max_size=12))
def test_braces_around_expressions_stay(before, after):
    if "#{" not in before + "#{"[:1] and not before.endswith("#") and "#{" not in after:
        assert _render(_compile(f"{before}#{{myName}}{after}").text) == f"{before}name{after}"


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
def test_jinja_strings(text):
    assert _render(f"{{{{ {jinja_string(text)} }}}}") == text


@pytest.mark.parametrize(
    ("text", "template"),
    [
        (
            "#{format(minusDays(@scheduledStartTime, 1), 'YYYY-MM-dd')}",
            "{{ data_interval_start.subtract(days=1).format('YYYY-MM-DD') }}",
        ),
        (
            "#{@scheduledEndTime.format('YYYYMMdd')}",
            "{{ data_interval_end.format('YYYYMMDD') }}",
        ),
        (
            "#{format(firstOfMonth(plusMonths(@scheduledStartTime, myCount)), 'MMM')}",
            "{{ data_interval_start.add(months=params.myCount).replace(day=1).strftime('%b') }}",
        ),
        ("#{myCount + 1}", "{{ params.myCount + 1 }}"),
        (
            "#{format(@scheduledStartTime, 'kk')}",
            "{{ macros.updraft.format(data_interval_start, 'kk') }}",
        ),
        (
            "#{sunday(@scheduledStartTime).year()}",
            "{{ macros.updraft.sunday(data_interval_start).year }}",
        ),
        (
            "#{format(sunday(@scheduledStartTime), 'xxxx-ww')}",
            "{{ macros.updraft.sunday(data_interval_start).strftime('%G-%V') }}",
        ),
        (
            "#{format(sunday(@scheduledStartTime), 'HHZ')}",
            "{{ macros.updraft.format(macros.updraft.sunday(data_interval_start), 'HHZ') }}",
        ),
        (
            "#{midnight(sunday(@scheduledStartTime))}",
            "{{ macros.updraft.midnight(macros.updraft.sunday(data_interval_start))"
            ".strftime('%Y-%m-%dT%H:%M:%S') }}",
        ),
        (
            "#{format(plusPeriod(@scheduledStartTime, '1 Month'), 'MM')}",
            "{{ data_interval_start.add(months=1).format('MM') }}",
        ),
        ("#{1 + myCount * 2 - 3}", "{{ 1 + params.myCount * 2 - 3 }}"),
        ("#{(1 + myCount) * (2 - (3 - 4))}", "{{ (1 + params.myCount) * (2 - (3 - 4)) }}"),
        ("#{-1 * -myCount}", "{{ -1 * (-params.myCount) }}"),
    ],
)
def test_templates_of_scheduled_runs_are_short(text, template):
    clock = RunClock("data_interval_start", "data_interval_end", pendulum=True)
    compiler, item = _compiler({}, clock)
    assert compiler.compile_text(text, item).text == template


def test_an_alarm_knows_what_it_belongs_to():
    compiler, item = _compiler({"id": "A", "pipelineLogUri": "s3://logs"})
    text = "#{node.name} #{node.@actualEndTime} #{node.errorMessage} #{node.pipelineLogUri}"
    assert compiler.compile_text(text, item, node=item).text == (
        "A {{ (ti.end_date or macros.datetime.utcnow()).strftime('%Y-%m-%dT%H:%M:%S') }} "
        "{{ exception | default('') }} s3://logs"
    )


def test_reads_are_noted():
    template = _compile("#{input.tableName}#{myOwn}", input={"ref": "T"}, myOwn="#{myCount}")
    assert template.parameters == {"myName", "myCount"}
    assert template.fields == {("T", "tableName"), ("A", "myOwn")}


def test_a_missing_field_names_the_place_that_reads_it():
    with pytest.raises(MissingFieldError) as caught:
        _compile("#{myOuter}", myOuter="#{myInner}", myInner="#{myNoone}")
    assert caught.value.place == ("A", "myInner")
    assert "'myNoone'" in caught.value.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#{format(@scheduledStartTime, 'qq')}", "no letter"),
        ("#{inTimeZone(@scheduledStartTime, 'Mars')}", "time zone"),
        ("#{midnight(3)}", "takes a date"),
        ("#{@scheduledStartTime * 2}", "no number"),
        ("#{formt(@scheduledStartTime)}", "no function.*'format'"),
        ("#{year(1, 2)}", "2 arguments"),
        ("#{[1]}", "list"),
        ("a#{myList}", "list"),
        ("#{node.output.@actualStartTime}", "one reference"),
        ("#{myList}", "list"),
        ("#{*mySecret}", "secret"),
        ("#{mySecret}", "secret"),
        ("#{@actualEndTime}", "runtime"),
        ("#{node.name}", "node"),
        ("#{input}", "reference"),
    ],
)
def test_what_is_not_supported_says_so(text, words):
    with pytest.raises(NotCompilableError, match=words):
        _compile(text, input={"ref": "T"})


@pytest.mark.parametrize(
    "source",
    [
        "-" * 60 + "1",
        "[" * 60 + "]" * 60,
        "myCount" + " - myCount" * 60,
        "@scheduledStartTime" + ".plusDays(1)" * 60,
        "sunday(" * 60 + "@scheduledStartTime" + ")" * 60,
    ],
)
def test_what_jinja_could_not_read_is_refused(source):
    with pytest.raises(NotCompilableError, match="nested too deeply"):
        _compile(f"#{{{source}}}")


def test_a_long_row_of_fields_is_refused_and_wide_texts_are_not():
    fields = {f"myF{number}": f"#{{myF{number + 1}}}" for number in range(60)}
    with pytest.raises(NotCompilableError, match="one another"):
        _compile("#{myF0}", **fields, myF60="x")
    assert _compile("#{" + "'(' + myCount + " * 40 + "1}").text.startswith("({{ params.myCount }}(")
    dates = ", ".join(["sunday(@scheduledStartTime).plusDays(1)"] * 60)
    compiler, item = _compiler({}, RunClock("data_interval_start", None, pendulum=True), lists=True)
    assert compiler.compile_text(f"#{{[{dates}]}}", item).text.count("plusDays") == 60


@pytest.mark.parametrize(
    "text", ["#{output.directoryPath}", "#{input.directoryPath}", "#{myLoop}", "#{get}"]
)
def test_missing_fields_and_circles_are_errors(text):
    with pytest.raises(MissingFieldError) as caught:
        _compile(text, input={"ref": "T"}, myLoop="#{myLoop}")
    assert caught.value.advice


def test_without_an_end_the_end_is_not_supported():
    compiler, item = _compiler({}, RunClock("dag_run.run_after", None))
    with pytest.raises(NotCompilableError, match="scheduledEndTime"):
        compiler.compile_text("#{@scheduledEndTime}", item)
