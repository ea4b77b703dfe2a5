"""Spark's programs, as they are called on a cluster, on the Spark of this machine.

What chooses machines or their memory is left out: there is one, and ``spark-submit`` says so on
its standard error.

.. seealso:: https://spark.apache.org/docs/3.5.9/submitting-applications.html
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from include.local import spark
from include.local.emr_node.refusal import UsageError
from include.local.gateway.execution.objects import fetch, is_s3

_LEFT_OUT = frozenset(
    {
        "--deploy-mode",
        "--driver-cores",
        "--driver-memory",
        "--executor-cores",
        "--executor-memory",
        "--master",
        "--num-executors",
        "--queue",
        "--total-executor-cores",
    }
)
_SETTINGS_LEFT_OUT = frozenset(
    {
        "spark.driver.memory",
        "spark.executor.cores",
        "spark.executor.instances",
        "spark.executor.memory",
        "spark.master",
        "spark.submit.deployMode",
        "spark.yarn.submit.waitAppCompletion",
    }
)
_FLAGS = frozenset({"--help", "-h", "--verbose", "-v", "--version", "--supervise"})
_FILES = frozenset({"--archives", "--files", "--jars", "--py-files", "--properties-file"})
_SHORT = {"-c": "--conf"}


def program(name: str) -> Callable[[Sequence[str]], int]:
    """Make one of Spark's programs.

    :param name: its name, such as ``spark-submit``.
    :returns: the function that becomes it.
    """

    def run(arguments: Sequence[str]) -> int:
        return run_program(name, arguments)

    return run


def spark_example(arguments: Sequence[str]) -> int:
    """Run one of Spark's examples; the Python package of Spark has those in Python.

    :param arguments: name of the example, such as ``SparkPi``, and its arguments.
    :returns: exit code.
    """
    if not arguments:
        raise UsageError("give the name of an example, such as SparkPi")
    name, *rest = arguments
    spark.prepare()
    examples = spark.packages() / "pyspark" / "examples" / "src" / "main" / "python"
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    for candidate in (snake.removeprefix("_"), snake.removeprefix("_spark_"), name):
        script = examples / f"{candidate}.py"
        if script.is_file():
            _say(f"{script.name} of Spark's examples in Python stands in for {name}")
            return run_program("spark-submit", [str(script), *rest])
    raise UsageError(f"there is no example {name} among those in Python, {examples}")


def run_program(name: str, arguments: Sequence[str]) -> int:
    """Become one of Spark's programs.

    :param name: its name.
    :param arguments: its arguments, as on a cluster.
    :returns: never, since the program takes the process over.
    :raises UsageError: when the arguments end too early.
    """
    spark.prepare()
    directory = Path.cwd()
    chosen, application = translate(arguments, _local)
    command = [spark.program(name), *spark.options(directory), *chosen, *application]
    variables = {**os.environ, **spark.variables(), "PATH": os.environ["PATH"]}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, variables)  # noqa: S606 - Spark, with a user's script


def translate(arguments: Sequence[str], local: Callable[[str], str]) -> tuple[list[str], list[str]]:
    """Turn the arguments for a cluster into those for this machine.

    :param arguments: options, the application, and its arguments.
    :param local: gives the file for the location of one.
    :returns: the options, and the application with its arguments.
    :raises UsageError: when an option lacks its value.
    """
    options: list[str] = []
    left = list(arguments)
    while left and left[0].startswith("-"):
        option, equals, value = left.pop(0).partition("=")
        option = _SHORT.get(option, option)
        if option in _FLAGS:
            options.append(option)
            continue
        if not equals:
            if not left:
                raise UsageError(f"the option {option} needs a value")
            value = left.pop(0)
        if option in _LEFT_OUT or value.partition("=")[0] in _SETTINGS_LEFT_OUT:
            _say(f"{option} {value} does not count on one machine")
        elif option in _FILES or option == "-f":
            options += [option, ",".join(local(each) for each in value.split(",") if each)]
        else:
            options += [option, value]
    return options, [local(left[0]), *left[1:]] if left else []


def _local(location: str) -> str:
    if not is_s3(location):
        return location
    endpoint_url, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]
    return str(fetch(location, Path.cwd(), endpoint_url, region))


def _say(text: str) -> None:
    sys.stderr.write(f"[local stack] {text}\n")
