"""``hadoop`` and ``hdfs``: Hadoop's own file system shell, and jars on the Java that Spark uses."""

import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from include.local import spark
from include.local.emr_node.refusal import RefusedError, UsageError
from include.local.emr_node.s3_dist_cp import s3_dist_cp
from include.local.gateway.execution.objects import fetch, is_s3

_SHELL = "org.apache.hadoop.fs.FsShell"
_MANIFEST = "META-INF/MANIFEST.MF"


def hadoop(arguments: Sequence[str]) -> int:
    """Carry out ``hadoop fs …`` or ``hadoop jar …``.

    :param arguments: the command and its arguments.
    :returns: exit code.
    """
    command, *rest = arguments or [""]
    if command in {"fs", "dfs"}:
        return _shell(rest)
    if command == "jar":
        return _jar(rest)
    raise RefusedError(f"hadoop {command}; only `hadoop fs` and `hadoop jar` are")


def hdfs(arguments: Sequence[str]) -> int:
    """Carry out ``hdfs dfs …``.

    :param arguments: the command and its arguments.
    :returns: exit code.
    """
    command, *rest = arguments or [""]
    if command == "dfs":
        return _shell(rest)
    raise RefusedError(f"hdfs {command}; only `hdfs dfs` is")


def _shell(arguments: Sequence[str]) -> int:
    for argument in arguments:
        if argument.startswith("hdfs:"):
            raise RefusedError(f"{argument}: there is no HDFS, only S3 and the node's files")
    return _java([_configuration()], _SHELL, arguments)


def _configuration() -> Path:
    """Write the file of settings that Hadoop wants to find where its classes are."""
    folder = Path("hadoop-conf")
    folder.mkdir(exist_ok=True)
    properties = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>"
        for name, value in spark.s3_settings().items()
    )
    (folder / "core-site.xml").write_text(f"<configuration>{properties}</configuration>")
    return folder


def _jar(arguments: Sequence[str]) -> int:
    if not arguments:
        raise UsageError("give a jar, its main class if it names none, and its arguments")
    location, *rest = arguments
    name = location.rpartition("/")[2]
    if name == "s3-dist-cp.jar":
        return s3_dist_cp(rest)
    if name.startswith("hadoop-streaming"):
        raise RefusedError("Hadoop streaming; there is no MapReduce here")
    if is_s3(location):
        endpoint_url, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]
        jar = fetch(location, Path.cwd(), endpoint_url, region)
    else:
        jar = Path(location)
    if not zipfile.is_zipfile(jar):
        raise UsageError(f"JAR does not exist or is not a normal file: {location}")
    main_class = _main_class(jar)
    if main_class is None:
        if not rest:
            raise UsageError(f"Main Class not found: {location} names none, and none is given")
        main_class, *rest = rest
    return _java([jar], main_class, rest)


def _main_class(jar: Path) -> str | None:
    """Read the main class out of a manifest, whose long lines go on after a space."""
    with zipfile.ZipFile(jar) as archive:
        if _MANIFEST not in archive.namelist():
            return None
        manifest = archive.read(_MANIFEST).decode(errors="replace")
    for line in manifest.replace("\r\n", "\n").replace("\n ", "").splitlines():
        name, _, value = line.partition(":")
        if name == "Main-Class":
            return value.strip()
    return None


def _java(jars: Sequence[Path], main_class: str, arguments: Sequence[str]) -> int:
    spark.prepare()
    variables = {**os.environ, **spark.variables(), "PATH": os.environ["PATH"]}
    java = str(Path(variables["JAVA_HOME"]) / "bin" / "java")
    classes = ":".join([*map(str, jars), str(spark.packages() / "pyspark" / "jars" / "*")])
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(java, [java, *options, main_class, *arguments], variables)  # noqa: S606 - a user's jar
