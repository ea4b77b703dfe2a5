"""Install everything the project needs into two virtual environments, with progress.

Run by `make setup` with nothing but a Python interpreter, so only the standard library is
imported here. `.venv` gets Airflow and its providers in the versions of MWAA's image, the
development tools and Updraft itself; `.venv-local` gets the servers of the local stack, whose
pins differ. A second run with unchanged lock files does nothing.
"""

from __future__ import annotations  # so that an old Python gets as far as the check

import argparse
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AIRFLOW_ENVIRONMENT = ROOT / ".venv"
LOCAL_ENVIRONMENT = ROOT / ".venv-local"
AIRFLOW_LOCK = ROOT / "requirements-dev.lock"
LOCAL_LOCK = ROOT / "include" / "local" / "requirements.lock"
NEEDED_BYTES = 2 * 1024**3
SUPPORTED = ((3, 12), (3, 11))


class SetupError(Exception):
    """Something a person has to mend before the setup can go on; the message is one sentence."""


def locked_version(lock: Path, package: str) -> str:
    """Read a package's version from a lock file.

    :param lock: path of a requirements file with ``name==version`` lines.
    :param package: name of the package.
    :returns: the version.
    :raises SetupError: when the lock file does not name the package.
    """
    for line in lock.read_text(encoding="utf-8").splitlines():
        name, separator, version = line.partition("==")
        if separator and name == package:
            return version.split()[0]
    raise SetupError(f"{lock.name} does not pin {package}; run `make lock`.")


def count_packages(lock: Path) -> int:
    """Count the packages that a lock file pins.

    :param lock: path of a requirements file.
    :returns: number of ``name==version`` lines.
    """
    return sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())


def check_python() -> None:
    """Check that this interpreter is one that Airflow and MWAA know.

    :raises SetupError: when it is not.
    """
    if sys.version_info[:2] not in SUPPORTED:
        found = ".".join(map(str, sys.version_info[:2]))
        raise SetupError(
            f"Updraft needs Python 3.12 or 3.11, this is {found}; "
            "install one of them or pass it as PYTHON=/path/to/python3.12."
        )


def check_disk() -> None:
    """Check that there is room for what is going to be installed.

    :raises SetupError: when too little disk is free.
    """
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"Setting up needs 2 GB of free disk in {ROOT}, {free / 1024**3:.1f} GB are left."
        )


def run(command: Sequence[str | Path]) -> None:
    """Run an installer; its own progress bars show when a person watches.

    :param command: program and arguments.
    :raises SetupError: when it fails, with the last lines of what it said.
    """
    watched = sys.stderr.isatty()
    result = subprocess.run(  # noqa: S603  the arguments are ours
        [str(part) for part in command],
        check=False,
        text=True,
        stdout=None if watched else subprocess.PIPE,
        stderr=None if watched else subprocess.STDOUT,
    )
    if result.returncode:
        name = Path(command[0]).name
        if not watched:
            sys.stderr.writelines(result.stdout.splitlines(keepends=True)[-15:])
        raise SetupError(
            f"`{name} {command[1]}` failed with exit code {result.returncode}; "
            "its message above says why (no network to the package index is the usual reason)."
        )


def stamp_of(environment: Path, lock: Path, metadata: str = "") -> tuple[Path, str]:
    """Say what an environment was, or would be, made from.

    :param environment: folder of the virtual environment.
    :param lock: requirements file that decides what goes into it.
    :param metadata: whatever else does.
    :returns: the stamp file inside the environment, and the content it has when up to date.
    """
    content = f"{sys.version}\n{environment}\n{lock.read_text(encoding='utf-8')}\n{metadata}"
    return environment / "updraft-setup.sha256", hashlib.sha256(content.encode()).hexdigest()


def project_metadata() -> str:
    """Read the part of pyproject.toml that an editable install copies.

    :returns: the ``[project]`` table, in a stable form; settings of tools are no part of it.
    """
    import tomllib  # noqa: PLC0415  an old Python lacks it, and has been refused by now

    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return json.dumps(pyproject["project"], sort_keys=True)


def create(environment: Path) -> None:
    """Make a virtual environment, unless there is one of this very Python.

    :param environment: folder to create; one of another Python is replaced.
    :raises SetupError: when Python cannot make one.
    """
    configuration = environment / "pyvenv.cfg"
    if (
        configuration.is_file()
        and f"version = {platform.python_version()}" in configuration.read_text().splitlines()
    ):
        return
    try:
        venv.EnvBuilder(clear=True, with_pip=environment == AIRFLOW_ENVIRONMENT).create(environment)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(
            f"{sys.executable} cannot make a virtual environment ({error}); "
            "on Debian and Ubuntu install the package python3-venv."
        ) from error


