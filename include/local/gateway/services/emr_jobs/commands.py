"""The commands that the drivers of jobs stand for."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any


def spark_submit(driver: Mapping[str, Any], settings: Sequence[str]) -> list[str]:
    """Write the command of a job that submits an application.

    :param driver: members ``entryPoint``, ``entryPointArguments`` and ``sparkSubmitParameters``.
    :param settings: settings of Spark, as ``name=value``; the driver's own win.
    :returns: program of the node, and its arguments.
    """
    return [
        "spark-submit",
        *_as_options(settings),
        *shlex.split(driver.get("sparkSubmitParameters", "")),
        driver["entryPoint"],
        *driver.get("entryPointArguments", ()),
    ]


def spark_sql(driver: Mapping[str, Any], settings: Sequence[str]) -> list[str]:
    """Write the command of a job that runs a file of SQL.

    :param driver: members ``entryPoint`` and ``sparkSqlParameters``.
    :param settings: settings of Spark, as ``name=value``; the driver's own win.
    :returns: program of the node, and its arguments.
    """
    parameters = shlex.split(driver.get("sparkSqlParameters", ""))
    return ["spark-sql", *_as_options(settings), *parameters, "-f", driver["entryPoint"]]


def hive(driver: Mapping[str, Any]) -> list[str]:
    """Write the command of a job that runs a Hive query.

    :param driver: members ``query`` and ``parameters``.
    :returns: program of the node, and its arguments.
    """
    return ["hive", *shlex.split(driver.get("parameters", "")), "-f", driver["query"]]


def spark_defaults(configurations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Collect the settings of Spark out of a job's configuration.

    :param configurations: the members of ``applicationConfiguration``.
    :returns: settings as ``name=value``.
    """
    return [
        f"{name}={value}"
        for each in configurations
        if each["classification"] == "spark-defaults"
        for name, value in each.get("properties", {}).items()
    ]


def _as_options(settings: Sequence[str]) -> list[str]:
    return [part for setting in settings for part in ("--conf", setting)]
