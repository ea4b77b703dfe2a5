"""The script around a command: what it quotes, refuses, and does when bash runs it."""

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.errors import ArgumentError
from updraft.shell.quoting import quoted
from updraft.shell.script import ShellScript

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
_BRACES = st.text("{}'\"$ \\", max_size=12)


def run(script, home, *programs):
    """Run a script with programs of its own on the PATH; each is a name and the text of it."""
    for name, text in programs:
        path = home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    return subprocess.run(
        ["bash", "-c", script.text()],
        env={"HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(_TEXT | _BRACES, min_size=1, max_size=5))
def test_any_words_arrive_and_no_two_braces_are_left(words):
    line = " ".join(quoted(word) for word in words)
    assert "{{" not in line
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, timeout=10, check=True
    )
    assert done.stdout.decode().split("\0")[:-1] == words


def test_the_exit_code_arguments_and_environment_of_a_command(tmp_path):
    script = ShellScript(
        command='echo "$#:$1:$2:$NAME:$PWD"; exit 7',
        arguments=["a b", ""],
        environment={"NAME": "it's {{x}}"},
    )
    done = run(script, tmp_path)
    assert (done.returncode, done.stdout) == (7, f"2:a b::it's {{{{x}}}}:{tmp_path}\n")
    assert [one.name for one in tmp_path.iterdir()] == []  # nothing is left behind


def test_a_first_line_chooses_the_interpreter(tmp_path):
    done = run(ShellScript(command="#!/usr/bin/env python3\nprint(1 + 1)"), tmp_path)
    assert done.stdout == "2\n"


def test_data_is_copied_before_and_after_and_not_after_a_failure(tmp_path):
    aws = ("aws", 'echo "aws $*" >> ~/calls; [ "$3" != --only-fail ]')
    script = ShellScript(
        command='echo "$INPUT1_STAGING_DIR" > "$OUTPUT1_STAGING_DIR/o"; exit "$1"',
        arguments=["0"],
        inputs=["s3n://bucket/in/", "s3://bucket/o ne"],
        outputs=["s3://bucket/out"],
    )
    assert run(script, tmp_path, aws).returncode == 0
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [one.split("s3 cp --only-show-errors ")[1].split("/")[0] for one in calls] == [
        "--recursive s3:",
        "s3:",
        "--recursive ",
    ]
    assert "s3://bucket/in/ " in calls[0]
    assert "s3://bucket/o ne " in calls[1]
    assert calls[2].endswith(" s3://bucket/out/")
    (tmp_path / "calls").unlink()
    failing = ShellScript(command="exit 3", inputs=script.inputs, outputs=script.outputs)
    assert run(failing, tmp_path).returncode == 3
    assert len((tmp_path / "calls").read_text().splitlines()) == 2


def test_what_cannot_be_copied_keeps_the_command_from_running(tmp_path):
    script = ShellScript(command="touch ~/ran", inputs=["s3://bucket/in/"])
    assert run(script, tmp_path, ("aws", "exit 5")).returncode == 5
    assert not (tmp_path / "ran").exists()


def test_output_is_kept_in_s3_and_a_failure_to_keep_it_counts(tmp_path):
    aws = ("aws", 'cat "$4" >> ~/kept')
    script = ShellScript(
        command="echo out; echo err >&2", stdout_uri="s3://b12/o", stderr_uri="s3://b12/e"
    )
    done = run(script, tmp_path, aws)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")
    assert (tmp_path / "kept").read_text() == "out\nerr\n"
    assert run(script, tmp_path, ("aws", "exit 4")).returncode == 1


def test_output_is_kept_on_the_machine_as_well(tmp_path):
    kept = tmp_path / "it's kept"
    script = ShellScript(
        command="echo out; echo err >&2; exit 3", stdout_uri=f"{kept}.out", stderr_uri=f"{kept}.err"
    )
    done = run(script, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert [(tmp_path / f"it's kept.{one}").read_text() for one in ("out", "err")] == [
        "out\n",
        "err\n",
    ]
    unwritable = ShellScript(command="echo out", stdout_uri=f"{tmp_path}/no/such/place")
    assert run(unwritable, tmp_path).returncode == 1


def test_another_user_runs_it_at_home(tmp_path):
    programs = (
        ("getent", f'[ "$2" = worker ] && echo "worker:x:1:1::{tmp_path}:/bin/bash"'),
        ("runuser", 'echo "$2" >> ~/users; shift 3; exec "$@"'),
    )
    done = run(ShellScript(command="echo $HOME", user="worker"), tmp_path, *programs)
    assert done.stdout == f"{tmp_path}\n"
    assert set((tmp_path / "users").read_text().split()) == {"worker"}
    done = run(ShellScript(command="true", user="nobody-here"), tmp_path, *programs)
    assert (done.returncode, done.stderr) == (1, "There is no user nobody-here on this machine.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "one of command and script_uri"),
        ({"command": "x", "script_uri": "s3://bucket/x"}, "one of command and script_uri"),
        ({"command": " \n"}, "nothing to run"),
        ({"script_uri": "/tmp/x"}, "script_uri: '/tmp/x' is not an S3 URI"),
        ({"script_uri": "s3://bucket/dir/"}, "names no object"),
        ({"command": "x", "stdout_uri": "s3://bucket"}, "stdout_uri: 's3://bucket' names no"),
        ({"command": "x", "stderr_uri": "/tmp/"}, "stderr_uri: '/tmp/' names no file"),
        ({"command": "x", "stdout_uri": "tmp/x"}, "stdout_uri: 'tmp/x' is not an S3 URI"),
        ({"command": "x", "inputs": ["b/x"]}, "inputs: 'b/x'"),
        ({"command": "x", "environment": {"A-B": "1"}}, "'A-B' is no name of a variable"),
        ({"command": "x", "user": "a b"}, "'a b' is no name of a user"),
        ({"command": "x\0"}, "NUL"),
    ],
)
def test_what_is_wrong_is_named(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        ShellScript(**arguments).text()
