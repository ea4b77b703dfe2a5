"""What the stand-in says when a job asks for more than it has."""

from typing import NoReturn


def refuse(what: str) -> NoReturn:
    """Refuse.

    :param what: what was asked for.
    :raises NotImplementedError: always.
    """
    raise NotImplementedError(
        f"The local stack's awsglue has no {what}. It knows getResolvedOptions, Job.init and "
        "commit, and create_dynamic_frame.from_options for CSV, JSON and Parquet on S3 with toDF "
        "and count; with toDF at hand, the rest of a job can be written for Spark."
    )
