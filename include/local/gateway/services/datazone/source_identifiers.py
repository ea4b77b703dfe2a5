"""How DataZone names what an OpenLineage event mentions.

The rules are those of the user guide's page on lineage with custom sources and of its mirror for
SageMaker Unified Studio: Glue and Redshift tables become ARNs, everything else is
``<namespace>/<name>``.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_GLUE_MARKS = frozenset({"GLUE_VERSION", "GLUE_COMMAND_CRITERIA", "GLUE_PYTHON_VERSION"})
_GLUE_CATALOG = re.compile(r"arn:aws[a-z-]*:glue:[a-z0-9-]+:\d{12}")
_REDSHIFT = ("redshift.amazonaws.com", "redshift-serverless.amazonaws.com")
_ACCOUNT = re.compile(r"\d{12}")
_TABLE_PARTS = 3  # database, schema, table


class Caller(NamedTuple):
    """Who posted the event; the rules fall back on it.

    :param account_id: account of the credentials.
    :param region: Region that the event was posted to.
    """

    account_id: str
    region: str


def of_dataset(dataset: Mapping[str, Any], run: Mapping[str, Any], caller: Caller) -> str:
    """Name a dataset.

    :param dataset: an entry of ``inputs`` or ``outputs``.
    :param run: the event's ``run``, for its facets.
    :param caller: who posted the event.
    :returns: the source identifier.
    """
    namespace, name = str(dataset["namespace"]), str(dataset["name"])
    environment = _environment(run)
    if _GLUE_MARKS.intersection(environment):
        found = _glue_table(dataset, environment, caller)
        if found is not None:
            return found
    if namespace.startswith("redshift://") or any(host in namespace for host in _REDSHIFT):
        found = _redshift_table(namespace, name, caller)
        if found is not None:
            return found
    return f"{namespace}/{name}"


def of_job(job: Mapping[str, Any]) -> str:
    """Name a job.

    :param job: the event's ``job``.
    :returns: ``<namespace>.<name>``.
    """
    return f"{job['namespace']}.{job['name']}"


def of_run(job: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """Name a run of a job.

    :param job: the event's ``job``.
    :param run: the event's ``run``.
    :returns: ``<namespace>.<name>/<run id>``.
    """
    return f"{of_job(job)}/{run['runId']}"


def _environment(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the variables of the ``environment-properties`` facet, which nests them once more."""
    facet = (run.get("facets") or {}).get("environment-properties") or {}
    nested = facet.get("environment-properties")
    return nested if isinstance(nested, dict) else facet


def _glue_table(
    dataset: Mapping[str, Any], environment: Mapping[str, Any], caller: Caller
) -> str | None:
    facet = (dataset.get("facets") or {}).get("symlinks") or {}
    for link in facet.get("identifiers", []):
        namespace, name = str(link.get("namespace", "")), str(link.get("name", ""))
        if _GLUE_CATALOG.fullmatch(namespace) and name.startswith("table/"):
            return f"{namespace}:{name}"
        database, separator, table = name.partition(".")
        if separator and database and table:
            region = environment.get("AWS_DEFAULT_REGION") or caller.region
            return f"arn:aws:glue:{region}:{caller.account_id}:table/{database}/{table}"
    return None


def _redshift_table(namespace: str, name: str, caller: Caller) -> str | None:
    parts = name.split(".")
    host = namespace.split("://", 1)[-1].rsplit(":", 1)[0]
    identifier, *labels = host.split(".")
    if len(parts) != _TABLE_PARTS or not all(parts) or not identifier or not labels:
        return None
    # <id>.<account>.<Region>.redshift….amazonaws.com, or the provider's shorter <id>.<Region>.
    account = caller.account_id
    if len(labels) > 1:
        account = labels[0] if _ACCOUNT.fullmatch(labels[0]) else account
        region = labels[1]
    else:
        region = labels[0]
    service = "redshift-serverless" if "redshift-serverless" in namespace else "redshift"
    return f"arn:aws:{service}:{region}:{account}:table/{identifier}/{'/'.join(parts)}"
