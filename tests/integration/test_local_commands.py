"""`updraft local` as a person uses it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import pytest
from typer.testing import CliRunner, Result

from include.local import processes
from updraft.cli.local import NOTHING_RUNS, local_app

pytestmark = pytest.mark.integration


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.stop(tmp_path)


def run(state: Path, *arguments: str) -> Result:
    environment = {"UPDRAFT_LOCAL_STATE_DIRECTORY": str(state), "COLUMNS": "120"}
    return CliRunner().invoke(local_app, arguments, env=environment)


def test_from_up_to_down(state: Path) -> None:
    up = run(state, "up", "--aws-only")
    assert up.exit_code == 0, up.output
    variables = dict(re.findall(r"^export (\w+)=(.*)$", up.stdout, re.MULTILINE))
    sts = boto3.client(
        "sts",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
    )
    assert sts.get_caller_identity()["Account"] == "123456789012"

    again = run(state, "up", "--aws-only")
    assert re.findall(r"^export .*$", again.stdout, re.MULTILINE) == re.findall(
        r"^export .*$", up.stdout, re.MULTILINE
    )
    assert len(processes.find(state)) == 2

    status = run(state, "status")
    assert status.exit_code == 0
    assert re.search(rf"gateway +running +1 .*{variables['AWS_ENDPOINT_URL']}", status.stdout)
    assert re.search(r"scheduler +not running +0", status.stdout)

    logs = run(state, "logs", "gateway", "--lines", "1")
    assert logs.exit_code == 0
    assert len(logs.stdout.splitlines()) == 1
    assert variables["AWS_ENDPOINT_URL"] in logs.stdout
    assert "gateway: " in run(state, "logs").stdout

    down = run(state, "down")
    assert down.exit_code == 0
    assert "Ended gateway (1 process)" in down.stdout
    assert processes.find(state) == []


def test_nothing_runs(state: Path) -> None:
    assert run(state, "status").exit_code == NOTHING_RUNS
    down = run(state, "down")
    assert down.exit_code == 0
    assert "Nothing runs with the state in" in down.stdout


def test_logs_that_do_not_exist(state: Path) -> None:
    nothing = run(state, "logs")
    assert nothing.exit_code == 1
    assert "run `updraft local up` first" in nothing.stderr
    (state / "logs").mkdir()
    (state / "logs" / "gateway.log").write_text("line\n")
    wrong = run(state, "logs", "gate")
    assert wrong.exit_code == 1
    assert "no log of 'gate'" in wrong.stderr
    assert "there are: gateway" in wrong.stderr


@pytest.mark.thorough
def test_down_ends_what_no_component_knows(state: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(300)"]
    pid = processes.start(state, "stranger", command, os.environ, state)
    assert re.search(r"other +stranger +running", run(state, "status").stdout)
    assert "Ended stranger" in run(state, "down").stdout
    assert not psutil.pid_exists(pid)


def test_logs_are_followed(state: Path) -> None:
    log = processes.log_file(state, "gateway")
    log.parent.mkdir()
    log.write_text("first\n")
    # Whoever runs the tests in the background of a shell has SIGINT ignored, and so have children.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from updraft.cli.local import local_app; local_app(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "logs", "--follow", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "first\n"
        with log.open("a") as file:
            file.write("second\nunfin")
            file.flush()
            assert follower.stdout.readline() == "second\n"
            file.write("ished\n")
        assert follower.stdout.readline() == "unfinished\n"
        follower.send_signal(signal.SIGINT)
        assert follower.wait(timeout=10) == 130


def test_bad_port_is_told_in_one_sentence(state: Path) -> None:
    result = run(state, "up", "--aws-only", "--aws-port", "70000")
    assert result.exit_code == 1
    assert result.stderr.strip().endswith(
        "Error: 70000 is not a port number; choose one between 1 and 65535"
    )
    assert processes.find(state) == []


def test_state_that_can_not_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text(json.dumps(time.time()))
    result = run(blocked, "up", "--aws-only")
    assert result.exit_code == 1
    assert "The state directory can't be used" in result.stderr
