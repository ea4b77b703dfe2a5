"""Fields that the forms of several DAGs have, and what may stand in them.

A pattern is one of JSON Schema, which the form checks while a user types.
"""

from collections.abc import Sequence
from typing import Any

from updraft.compat import Param

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


def redshift_database() -> dict[str, Param]:
    """Make the fields for a database of Amazon Redshift and who connects to it.

    :returns: field by name, as the operators of the Data API call their arguments.
    """
    return {
        "cluster_identifier": Param(
            None,
            type=["null", "string"],
            pattern="^[a-z][a-z0-9-]{0,62}$",
            title="Cluster",
            description="Identifier of the cluster; or a workgroup.",
        ),
        "workgroup_name": Param(
            None,
            type=["null", "string"],
            minLength=3,
            title="Workgroup",
            description="Name of the workgroup of Redshift Serverless, or its ARN.",
        ),
        "database": Param(
            "dev",
            type="string",
            minLength=1,
            maxLength=127,
            title="Database",
            description="Name of the database.",
        ),
        "db_user": Param(
            None,
            type=["null", "string"],
            minLength=1,
            title="Database user",
            description="For a cluster; empty for a secret or the identity of IAM.",
        ),
        "secret_arn": Param(
            None,
            type=["null", "string"],
            minLength=1,
            title="Secret",
            description="ARN of a secret of Secrets Manager; instead of a user.",
        ),
        "query_group": Param(
            None,
            type=["null", "string"],
            minLength=1,
            maxLength=320,
            title="Query group",
            description="By which workload management chooses the queue.",
        ),
    }


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
