"""Tells Spark on EMR which run of Airflow it belongs to, and where its lineage goes."""

import copy
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.configuration import conf

from updraft.compat import Context

log = logging.getLogger(__name__)

_TAKES_SETTINGS = frozenset({"spark-submit", "run-example"})
_PARENT = "spark.openlineage.parent"
_TRANSPORT = "spark.openlineage.transport"


def with_lineage(
    steps: Sequence[dict[str, Any]],
    context: Context,
    enabled: bool | None,
) -> list[dict[str, Any]]:
    """Give ``spark-submit`` steps the settings for lineage.

    :param steps: the steps.
    :param context: context of the task instance.
    :param enabled: whether to do so, ``None`` if Airflow's configuration decides.
    :returns: the steps; one that has such settings keeps them.
    """
    properties = lineage_properties(context, enabled)
    return [_with_settings(step, properties) for step in steps]


def with_lineage_defaults(
    overrides: Mapping[str, Any] | None,
    context: Context,
    enabled: bool | None,
) -> dict[str, Any]:
    """Give a job run the settings for lineage as defaults of Spark.

    :param overrides: ``configurationOverrides`` of EMR Serverless or EMR on EKS.
    :param context: context of the task instance.
    :param enabled: whether to do so, ``None`` if Airflow's configuration decides.
    :returns: a copy with them; settings that are there stay.
    """
    changed = copy.deepcopy(dict(overrides or {}))
    properties = lineage_properties(context, enabled)
    if not properties:
        return changed
    applications = changed.setdefault("applicationConfiguration", [])
    for entry in applications:
        if entry.get("classification") == "spark-defaults":
            break
    else:
        entry = {"classification": "spark-defaults"}
        applications.append(entry)
    own = entry.setdefault("properties", {})
    own.update(_missing(properties, own))
    return changed


def lineage_properties(
    context: Context,
    enabled: bool | None,
) -> dict[str, str]:
    """Make the settings of Spark's OpenLineage listener.

    They do nothing where the listener is not installed, which is a setting of the cluster:
    https://docs.aws.amazon.com/datazone/latest/userguide/datazone-data-lineage-automate-capture.html

    :param context: context of the task instance.
    :param enabled: whether they are wanted, ``None`` if Airflow's configuration decides.
    :returns: the parent run, and the DataZone domain if one is configured; nothing when they are
        not wanted, or OpenLineage is not installed.
    """
    if enabled is None:
        enabled = conf.getboolean("openlineage", "spark_inject_parent_job_info", fallback=False)
    if not enabled:
        return {}
    try:
        from airflow.providers.openlineage.utils.spark import (  # noqa: PLC0415 - optional
            inject_parent_job_information_into_spark_properties,
        )
    except ImportError:
        log.warning("Spark gets no parent run: the OpenLineage provider is missing or too old")
        return {}
    properties: dict[str, str] = {}
    try:
        properties = inject_parent_job_information_into_spark_properties({}, context)
    except Exception as error:  # noqa: BLE001 - lineage must not fail the task
        log.warning("Spark gets no parent run: %s", error)
    domain_id = conf.get("updraft", "datazone_domain_id", fallback="")
    if domain_id:
        properties |= {
            f"{_TRANSPORT}.type": "amazon_datazone_api",
            f"{_TRANSPORT}.domainId": domain_id,
        }
    return {name: str(value) for name, value in properties.items()}


def _with_settings(step: dict[str, Any], properties: Mapping[str, str]) -> dict[str, Any]:
    jar = step["HadoopJarStep"]
    arguments = jar.get("Args") or []
    is_spark = jar["Jar"].rsplit("/", 1)[-1] == "command-runner.jar" and bool(arguments)
    if not properties or not is_spark or arguments[0].rsplit("/", 1)[-1] not in _TAKES_SETTINGS:
        return step
    present = {
        value.partition("=")[0]: value for value in arguments if value.startswith("spark.openline")
    }
    settings = [
        part
        for name, value in _missing(properties, present).items()
        for part in ("--conf", f"{name}={value}")
    ]
    return {**step, "HadoopJarStep": {**jar, "Args": [arguments[0], *settings, *arguments[1:]]}}


def _missing(properties: Mapping[str, str], present: Mapping[str, Any]) -> dict[str, str]:
    """Leave out a family of settings of which the user has set one."""
    taken = [
        family
        for family in (_PARENT, _TRANSPORT)
        if any(name.startswith(family) for name in present)
    ]
    if _PARENT in taken:
        taken.append("spark.openlineage.rootParent")
    return {name: to for name, to in properties.items() if not name.startswith(tuple(taken))}
