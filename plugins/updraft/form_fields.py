"""Fields that the forms of several DAGs have, and what may stand in them.

A pattern is one of JSON Schema, which the form checks while a user types.
"""

from collections.abc import Mapping
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

REDSHIFT_CLUSTER = r"^[a-z]([a-z0-9]|-(?!-)){0,61}[a-z0-9]$"


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


def redshift_cluster() -> Param:
    """Make the field for a cluster of Amazon Redshift.

    :returns: the field, which has to be filled in.
    """
    return Param(type="string", pattern=REDSHIFT_CLUSTER, title="Cluster", description="Its name.")


def redshift_timetable() -> Param:
    """Make the field for the times at which a cluster of Amazon Redshift is changed.

    :returns: the field; at first it has the times of an article on AWS's blog about it.
    """
    line = {
        "type": "object",
        "required": ["at", "action"],
        "additionalProperties": False,
        "properties": {
            "at": {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"},
            "action": {"type": "string", "enum": ["pause", "resume", "resize"]},
            "days": {"type": ["null", "string"]},
            "number_of_nodes": {"type": ["null", "integer"], "minimum": 1},
            "node_type": {"type": ["null", "string"]},
            "classic": {"type": "boolean"},
        },
    }
    return Param(
        [
            {"at": "07:15", "action": "resume"},
            {"at": "14:15", "action": "resize", "number_of_nodes": 4},
            {"at": "22:00", "action": "pause"},
        ],
        type="array",
        items=line,
        minItems=1,
        title="Timetable",
        description='Lines such as {"at": "22:00", "action": "pause", "days": "mon-fri"}.',
    )


def time_zone() -> Param:
    """Make the field for a time zone.

    :returns: the field; UTC unless the user says otherwise.
    """
    return Param(
        "UTC",
        type="string",
        pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$",
        title="Time zone",
        description="Of the times in the timetable, such as Europe/Berlin.",
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
