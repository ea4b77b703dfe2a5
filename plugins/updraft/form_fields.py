"""Fields that the forms of several DAGs have, and what may stand in them.

A pattern is one of JSON Schema, which the form checks while a user types.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from updraft.choices import unknown_choice
from updraft.compat import AirflowFailException, Param

_OPENLINEAGE = "openlineage"
"""Part of a run's configuration in which the OpenLineage provider looks for the parent run."""

REGION = r"^[a-z]{2,5}(-[a-z]+)+-\d+$"

TABLE = r"^(arn:[^ ]+:table/)?[A-Za-z0-9_.-]{3,255}$"
"""Name of a DynamoDB table, or the ARN that ends with one."""

S3_URI = r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$"

S3_PREFIX = r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+/.+$"
"""A URI with something behind the bucket."""


def region(what: str = "Region") -> Param:
    """Make the field for a Region that may be left empty.

    :param what: what it is the Region of, such as ``Region of the table``.
    :returns: the field; None for the Region of the connection.
    """
    return Param(
        None,
        type=["null", "string"],
        pattern=REGION,
        title="Region",
        description=f"{what}; empty for that of the connection.",
    )


def domain() -> Param:
    """Make the field for a DataZone domain that may be left empty.

    :returns: the field; None for the configured domain.
    """
    return Param(
        None,
        type=["null", "string"],
        pattern=r"^dzd[-_][a-zA-Z0-9_-]{1,36}$",
        title="DataZone domain",
        description="Id of the domain; empty for the configured one.",
    )


def outbox() -> Param:
    """Make the field for the outbox of lineage events that may be left empty.

    :returns: the field; None for the configured outbox.
    """
    return Param(
        None,
        type=["null", "string"],
        pattern=r"^(s3://[^/]+|file:///).*$",
        title="Outbox",
        description="s3://bucket/prefix or file:///directory; empty for the configured one.",
    )


def look_back(most: int, description: str = "Where to begin for the first time.") -> Param:
    """Make the field for how far back a harvester of lineage begins.

    :param most: hours that there is something to find.
    :param description: what to know about it.
    :returns: the field; a day unless the user says otherwise.
    """
    return Param(
        24,
        type="integer",
        minimum=0,
        maximum=most,
        title="Hours to look back",
        description=description,
    )


def share_of_capacity(title: str, description: str = "Above 0, at most 1.") -> Param:
    """Make the field for the share of a table's capacity that a task may use.

    :param title: which capacity.
    :param description: what to know about it.
    :returns: the field; a quarter unless the user says otherwise.
    """
    return Param(
        0.25,
        type="number",
        exclusiveMinimum=0,
        maximum=1,
        title=title,
        description=description,
    )


def plan() -> Param:
    """Make the field that keeps a task from changing anything.

    :returns: the field; off unless the user says otherwise.
    """
    return Param(
        False,
        type="boolean",
        title="Plan",
        description="Only say what would be done, and change nothing.",
    )


def names(title: str, description: str) -> Param:
    """Make the field for a list of names.

    :param title: what is listed.
    :param description: what to know about it.
    :returns: the field; empty unless the user says otherwise.
    """
    return Param(
        [],
        type="array",
        items={"type": "string", "minLength": 1},
        title=title,
        description=description,
    )


def choice(
    title: str, values: Sequence[str], description: str, default: str | None = None
) -> Param:
    """Make the field for one of several values.

    :param title: what is chosen.
    :param values: the values.
    :param description: what to know about them.
    :param default: what is chosen unless the user says otherwise; ``None`` for none.
    :returns: the field; without a default it may stay empty.
    """
    if default is not None:
        return Param(
            default, type="string", enum=list(values), title=title, description=description
        )
    return Param(
        None,
        type=["null", "string"],
        enum=[None, *values],
        values_display={"null": "None"},
        title=title,
        description=description,
    )


def text(title: str, description: str, *, pattern: str = ".", lines: bool = False) -> Param:
    """Make the field for a text that may be left empty.

    :param title: what it is.
    :param description: what to know about it.
    :param pattern: what may stand in it.
    :param lines: whether it has several lines.
    :returns: the field.
    """
    more: dict[str, Any] = {"format": "multiline"} if lines else {"pattern": pattern}
    return Param(None, type=["null", "string"], title=title, description=description, **more)


def refuse_unknown_fields(context: Mapping[str, Any]) -> None:
    """Fail a task whose run was triggered with a field that the form doesn't have.

    Airflow checks the values of the fields it knows and passes over all others, so that a field
    with a spelling mistake would leave the form's default in force. For ``pre_execute`` in the
    ``default_args`` of a DAG.

    :param context: context of the task instance.
    :raises AirflowFailException: with the nearest field; a retry would not help.
    """
    fields = context["dag"].params
    given = getattr(context.get("dag_run"), "conf", None) or {}
    for name in given:
        if name not in fields and name != _OPENLINEAGE:
            raise AirflowFailException(str(unknown_choice("form", name, sorted(fields))))
