"""The arguments that a run of a Glue job gets besides the user's.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from updraft.choices import choose
from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.hooks import owned_glue_resources
from updraft.operators.try_series import try_series
from updraft.resource_owner import ResourceOwner

OWNER = "--updraft_owner"
"""Argument with the token of the task instance."""

ATTEMPT = "--updraft_attempt"
"""Argument with the number of the attempt that started the run."""

SERIES = "--updraft_series"
"""Argument with the series of attempts that it is one of."""

log = logging.getLogger(__name__)

_CONF = "--conf"

VARYING = frozenset({ATTEMPT, SERIES, _CONF})
"""Arguments whose values differ between attempts; the parent run of ``--conf`` does."""

_BOOKMARKS = {name: f"job-bookmark-{name}" for name in ("enable", "disable", "pause")}


def owner_arguments(context: Context) -> dict[str, str]:
    """Write the owner of a run as arguments.

    :param context: context of the task instance.
    :returns: value by name.
    """
    return {
        # As the reaper reads them: characters that a tag may not have are escaped.
        **owned_glue_resources.owner_arguments(ResourceOwner.of(context)),
        ATTEMPT: str(context["ti"].try_number),
        SERIES: try_series(context),
    }


def is_result(run: Mapping[str, Any], attempt: int, series: str) -> bool:
    """Say whether a run that has succeeded is what an attempt is to do.

    :param run: a run of the same task instance.
    :param attempt: number of the attempt.
    :param series: the series that it is one of.
    :returns: whether an earlier attempt of the series started it.
    """
    arguments = run.get("Arguments", {})
    number = arguments.get(ATTEMPT, "")
    return arguments.get(SERIES) == series and number.isdecimal() and int(number) <= attempt


def bookmark_arguments(
    bookmark: str | None, bookmark_from: str | None, bookmark_to: str | None
) -> dict[str, str]:
    """Write what is to become of the bookmark.

    :param bookmark: ``enable``, ``disable`` or ``pause``; empty for what the job says.
    :param bookmark_from: id of a run, with ``pause``.
    :param bookmark_to: likewise.
    :returns: value by name.
    :raises UpdraftError: when they don't fit together.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
    """
    ends = {"--job-bookmark-from": bookmark_from, "--job-bookmark-to": bookmark_to}
    given = {name: value for name, value in ends.items() if value}
    if given and (bookmark != "pause" or len(given) < len(ends)):
        raise UpdraftError(
            "bookmark_from and bookmark_to need each other and bookmark='pause'; with any other "
            "value Glue reads from the last bookmark"
        )
    if not bookmark:
        return {}
    return {"--job-bookmark-option": choose("bookmark", bookmark, _BOOKMARKS), **given}


def with_spark_properties(
    arguments: Mapping[str, str],
    job_arguments: Mapping[str, str],
    context: Context,
    *,
    parent: bool | None,
    transport: bool | None,
) -> dict[str, str]:
    """Tell Spark's OpenLineage listener which task a run belongs to.

    An argument of a run replaces that of its job, so the job's ``--conf`` is taken over. Properties
    that either has stay as they are.

    :param arguments: arguments of the run.
    :param job_arguments: default arguments of the job.
    :param context: context of the task instance.
    :param parent: whether to hand over the parent run; None for what Airflow's configuration says.
    :param transport: whether to hand over where events go; likewise.
    :returns: the arguments, with ``--conf`` if there is something to add.
    """
    properties = _openlineage_properties(context, parent=parent, transport=transport)
    existing = arguments.get(_CONF, job_arguments.get(_CONF, ""))
    # A property that the user sets wins, and so does a whole group of which they set a part.
    own = set(re.findall(r"spark\.openlineage\.(parent|rootParent|transport)", existing))
    if own & {"parent", "rootParent"}:
        own |= {"parent", "rootParent"}
    added = {
        name: value
        for name, value in properties.items()
        if not name.startswith(tuple(f"spark.openlineage.{group}" for group in own))
    }
    if not added:
        return dict(arguments)
    parts = ([existing] if existing else []) + [f"{name}={value}" for name, value in added.items()]
    return {**arguments, _CONF: " --conf ".join(parts)}


def _openlineage_properties(
    context: Context, *, parent: bool | None, transport: bool | None
) -> dict[str, str]:
    from airflow.providers.common.compat.openlineage.utils.spark import (  # noqa: PLC0415 - optional
        inject_parent_job_information_into_spark_properties,
        inject_transport_information_into_spark_properties,
    )
    from airflow.providers.common.compat.sdk import conf  # noqa: PLC0415

    properties: dict[str, str] = {}
    if parent is None:
        parent = conf.getboolean("openlineage", "spark_inject_parent_job_info", fallback=False)
    if transport is None:
        transport = conf.getboolean("openlineage", "spark_inject_transport_info", fallback=False)
    try:
        if parent:
            properties |= inject_parent_job_information_into_spark_properties({}, context)
        if transport:
            properties |= inject_transport_information_into_spark_properties({}, context)
    except Exception as error:  # noqa: BLE001 - lineage must not fail the task
        log.warning("Spark is not told all that lineage needs: %s", error)
    return properties
