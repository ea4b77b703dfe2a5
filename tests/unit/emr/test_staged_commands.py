"""Commands with copies around them, run by a real shell; only S3 is a folder."""

import os
import subprocess

import pytest

from updraft.emr.staged_commands import staged_command_step

_AWS = """#!/bin/bash
# aws s3 cp --only-show-errors [--recursive] FROM TO, where s3:// is a folder
shift 3
recursive=; [ "$1" = --recursive ] && { recursive=1; shift; }
from=${1/s3:\\/\\//$S3/} to=${2/s3:\\/\\//$S3/}
if [ "$recursive" ]; then mkdir -p "$to" && cp -r "$from/." "$to"; else cp "$from" "$to"; fi
"""


@pytest.fixture
def run(tmp_path):
    tools, s3 = tmp_path / "bin", tmp_path / "s3"
    tools.mkdir()
    (s3 / "b" / "in").mkdir(parents=True)
    (s3 / "b" / "in" / "x").write_text("1\n")
    (s3 / "b" / "file").write_text("2\n")
    (tools / "aws").write_text(_AWS)
    (tools / "aws").chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "S3": str(s3)}

    def run(**given):
        step = staged_command_step(**given)
        assert step.jar == "command-runner.jar"
        finished = subprocess.run(
            step.arguments, env=environment, capture_output=True, text=True, check=False
        )
        return finished, s3

    return run


def test_inputs_come_before_and_outputs_go_after(run):
    command = (
        'cat "$INPUT1_STAGING_DIR/x" "$INPUT2_STAGING_DIR/file" > "$OUTPUT1_STAGING_DIR/$1"\n'
        'echo "$2" > "$OUTPUT2_STAGING_DIR/it\'s"'
    )
    finished, s3 = run(
        command=command,
        arguments=["a b", "$HOME"],
        inputs=["s3://b/in/", "s3://b/file"],
        outputs=["s3://b/out/", "s3://b/more/"],
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert (s3 / "b" / "out" / "a b").read_text() == "1\n2\n"
    assert (s3 / "b" / "more" / "it's").read_text() == "$HOME\n"


def test_a_failure_writes_nothing_and_keeps_its_code(run):
    finished, s3 = run(command="exit 7", outputs=["s3://b/out/"])
    assert finished.returncode == 7
    assert not (s3 / "b" / "out").exists()


def test_a_missing_input_keeps_the_command_from_running(run):
    finished, s3 = run(
        command="touch $OUTPUT1_STAGING_DIR/x", inputs=["s3://b/no"], outputs=["s3://b/out/"]
    )
    assert finished.returncode != 0
    assert not (s3 / "b" / "out").exists()


def test_a_script_is_run_by_what_its_first_line_says(run):
    _, s3 = run(command="true")
    (s3 / "b" / "job").write_text("#!/usr/bin/env -S bash -e\nfalse\necho unreached\n")
    finished, _ = run(script_uri="s3://b/job")
    assert (finished.returncode, finished.stdout) == (1, "")
