"""What an instance is here: a home directory, and processes of this machine.

Programs that need a machine of one's own have stand-ins on the PATH: ``shutdown`` ends the
instance, ``sudo`` and ``runuser`` run the command as whoever the local stack is, and ``getent``
knows one home directory. Everything else on the PATH is this machine's, the ``aws`` command line
that of the local stack's environment.
"""

import base64
import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from include.local.gateway.execution.environment import job_variables
from include.local.gateway.execution.objects import interpreter
from include.local.gateway.execution.process import JobProcess
from include.local.gateway.execution.programs import install
from include.local.gateway.services.ec2.instances import Instance

_SHUTDOWN = r"""
seconds=0
for word in "$@"; do
  case $word in
    -c) rm -f {deadline}; exit 0 ;;
    now) seconds=0 ;;
    +[0-9]*) seconds=$(( ${{word#+}} * 60 )) ;;
    -*) ;;
    *) echo "shutdown: the local stack knows now and +MINUTES, not $word" >&2; exit 1 ;;
  esac
done
echo "$(( $(date +%s) + seconds ))" > {deadline}.new && mv {deadline}.new {deadline}
"""
_SUDO = r"""
while [ $# -gt 0 ]; do
  case $1 in
    -u|-g|-U) shift 2 ;;
    --) shift; break ;;
    -*) shift ;;
    *=*) export "$1"; shift ;;
    *) break ;;
  esac
done
exec "$@"
"""
_GETENT = r"""
case $1-$2 in
  passwd-root|passwd-ec2-user) echo "$2:x:1000:1000::{home}:/bin/bash" ;;
  *) exit 2 ;;
esac
"""


class Machine:
    """The machine of one instance.

    :param instance: the instance.
    :param folder: its directory.
    :param endpoint_url: address of the gateway.
    """

    def __init__(self, instance: Instance, folder: Path, endpoint_url: str) -> None:
        self._instance = instance
        self._folder = folder
        self._endpoint_url = endpoint_url
        self._deadline = folder / "shutdown-at"
        self._lock = threading.Lock()
        self._processes: set[JobProcess] = set()
        self._is_off = False

    def folder(self, *names: str) -> Path:
        """Name a directory of the machine.

        :param names: parts of its path.
        :returns: the directory, which exists.
        """
        folder = self._folder.joinpath(*names)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def is_off(self) -> bool:
        """Whether it runs nothing any more."""
        return self._is_off

    @property
    def wants_to_end(self) -> bool:
        """Whether the time is over that ``shutdown`` was told."""
        try:
            return time.time() >= float(self._deadline.read_text())
        except (OSError, ValueError):
            return False

    def boot(self) -> None:
        """Run the script in the user data, if it is one.

        .. seealso:: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
        """
        data = base64.b64decode(self._instance.request.get("UserData") or "")
        if not data.startswith(b"#!"):
            return
        script = self.folder("cloud") / "part-001"
        script.write_bytes(data)
        log = self.folder("log") / "cloud-init-output.log"
        process = JobProcess()
        with log.open("wb") as output:
            self.run(process, [*interpreter(script), str(script)], stdout=output, stderr=output)

    def run(
        self,
        process: JobProcess,
        command: Sequence[str],
        *,
        stdout: BinaryIO,
        stderr: BinaryIO,
        timeout: float | None = None,
    ) -> int | None:
        """Run a command as ``root`` would.

        :param process: what runs it, so that the caller can end it.
        :param command: program and arguments.
        :param stdout: takes its standard output.
        :param stderr: takes its standard error.
        :param timeout: most seconds that it may take; None for no limit.
        :returns: its exit code; None when it did not run because the machine is off.
        """
        with self._lock:
            if self._is_off:
                return None
            self._processes.add(process)
        try:
            return process.run(
                command,
                directory=self.folder("home"),
                variables=self.variables(),
                stdout=stdout,
                stderr=stderr,
                timeout=timeout,
            )
        finally:
            with self._lock:
                self._processes.discard(process)

    def variables(self) -> Mapping[str, str]:
        """Give the environment of the machine's processes.

        :returns: values by name.
        """
        inherited = job_variables(self._endpoint_url, self._instance.region)
        return {
            **inherited,
            "HOME": str(self.folder("home")),
            "PATH": f"{self._programs()}:{inherited['PATH']}",
            "TMPDIR": str(self.folder("tmp")),
            "USER": "root",
        }

    def switch_off(self) -> None:
        """End all processes at once, and start no other."""
        with self._lock:
            self._is_off = True
            processes = list(self._processes)
        for process in processes:
            process.kill()

    def _programs(self) -> Path:
        folder = self.folder("bin")
        deadline, home = shlex.quote(str(self._deadline)), self.folder("home")
        programs = {
            "getent": _GETENT.format(home=home),
            "poweroff": "exec shutdown -h now\n",
            "runuser": _SUDO,
            "shutdown": _SHUTDOWN.format(deadline=deadline),
            "sudo": _SUDO,
        }
        return install(folder, programs)
