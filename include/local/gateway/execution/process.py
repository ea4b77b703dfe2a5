"""One process of a job: started once, ended for sure, with whatever it started itself."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_PATIENCE = 5.0  # seconds that a process gets to end by itself


class JobProcess:
    """A process in a group of its own, which another thread can end at any time.

    Ended before it was started, it never starts.

    :param patience: seconds between SIGTERM and SIGKILL when it is ended gently.
    """

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = False

    def run(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        variables: Mapping[str, str],
        stdout: BinaryIO,
        stderr: BinaryIO,
        timeout: float | None = None,
    ) -> int | None:
        """Run a command to its end.

        :param command: program and arguments.
        :param directory: its working directory.
        :param variables: its whole environment.
        :param stdout: takes its standard output.
        :param stderr: takes its standard error.
        :param timeout: most seconds that it may take; None for no limit.
        :returns: its exit code, negative for a signal; None when it was ended before it started.
        :raises subprocess.TimeoutExpired: when it took too long; it has been ended then.
        :raises OSError: when the program can't be run.
        """
        with self._lock:
            if self._ending:
                return None
            process = self._process = subprocess.Popen(  # noqa: S603 - what users ask to be run
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=directory,
                env=dict(variables),
                start_new_session=True,
            )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._end(process)
            raise
        finally:
            _signal(process, signal.SIGKILL)  # what it may have left

    def end(self) -> None:
        """End the process gently, in a thread of its own: the caller does not wait."""
        process = self._stop_starting()
        if process is not None:
            threading.Thread(target=self._end, args=(process,), daemon=True).start()

    def kill(self) -> None:
        """End the process at once."""
        process = self._stop_starting()
        if process is not None:
            _signal(process, signal.SIGKILL)

    def _stop_starting(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            self._ending = True
            return self._process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End a program; Python workers of Spark end when the pipe from its Java process does."""
        _signal(process, signal.SIGTERM)
        try:
            process.wait(self._patience)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
