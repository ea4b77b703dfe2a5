import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from include.local import processes
from updraft.errors import UpdraftError

# A server that starts two children, one of them in a session of its own, and prints when ready.
TREE = """
import subprocess, sys, time
child = [sys.executable, "-c", "import time; time.sleep(300)"]
subprocess.Popen(child)
subprocess.Popen(child, start_new_session=True)
print("ready", flush=True)
time.sleep(300)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(300)
"""


def start(state: Path, service: str, code: str) -> int:
    command = [sys.executable, "-c", code]
    pid = processes.start(state, service, command, os.environ, state)
    deadline = time.monotonic() + 20
    while "ready" not in processes.log_file(state, service).read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return pid


def test_whole_tree_is_found_and_ended(tmp_path: Path) -> None:
    pid = start(tmp_path, "tree", TREE)
    found = processes.find(tmp_path)
    assert found[0].pid == pid
    assert [process.service for process in found] == ["tree"] * 3
    ended = processes.stop(tmp_path)
    assert {process.pid for process in ended} == {process.pid for process in found}
    assert processes.find(tmp_path) == []
    assert not any(
        psutil.pid_exists(process.pid)
        and psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE
        for process in found
    )


def test_children_are_found_when_their_parent_was_killed(tmp_path: Path) -> None:
    parent = start(tmp_path, "tree", TREE)
    psutil.Process(parent).kill()
    deadline = time.monotonic() + 10
    while any(process.pid == parent for process in processes.find(tmp_path)):
        assert time.monotonic() < deadline
    assert len(processes.find(tmp_path)) == 2
    assert len(processes.stop(tmp_path)) == 2


def test_who_ignores_the_request_is_killed(tmp_path: Path) -> None:
    start(tmp_path, "stubborn", STUBBORN)
    begun = time.monotonic()
    assert len(processes.stop(tmp_path, patience=0.5)) == 1
    assert 0.4 < time.monotonic() - begun < 10
    assert processes.find(tmp_path) == []


def test_only_the_named_service_is_ended(tmp_path: Path) -> None:
    start(tmp_path, "first", STUBBORN.replace("SIG_IGN", "SIG_DFL"))
    start(tmp_path, "second", STUBBORN.replace("SIG_IGN", "SIG_DFL"))
    assert [process.service for process in processes.stop(tmp_path, {"first"})] == ["first"]
    assert [process.service for process in processes.find(tmp_path)] == ["second"]
    processes.stop(tmp_path)


def test_states_know_nothing_of_each_other(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    start(one, "service", TREE)
    assert processes.stop(other) == []
    assert len(processes.stop(one)) == 3


def test_marks_do_not_make_a_process_end_itself(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from include.local import processes; "
        "print(processes.find(Path(sys.argv[1])), processes.stop(Path(sys.argv[1])))"
    )
    root = Path(__file__).resolve().parents[3]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{root}:{root / 'plugins'}",
        processes.STATE_MARK: str(tmp_path.resolve()),
        processes.SERVICE_MARK: "caller",
    }
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == "[] []"


def test_processes_have_no_terminal_and_print_into_the_log(tmp_path: Path) -> None:
    code = "import sys; print('ready', repr(sys.stdin.read())); print('oops', file=sys.stderr)"
    start(tmp_path, "quick", code)
    processes.stop(tmp_path)
    deadline = time.monotonic() + 10
    while "oops" not in (text := processes.log_file(tmp_path, "quick").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "ready ''" in text


def test_missing_program(tmp_path: Path) -> None:
    with pytest.raises(UpdraftError, match=r"^gateway could not be started: .*no-such-program"):
        processes.start(tmp_path, "gateway", ["/no-such-program"], os.environ, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_process_carries_its_marks_from_the_first_instant(tmp_path: Path) -> None:
    # Linux shows no environment while it executes the program: one start in a hundred was missed.
    for _ in range(500):
        pid = processes.start(tmp_path, "newborn", ["/bin/sleep", "60"], {}, tmp_path)
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        os.kill(pid, signal.SIGKILL)
        assert b"UPDRAFT_LOCAL_SERVICE=newborn\0" in environment
    processes.stop(tmp_path)


def test_how_a_process_ended_is_told(tmp_path: Path) -> None:
    assert processes.describe_end(tmp_path, "code") == "ended"
    code = processes.start(tmp_path, "code", [sys.executable, "-c", "exit(3)"], {}, tmp_path)
    killed = processes.start(tmp_path, "killed", ["/bin/sleep", "60"], {}, tmp_path)
    psutil.Process(killed).kill()
    deadline = time.monotonic() + 20
    while processes.find(tmp_path):
        assert time.monotonic() < deadline, (code, killed)
    assert processes.describe_end(tmp_path, "code") == "ended with code 3"
    assert processes.describe_end(tmp_path, "killed") == "was ended by SIGKILL"
