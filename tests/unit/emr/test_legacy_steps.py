"""Legacy steps as current releases run them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.emr.legacy_steps import (
    JarStep,
    command_step,
    current_step,
    hadoop_step,
    script_step,
)

_RUNNER = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
_HIVE = (
    "s3://us-east-1.elasticmapreduce/libs/hive/hive-script",
    "--base-path",
    "s3://us-east-1.elasticmapreduce/libs/hive/",
    "--hive-versions",
    "latest",
    "--run-hive-script",
    "--args",
    "-f",
    "s3://b/q",
    "-d",
    "A=1",
)


@given(
    st.from_regex(r"s3://[a-z]{3,9}/[a-z]{1,9}\.jar", fullmatch=True),
    st.lists(st.text().filter(lambda text: not text.startswith("s3n://"))),
)
def test_other_jars_stay_as_they_are(jar, arguments):
    current = current_step(jar, arguments, "eu-west-1")
    assert current.step == JarStep(jar, tuple(arguments))
    assert current.changes == ()


@pytest.mark.parametrize(
    ("jar", "arguments", "step"),
    [
        (
            "/home/hadoop/contrib/streaming/hadoop-streaming.jar",
            ("-input", "s3n://b/i"),
            JarStep("command-runner.jar", ("hadoop-streaming", "-input", "s3://b/i")),
        ),
        *(
            (
                jar,
                ("--src", "hdfs:///o"),
                JarStep("command-runner.jar", ("s3-dist-cp", "--src", "hdfs:///o")),
            )
            for jar in (
                "/home/hadoop/lib/emr-s3distcp-1.0.jar",
                "s3://elasticmapreduce/libs/s3distcp/1.latest/s3distcp.jar",
                "s3://eu-west-1.elasticmapreduce/libs/s3distcp/role/s3distcp.jar",
            )
        ),
        (
            _RUNNER,
            _HIVE,
            JarStep(
                "command-runner.jar",
                ("hive-script", "--run-hive-script", "--args", "-f", "s3://b/q", "-d", "A=1"),
            ),
        ),
        (
            "s3://elasticmapreduce/libs/script-runner/script-runner.jar",
            ("/home/hadoop/libs/pig/pig-script", "--run-pig-script", "--args", "-f", "s3://b/p"),
            JarStep(
                "command-runner.jar",
                ("pig-script", "--run-pig-script", "--args", "-f", "s3://b/p"),
            ),
        ),
        (
            "s3://elasticmapreduce/libs/script-runner/script-runner.jar",
            ("s3://b/s.sh", "x"),
            JarStep(
                "s3://eu-west-1.elasticmapreduce/libs/script-runner/script-runner.jar",
                ("s3://b/s.sh", "x"),
            ),
        ),
        (
            "/var/lib/aws/emr/step-runner/hadoop-jars/command-runner.jar",
            ("spark-submit", "s3://b/j.py"),
            JarStep("command-runner.jar", ("spark-submit", "s3://b/j.py")),
        ),
    ],
)
def test_jars_of_aws_are_rewritten_and_told(jar, arguments, step):
    current = current_step(jar, arguments, "eu-west-1")
    assert current.step == step
    assert current.changes


def test_a_regional_runner_stays():
    assert current_step(_RUNNER, ("s3://b/s.sh",), "eu-west-1").changes == ()


def test_options_behind_the_script_are_not_those_of_the_launcher():
    step = current_step(_RUNNER, (*_HIVE, "--hive-versions", "x"), None).step
    assert step.arguments[-2:] == ("--hive-versions", "x")


def test_what_only_installed_is_left_out():
    arguments = ("s3://elasticmapreduce/libs/hive/hive-script", "--install-hive", "--hive-versions")
    current = current_step(_RUNNER, arguments, None)
    assert current.step is None
    assert "--install-hive" in current.changes[0]


@pytest.mark.parametrize(
    ("main_class", "arguments", "expected"),
    [
        (None, ("teragen", "10"), ("teragen", "-D", "mapreduce.job.queuename=q", "10")),
        (None, ("-files", "x"), ("-D", "mapreduce.job.queuename=q", "-files", "x")),
        ("org.Main", ("in", "out"), ("-D", "mapreduce.job.queuename=q", "in", "out")),
        (None, (), ("-D", "mapreduce.job.queuename=q")),
    ],
)
def test_a_queue_goes_where_generic_options_are_read(main_class, arguments, expected):
    current = hadoop_step("s3://b/j.jar", arguments, main_class, "q")
    assert current.step == JarStep("s3://b/j.jar", expected, main_class)
    assert "queue" in current.changes[0]


def test_the_program_of_streaming_goes_before_the_queue():
    jar = "/home/hadoop/contrib/streaming/hadoop-streaming.jar"
    step = hadoop_step(jar, ("-mapper", "cat"), None, "q").step
    assert step.arguments[:3] == ("hadoop-streaming", "-D", "mapreduce.job.queuename=q")


def test_a_step_that_others_follow_keeps_them_from_running_when_it_fails():
    step = command_step("ls *.jar | wc -l")
    assert step.definition("n", last=False) == {
        "Name": "n",
        "ActionOnFailure": "CANCEL_AND_WAIT",
        "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", "ls *.jar | wc -l"]},
    }
    assert step.definition("n", last=True)["ActionOnFailure"] == "CONTINUE"
    assert JarStep("j", main_class="M").definition("n", last=True)["HadoopJarStep"] == {
        "Jar": "j",
        "MainClass": "M",
    }


def test_a_script_runs_by_the_runner_of_the_region_where_one_is_known():
    step = script_step("s3n://b/s.sh", ["a b"], "eu-west-1")
    assert step.jar == "s3://eu-west-1.elasticmapreduce/libs/script-runner/script-runner.jar"
    assert step.arguments == ("s3://b/s.sh", "a b")


@pytest.mark.parametrize(
    ("version", "differs"), [("latest", False), ("0.13.1", True), ("{{ params.myHive }}", True)]
)
def test_only_a_version_that_a_release_may_lack_is_a_difference(version, differs):
    arguments = [version if one == "latest" else one for one in _HIVE]
    current = current_step(_RUNNER, arguments, None)
    assert bool(current.differences) is differs
    assert any("--base-path" in one for one in current.changes)
    assert any("a release has one version" in one for one in current.changes) is not differs
