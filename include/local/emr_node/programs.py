"""The programs of the node by name."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from include.local.emr_node import hadoop, hive, spark_programs
from include.local.emr_node.refusal import RefusedError, UsageError
from include.local.emr_node.s3_dist_cp import s3_dist_cp
from include.local.gateway.execution.objects import fetch, interpreter, is_s3


def script_runner(arguments: Sequence[str]) -> int:
    """Run a script from S3 or from the node.

    :param arguments: where it is, and its own arguments.
    :returns: its exit code.
    """
    if not arguments:
        raise UsageError("give the location of a script, and then its arguments")
    location, *rest = arguments
    name = location.rpartition("/")[2]
    if name in PROGRAMS and location.startswith("s3") and "/libs/" in location:
        return PROGRAMS[name](rest)
    if is_s3(location):
        endpoint_url, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]
        script = fetch(location, Path.cwd(), endpoint_url, region)
    else:
        script = Path(location)
        if not script.is_file():
            raise UsageError(f"{location}: no such file")
    return _replace([*interpreter(script), str(script), *rest])


def _pig(arguments: Sequence[str]) -> int:
    raise RefusedError(f"a Pig script ({' '.join(arguments)}); there is no Pig here")


def _replace(command: Sequence[str]) -> int:
    """Let another program take this process over."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - the script of a user
    except OSError as error:
        raise UsageError(f"{command[0]}: {error.strerror}") from error


PROGRAMS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "hadoop": hadoop.hadoop,
    "hdfs": hadoop.hdfs,
    "hive": hive.hive,
    "hive-script": hive.hive_script,
    "pig": _pig,
    "pig-script": _pig,
    "pyspark": spark_programs.program("pyspark"),
    "s3-dist-cp": s3_dist_cp,
    "script-runner": script_runner,
    "spark-example": spark_programs.spark_example,
    "spark-shell": spark_programs.program("spark-shell"),
    "spark-sql": spark_programs.program("spark-sql"),
    "spark-submit": spark_programs.program("spark-submit"),
}
