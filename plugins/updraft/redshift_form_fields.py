"""Fields that the forms of Amazon Redshift have."""

from updraft.compat import Param

CLUSTER = r"^[a-z]([a-z0-9]|-(?!-)){0,61}[a-z0-9]$"


def cluster() -> Param:
    """Make the field for a cluster of Amazon Redshift.

    :returns: the field, which has to be filled in.
    """
    return Param(type="string", pattern=CLUSTER, title="Cluster", description="Its name.")


def database() -> dict[str, Param]:
    """Make the fields for a database of Amazon Redshift and who connects to it.

    :returns: field by name, as the operators of the Data API call their arguments.
    """
    return {
        "cluster_identifier": Param(
            None,
            type=["null", "string"],
            pattern=CLUSTER,
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


def timetable() -> Param:
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
