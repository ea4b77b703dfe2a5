"""Fields that the forms of several DAGs have, and what may stand in them.

A pattern is one of JSON Schema, which the form checks while a user types.
"""

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
