"""The commands of the shell that steps run: a real bash, and stand-ins for hadoop and pig."""

import os
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.emr.legacy_steps import script_step
from updraft.emr.script_steps import copy_file, pig_file, pig_text

_HADOOP = """#!/bin/bash
shift
case "$1" in
  -cat) cat "$2" ;;
  -rm) rm -rf "$4" ;;
  -mkdir) mkdir -p "$3" ;;
  -cp) cp "$2" "$3" ;;
  *) exit 9 ;;
esac
"""
_PIG = """#!/bin/bash
printf '%s\\0' "${@:1:$#-1}"
cat "${@: -1}"
"""
_NO_NULL = st.text(st.characters(blacklist_characters="\0\r", codec="utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a step with programs of these names on the path."""
    folder = tmp_path_factory.mktemp("bin")
    for name, text in (("hadoop", _HADOOP), ("pig", _PIG)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "TMPDIR": str(folder)}

    def runner(step):
        return subprocess.run(
            step.arguments, env=environment, capture_output=True, check=False, timeout=30
        )

    return runner


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_NO_NULL, st.lists(_NO_NULL, max_size=3))
def test_pig_gets_script_and_parameters_to_the_letter(run, script, values):
    variables = [f"K{index}={value}" for index, value in enumerate(values)]
    finished = run(pig_text(script, variables))
    assert finished.returncode == 0
    *options, text = finished.stdout.decode().split("\0")
    expected = [option for variable in variables for option in ("-p", variable)]
    assert (options, text) == ([*expected, "-f"], f"{script}\n")


def test_statements_stand_around_a_script_from_s3(run, tmp_path):
    (tmp_path / "s.pig").write_text("B = x;")
    finished = run(pig_file(str(tmp_path / "s.pig"), ["A=1"], before="LOAD;", after="STORE;"))
    assert finished.stdout.decode() == "-p\0A=1\0-f\0LOAD;\nB = x;\nSTORE;\n"


def test_a_script_that_is_not_there_fails_the_step(run, tmp_path):
    assert run(pig_file(str(tmp_path / "no"), before="LOAD;")).returncode != 0
    assert run(script_step(str(tmp_path / "no"), [], None)).returncode != 0


def test_a_script_without_region_reads_its_own_input_and_decides_by_its_exit_code(run, tmp_path):
    (tmp_path / "s.sh").write_text('#!/bin/bash\nread line\necho "$1|$2|$line"\nexit 7\n')
    finished = run(script_step(str(tmp_path / "s.sh"), ["a b", "$HOME"], None))
    assert (finished.returncode, finished.stdout.decode()) == (7, "a b|$HOME|\n")


def test_a_file_gets_a_directory_of_its_own(run, tmp_path):
    (tmp_path / "f.csv").write_text("1")
    target = tmp_path / "staged"
    target.mkdir()
    (target / "old").write_text("0")
    assert run(copy_file(str(tmp_path / "f.csv"), f"{target}/")).returncode == 0
    assert [path.name for path in target.iterdir()] == ["f.csv"]
