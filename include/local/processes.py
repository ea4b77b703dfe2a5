"""The processes of the local stack: started detached, found by what they carry, ended for sure.

There are no pid files, which lie after a crash. Every process is given two environment variables
that name the state directory and the service; its children inherit them, and a scan of the
process table finds all of them, whoever their parent is by now.
"""

import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from updraft.errors import UpdraftError

STATE_MARK = "UPDRAFT_LOCAL_STATE"
SERVICE_MARK = "UPDRAFT_LOCAL_SERVICE"

# Kept so that a process that ends is reaped by the one that started it.
_children: dict[tuple[Path, str], list[subprocess.Popen[bytes]]] = {}

# A process that executes a program carries no environment until the kernel has laid out the new
# one: about one in a hundred is met in that instant right after its start, more under load.
_BIRTH_SECONDS = 10.0
# How long the kernel of a busy machine may take over a SIGKILL.
_DEATH_SECONDS = 10.0
_EXECUTION_SECONDS = 0.02
_GLANCE_SECONDS = 0.001


@dataclass(frozen=True)
class FoundProcess:
    """A running process of a local stack.

    :param service: name of the service that it belongs to, such as ``gateway``.
    :param pid: its process id.
    :param started: when it was started, in seconds since 1970.
    :param command: its command line.
    """

    service: str
    pid: int
    started: float
    command: Sequence[str]


def log_file(state: Path, service: str) -> Path:
    """Name the file that takes what a service prints.

    :param state: the state directory.
    :param service: name of the service.
    :returns: path of the file.
    """
    return state / "logs" / f"{service}.log"


def start(
    state: Path,
    service: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
) -> int:
    """Start a process that outlives this one.

    :param state: the state directory; the process is found by it later.
    :param service: name of the service.
    :param command: program and arguments.
    :param environment: the whole environment of the process, but for the two marks.
    :param directory: its working directory.
    :returns: its process id.
    :raises UpdraftError: when the program can't be run.
    """
    state = state.resolve()
    log = log_file(state, service)
    log.parent.mkdir(parents=True, exist_ok=True)
    # Airflow gives its processes titles by setproctitle, which writes them over the environment
    # that the scan reads, unless it is told to keep to the room of the arguments.
    marks = {STATE_MARK: str(state), SERVICE_MARK: service, "SPT_NOENV": "1"}
    with log.open("ab") as output:
        try:
            child = subprocess.Popen(  # noqa: S603 - commands come from this package alone
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env={**environment, **marks},
                start_new_session=True,
            )
        except OSError as error:
            raise UpdraftError(f"{service} could not be started: {error}") from error
    _children.setdefault((state, service), []).append(child)
    with suppress(psutil.Error):
        _environment(psutil.Process(child.pid), patience=_BIRTH_SECONDS)
    return child.pid


def find(state: Path) -> list[FoundProcess]:
    """Find what runs with a state directory.

    :param state: the state directory.
    :returns: the processes, children included, oldest first. This process and those above it
        never count, even if they carry the marks.
    """
    found = []
    for process in _marked(state):
        with suppress(psutil.Error), process.oneshot():
            service = process.environ()[SERVICE_MARK]
            found.append(
                FoundProcess(service, process.pid, process.create_time(), process.cmdline())
            )
    return sorted(found, key=lambda process: (process.started, process.pid))


def describe_end(state: Path, service: str) -> str:
    """Say how a process that :func:`start` was called for came to its end.

    :param state: the state directory.
    :param service: name of the service.
    :returns: such as ``ended with code 1`` or ``was ended by SIGKILL``.
    """
    children = _children.get((state.resolve(), service))
    code = children[-1].poll() if children else None
    if code is None:
        return "ended"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def stop(
    state: Path, services: Collection[str] | None = None, patience: float = 15
) -> list[FoundProcess]:
    """End processes and whatever they started.

    :param state: the state directory.
    :param services: names of the services to end; None ends everything with that state.
    :param patience: seconds that they get to end by themselves after SIGTERM, before SIGKILL.
    :returns: what was ended.
    :raises UpdraftError: when something survives even that.
    """
    ended: dict[int, FoundProcess] = {}
    deadline = time.monotonic() + patience
    while True:
        running = [
            process for process in find(state) if services is None or process.service in services
        ]
        if not running:
            return list(ended.values())
        if time.monotonic() > deadline + max(patience, _DEATH_SECONDS):
            names = ", ".join(f"{process.service} ({process.pid})" for process in running)
            raise UpdraftError(f"These processes could not be ended: {names}")
        for process in running:
            # A process that appears meanwhile, a child of one being ended, gets its turn too.
            new = process.pid not in ended
            ended[process.pid] = process
            if time.monotonic() > deadline:
                _signal(process, kill=True)
            elif new:
                _signal(process, kill=False)
        _reap()
        time.sleep(0.05)


def _signal(process: FoundProcess, *, kill: bool) -> None:
    with suppress(psutil.Error):
        target = psutil.Process(process.pid)
        # The number may have passed to another process since it was found.
        if target.create_time() == process.started:
            target.kill() if kill else target.terminate()


def _reap() -> None:
    for children in _children.values():
        for child in children:
            child.poll()


def _marked(state: Path) -> Iterator[psutil.Process]:
    _reap()
    wanted = str(state.resolve())
    user = os.getuid()
    above = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            mine = process.pid not in above and process.uids().real == user
            if not mine:
                continue
            environment = _environment(process, patience=_EXECUTION_SECONDS)
            if environment.get(STATE_MARK) == wanted:
                yield process


def _environment(process: psutil.Process, *, patience: float) -> Mapping[str, str]:
    """Read the environment of a process, which has none while it executes a program.

    :param process: the process.
    :param patience: seconds after which an empty environment is believed.
    :returns: the variables; empty for a process that has ended.
    :raises psutil.Error: when the process is gone or not this user's.
    """
    deadline = time.monotonic() + patience
    while True:
        environment: Mapping[str, str] = process.environ()
        ended = process.status() == psutil.STATUS_ZOMBIE
        if environment or ended or time.monotonic() > deadline:
            return environment
        # Children of PostgreSQL write titles such as "postgres: checkpointer" over theirs.
        if "".join(process.cmdline()[:1]).startswith("postgres: "):
            return environment
        time.sleep(_GLANCE_SECONDS)