def install(
    environment: Path, lock: Path, options: Sequence[str] = ("--compile-bytecode",)
) -> None:
    """Install a lock file.

    :param environment: folder of the virtual environment.
    :param lock: requirements file with exact versions.
    :param options: options of uv. By default all bytecode is compiled, which halves the start of
        every process; where few programs run, each compiles what it imports.
    """
    uv = AIRFLOW_ENVIRONMENT / "bin" / "uv"
    python = environment / "bin" / "python"
    run([uv, "pip", "sync", *options, "--python", python, lock])


def install_uv() -> None:
    """Install uv, the installer that the next steps use."""
    if (AIRFLOW_ENVIRONMENT / "bin" / "uv").is_file():
        return
    version = locked_version(AIRFLOW_LOCK, "uv")
    python = AIRFLOW_ENVIRONMENT / "bin" / "python"
    run([python, "-m", "pip", "install", "--quiet", f"uv=={version}"])


def install_updraft() -> None:
    """Install Updraft itself, so that the source tree is what runs."""
    uv = AIRFLOW_ENVIRONMENT / "bin" / "uv"
    python = AIRFLOW_ENVIRONMENT / "bin" / "python"
    run([uv, "pip", "install", "--python", python, "--no-deps", "--editable", ROOT])


def steps() -> list[tuple[str, Callable[[], None]]]:
    """List what there is to do.

    :returns: a title and a function for each step; empty when all is up to date.
    """
    todo: list[tuple[str, Callable[[], None]]] = []
    airflow_stamp, airflow_digest = stamp_of(AIRFLOW_ENVIRONMENT, AIRFLOW_LOCK, project_metadata())
    local_stamp, local_digest = stamp_of(LOCAL_ENVIRONMENT, LOCAL_LOCK)
    if not airflow_stamp.is_file() or airflow_stamp.read_text() != airflow_digest:
        version = locked_version(AIRFLOW_LOCK, "apache-airflow")
        packages = count_packages(AIRFLOW_LOCK)
        todo += [
            ("Creating .venv", lambda: create(AIRFLOW_ENVIRONMENT)),
            ("Installing uv", install_uv),
            (
                f"Installing Airflow {version} as on MWAA, and the tools ({packages} packages)",
                lambda: install(AIRFLOW_ENVIRONMENT, AIRFLOW_LOCK),
            ),
            ("Installing Updraft", install_updraft),
            ("Finishing .venv", lambda: write_stamp(airflow_stamp, airflow_digest)),
        ]
    if not local_stamp.is_file() or local_stamp.read_text() != local_digest:
        packages = count_packages(LOCAL_LOCK)
        todo += [
            ("Creating .venv-local", lambda: create(LOCAL_ENVIRONMENT)),
            (
                f"Installing the servers of the local stack ({packages} packages)",
                lambda: install(LOCAL_ENVIRONMENT, LOCAL_LOCK),
            ),
            ("Finishing .venv-local", lambda: write_stamp(local_stamp, local_digest)),
        ]
    return todo


def write_stamp(stamp: Path, digest: str) -> None:
    """Note that an environment is complete.

    :param stamp: file to write.
    :param digest: what the environment was made from.
    """
    stamp.write_text(digest)


def main() -> int:
    """Run the setup.

    :returns: exit code, 1 after a one-sentence message when something is in the way.
    """
    parser = argparse.ArgumentParser(description="Install what Updraft needs.")
    parser.add_argument("--quiet", action="store_true", help="say nothing when up to date")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        check_python()
        todo = steps()
        if todo:
            check_disk()
        for number, (title, step) in enumerate(todo, start=1):
            print(f"[{number}/{len(todo)}] {title} …", flush=True)  # noqa: T201
            begun = time.monotonic()
            step()
            print(f"      done in {time.monotonic() - begun:.1f} s", flush=True)  # noqa: T201
    except (SetupError, OSError) as error:
        sys.stderr.write(f"Setup stopped: {error}\n")
        return 1
    if todo:
        print(f"Set up in {time.monotonic() - started:.0f} s.")  # noqa: T201
    elif not arguments.quiet:
        print("Everything is set up.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
