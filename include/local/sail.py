"""The environment for jobs with Delta tables: Sail, which speaks Spark Connect without Java.

No package on PyPI has the Java archives of Delta Lake, and the local stack downloads from nowhere
else. Sail executes the same Spark SQL, ``MERGE INTO delta.`s3://…` `` included, so a script stays
what it is on Glue.
"""

import fcntl
import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from include.local import bootstrap

ENVIRONMENT = bootstrap.ROOT / ".venv-sail"
LOCK = bootstrap.ROOT / "include" / "local" / "sail-requirements.lock"

_PASSED_ON = ("HOME", "LANG", "PATH", "TMPDIR", "UPDRAFT_LOCAL_SERVICE", "UPDRAFT_LOCAL_STATE")
_APPLICATION = bootstrap.ROOT / "include" / "local" / "sail_application.py"


def prepare() -> None:
    """Make the environment, unless it is up to date.

    :raises bootstrap.SetupError: when that is not possible.
    """
    stamp, digest = bootstrap.stamp_of(ENVIRONMENT, LOCK)
    with (bootstrap.ROOT / ".venv-local" / "sail.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two stacks may need it at the same time
        if stamp.is_file() and stamp.read_text() == digest:
            return
        bootstrap.create(ENVIRONMENT)
        bootstrap.install(ENVIRONMENT, LOCK, options=())
        bootstrap.write_stamp(stamp, digest)


def missing_modules(requirements: Sequence[str]) -> list[str]:
    """Find the Python packages that a job asks for and the environment does not have.

    :param requirements: packages as pip takes them; a version counts if it is pinned with ``==``.
    :returns: those that are missing.
    """
    packages = next((ENVIRONMENT / "lib").glob("python*/site-packages"))
    installed = {
        f"{found.name.lower().replace('_', '-')}{version}"
        for found in metadata.distributions(path=[str(packages)])
        for version in ("", f"=={found.version}")
    }
    return [name for name in requirements if name.lower().replace("_", "-") not in installed]


def submit_command(script: Path, arguments: Sequence[str]) -> list[str]:
    """Write the command that runs a script on Sail.

    :param script: the script.
    :param arguments: its arguments.
    :returns: program and arguments.
    """
    python = str(ENVIRONMENT / "bin" / "python")
    return [python, str(_APPLICATION), str(script), *arguments]


def variables(endpoint_url: str) -> Mapping[str, str]:
    """Name the variables by which Sail finds S3, next to those of the SDKs.

    :param endpoint_url: address of the gateway.
    :returns: the variables.

    .. seealso:: https://docs.lakesail.com/sail/latest/guide/storage/s3.html
    """
    own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **own,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ENDPOINT": endpoint_url,
        "PYTHONUNBUFFERED": "1",
        "RUST_LOG": "warn",
    }
