"""Steps: what is read and refused, and the names by which they are found again."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.emr.step_logs import exception_line, tail
from updraft.emr.steps import (
    StepDefinition,
    StepIdentity,
    identified,
    identity_of,
    read_steps,
    step_key,
    stops_others,
    with_action,
)
from updraft.errors import UpdraftError

PI = {"Name": "pi", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["spark-example"]}}


def test_definitions_mappings_and_json_give_the_same_steps():
    definition = StepDefinition("pi", ["spark-example"])
    expected = [
        {
            "Name": "pi",
            "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["spark-example"]},
        }
    ]

    assert read_steps([definition]) == expected
    assert read_steps(PI) == expected
    assert read_steps(json.dumps([PI])) == expected


def test_steps_at_the_same_time_cannot_cancel_each_other():
    (step,) = read_steps(PI, concurrent=True)
    (given,) = read_steps({**PI, "ActionOnFailure": "TERMINATE_CLUSTER"})

    assert with_action(step, concurrent=True)["ActionOnFailure"] == "CONTINUE"
    assert with_action(step, concurrent=False)["ActionOnFailure"] == "CANCEL_AND_WAIT"
    assert with_action(given, concurrent=False) == given
    with pytest.raises(UpdraftError, match="step_concurrency=1"):
        read_steps({**PI, "ActionOnFailure": "TERMINATE_CLUSTER"}, concurrent=True)


def test_numbers_among_the_arguments_become_text():
    step = {**PI, "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["x", 10, 0.5]}}

    assert read_steps([step])[0]["HadoopJarStep"]["Args"] == ["x", "10", "0.5"]


def test_a_jar_may_have_a_main_class_and_properties():
    definition = StepDefinition("j", jar="s3://b/j.jar", main_class="M", properties={"k": "v"})

    assert read_steps([definition])[0]["HadoopJarStep"] == {
        "Jar": "s3://b/j.jar",
        "Args": [],
        "MainClass": "M",
        "Properties": [{"Key": "k", "Value": "v"}],
    }


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[", "not JSON"),
        ([], "no list of steps"),
        ("[]", "no list of steps"),
        ([7], r"steps\[0\]: 7 is no step"),
        ([PI, {"Name": "x"}], r"steps\[1\]: HadoopJarStep names no Jar"),
        ([{**PI, "ActionOnFail": "CONTINUE"}], "did you mean 'ActionOnFailure'"),
        ([{**PI, "ActionOnFailure": "CONTINU"}], "did you mean 'CONTINUE'"),
        ([{"HadoopJarStep": {"Jar": "j", "Arguments": []}}], "did you mean 'Args'"),
        ([{"HadoopJarStep": {"Jar": "j", "Args": "a b"}}], "each argument on its own"),
        ([{"HadoopJarStep": {"Jar": "j", "Args": [None]}}], r"Args\[0\]: None is no text"),
        ([{"HadoopJarStep": {"Jar": "j", "Args": [True]}}], r"Args\[0\]: True is no text; put"),
        ([{"HadoopJarStep": {"Jar": "j", "Args": [1e22]}}], r"Args\[0\]: 1e\+22 is no text; put"),
        ([{"HadoopJarStep": {"Jar": "j", "Args": ""}}], "Args: '' is no list; give each"),
        ([{"HadoopJarStep": {"Jar": "j", "Args": 0}}], "Args: 0 is no list; give each"),
        ([{"HadoopJarStep": {"Jar": 7}}], "HadoopJarStep names no Jar"),
        ([{"HadoopJarStep": {"Jar": "j", "Properties": {"a": "b"}}}], "Properties: .* is no list"),
        ([{"HadoopJarStep": {"Jar": "j", "Properties": [{"a": "b"}]}}], "Properties: .* no list"),
        ([StepDefinition("s", "bash -c date")], r"Args: 'bash -c date' is no list"),
        (
            [{"HadoopJarStep": {"Jar": "j", "Args": ["x", "y" * 10_239]}}],
            r"10,241 characters, of which Args\[1\] has most; EMR takes 10,240 in all",
        ),
        (
            [{"HadoopJarStep": {"Jar": "j", "Properties": [{"Key": "k", "Value": "v" * 10_239}]}}],
            "HadoopJarStep has 10,241 characters; EMR takes 10,240 in all",
        ),
    ],
)
def test_a_wrong_step_says_what_is_wrong(steps, message):
    with pytest.raises(UpdraftError, match=message):
        read_steps(steps)


@given(
    name=st.text(string.printable, min_size=1, max_size=400),
    token=st.uuids().map(str),
    index=st.integers(0, 300),
    series=st.text("0123456789abcdef", min_size=6, max_size=6),
    instance=st.integers(1, 10_000),
)
def test_the_identity_of_a_step_is_read_from_its_name(name, token, index, series, instance):
    step = read_steps([{**PI, "Name": name}])[0]
    identity = StepIdentity(step_key(token, index, step), series, instance)
    named = identified(step, identity)

    assert identity_of(named["Name"]) == identity
    assert len(named["Name"]) <= 256
    assert named["HadoopJarStep"] == step["HadoopJarStep"]
    assert named["Name"].startswith(name[:200])


@given(st.text())
def test_a_foreign_name_has_no_identity_unless_it_looks_like_one(name):
    assert identity_of(name) is None or name.endswith("]")


def test_the_key_tells_owner_place_and_content_apart():
    (step,) = read_steps([PI])
    other = read_steps([{**PI, "Name": "other"}])[0]
    keys = {
        step_key("t", 0, step),
        step_key("u", 0, step),
        step_key("t", 1, step),
        step_key("t", 0, other),
    }

    assert len(keys) == 4
    assert step_key("t", 0, step) == step_key("t", 0, dict(reversed(step.items())))


def test_only_continue_lets_other_steps_go_on():
    assert not stops_others({"ActionOnFailure": "CONTINUE"})
    assert stops_others({"ActionOnFailure": "CANCEL_AND_WAIT"})
    assert stops_others({"ActionOnFailure": "TERMINATE_CLUSTER"})


PYTHON = """Traceback (most recent call last):
  File "job.py", line 3, in <module>
    raise ValueError("no such day")
ValueError: no such day

"""
JAVA = """24/11/23 INFO Client: begun
Exception in thread "main" org.apache.spark.SparkException: Application finished with failed status
\tat org.apache.spark.deploy.yarn.Client.run(Client.scala:1354)
24/11/23 INFO ShutdownHookManager: Deleting directory
"""


@pytest.mark.parametrize(
    ("logs", "line"),
    [
        ([PYTHON], "ValueError: no such day"),
        ([JAVA], "org.apache.spark.SparkException: Application finished with failed status"),
        (["plain words\n", JAVA], "org.apache.spark.SparkException: Application finished"),
        (["first\nlast words\n\n", "other"], "last words"),
        (["", "bash: aws: command not found"], "bash: aws: command not found"),
        (["", "\n"], None),
        ([], None),
    ],
)
def test_the_line_that_says_what_went_wrong(logs, line):
    found = exception_line(logs)

    assert found == line or (line is not None and found.startswith(line))


def test_the_tail_of_a_log_is_bounded():
    text = "\n\n".join(f"{number} " + "x" * 1000 for number in range(100))

    lines = tail(text, 3)

    assert [line.split()[0] for line in lines] == ["97", "98", "99"]
    assert {len(line) for line in lines} == {400}
