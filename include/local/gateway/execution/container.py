"""A container, which is here a process of this machine with a home directory of its own.

There is no image: programs are those of this machine, and the command line of AWS. Whoever the
local stack is runs them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from include.local.gateway.execution.environment import job_variables
from include.local.gateway.execution.log_groups import write_lines
from include.local.gateway.execution.process import JobProcess
from include.local.gateway.execution.programs import install

_BY_SIGNAL = 128  # what a shell and Docker add to the number of the signal that ended a program


class NotStartedError(Exception):
    """The program of a container can't be run; the text is what Docker says."""


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    """What runs in a container.

    :param command: program and arguments.
    :param environment: variables, by name.
    :param log: log group and stream that its output goes to; None for nowhere.
    :param patience: seconds between SIGTERM and SIGKILL when it is stopped.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    log: tuple[str, str] | None
    patience: float


class Container:
    """One container, which another thread can end at any time.

    :param settings: what runs in it.
    :param folder: a directory of its own.
    :param endpoint_url: address of the gateway.
    :param region: Region that its requests are signed for.
    """

    def __init__(
        self, settings: ContainerSettings, folder: Path, *, endpoint_url: str, region: str
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._endpoint_url = endpoint_url
        self._region = region
        self._process = JobProcess(settings.patience)

    def run(self, timeout: float | None = None) -> int | None:
        """Run the program to its end, and write what it printed into its log.

        :param timeout: most seconds that it may take; None for no limit.
        :returns: its exit code as Docker has it; None when it was ended before it started.
        :raises NotStartedError: when it can't be run.
        :raises subprocess.TimeoutExpired: when it took too long; it has been ended then.
        """
        home = self._sub_folder("home")
        try:
            with (self._folder / "output").open("ab") as output:
                code = self._process.run(
                    self._settings.command,
                    directory=home,
                    variables=self._variables(home),
                    stdout=output,
                    stderr=output,
                    timeout=timeout,
                )
        except OSError as error:
            program = next(iter(self._settings.command), "")
            raise NotStartedError(
                "CannotStartContainerError: Error response from daemon: failed to create task for "
                f'container: exec: "{program}": {error.strerror}'
            ) from error
        finally:
            self._keep_log()
        return _BY_SIGNAL - code if code is not None and code < 0 else code

    def stop(self) -> None:
        """End the program gently; the caller does not wait."""
        self._process.end()

    def kill(self) -> None:
        """End the program at once, since the gateway ends."""
        self._process.kill()

    def _sub_folder(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _variables(self, home: Path) -> Mapping[str, str]:
        inherited = job_variables(self._endpoint_url, self._region)
        programs = install(self._sub_folder("bin"), {})
        return {
            **inherited,
            "HOME": str(home),
            "PATH": f"{programs}:{inherited['PATH']}",
            "TMPDIR": str(self._sub_folder("tmp")),
            **self._settings.environment,
        }

    def _keep_log(self) -> None:
        if self._settings.log is not None:
            lines = (self._folder / "output").read_text(errors="replace").splitlines()
            write_lines(self._endpoint_url, self._region, *self._settings.log, lines)


def variables(*lists: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Read lists of environment variables, as definitions and overrides have them.

    :param lists: the lists; what a later one says of a variable counts.
    :returns: value by name.
    """
    return {one["name"]: one.get("value", "") for each in lists for one in each or ()}
