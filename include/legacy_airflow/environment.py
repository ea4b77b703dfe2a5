"""The environment of Airflow 2.7.2: made when it is first needed, from a lock file of its own.

Airflow's constraint files are no packages and not on the package index. The lock file was resolved
as on the day before Airflow 2.7.2 was a week old, but for the packages that newer ones require.
"""

from pathlib import Path

from include.local import bootstrap

ENVIRONMENT = bootstrap.ROOT / ".venv-legacy"
"""Folder of the virtual environment."""

REQUIREMENTS = Path(__file__).with_name("requirements.in")
LOCK = Path(__file__).with_name("requirements.lock")

_PYTHON = "3.11"  # the newest that Airflow 2.7 runs on
_AS_OF = "2023-10-25"
_NEWER = [
    "anyio",
    "apache-airflow-providers-amazon",
    "apache-airflow-providers-http",
    "attrs",
    "boto3",
    "botocore",
    "build",
    "certifi",
    "charset-normalizer",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "jmespath",
    "lxml",
    "openlineage-airflow",
    "openlineage-integration-common",
    "openlineage-python",
    "openlineage-sql",
    "orjson",
    "packageurl-python",
    "packaging",
    "pyathena",
    "pyproject-hooks",
    "python-dateutil",
    "pyyaml",
    "redshift-connector",
    "requests",
    "s3transfer",
    "scramp",
    "typing-extensions",
    "urllib3",
    "watchtower",
]
_NEWER_AS_OF = "2026-11-01"


def prepare() -> Path:
    """Make the environment, unless it is up to date.

    :returns: its Python.
    :raises bootstrap.SetupError: when there is no Python 3.11, or a package cannot be installed.
    """
    python = ENVIRONMENT / "bin" / "python"
    stamp, digest = bootstrap.stamp_of(ENVIRONMENT, LOCK)
    if stamp.is_file() and stamp.read_text() == digest:
        return python
    uv = bootstrap.AIRFLOW_ENVIRONMENT / "bin" / "uv"
    bootstrap.run([uv, "venv", "--quiet", "--clear", "--python", _PYTHON, ENVIRONMENT])
    bootstrap.install(ENVIRONMENT, LOCK)
    bootstrap.write_stamp(stamp, digest)
    return python


def lock() -> None:
    """Resolve the lock file anew.

    :raises bootstrap.SetupError: when the requirements contradict each other.
    """
    uv = bootstrap.AIRFLOW_ENVIRONMENT / "bin" / "uv"
    newer = [f"--exclude-newer-package={name}={_NEWER_AS_OF}" for name in _NEWER]
    time = ["--python-version", _PYTHON, "--exclude-newer", _AS_OF, *newer]
    output = ["--custom-compile-command", "make lock", "-o", str(LOCK)]
    bootstrap.run([uv, "pip", "compile", "--quiet", *time, *output, REQUIREMENTS])


if __name__ == "__main__":
    lock()
