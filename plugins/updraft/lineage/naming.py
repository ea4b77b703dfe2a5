"""Names of datasets in OpenLineage events: one function per kind of AWS data store.

The names follow the OpenLineage naming specification where it has a row
(https://openlineage.io/docs/spec/naming). The specification has none for DynamoDB; its form here
mirrors the one for AWS Glue and is kept in this one place.
"""

import re
from typing import NamedTuple

from updraft.errors import UpdraftError
from updraft.s3_uri import parse_s3_uri

DYNAMODB_TABLE_ARN = re.compile(
    r"arn:aws[a-z-]*:dynamodb:(?P<region>[a-z0-9-]+):\d{12}:table/(?P<name>[A-Za-z0-9_.-]{3,255})",
    re.ASCII,
)
"""The ARN of a DynamoDB table.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""


class DatasetName(NamedTuple):
    """Name of a dataset as OpenLineage splits it: where it lives, and what it is called there."""

    namespace: str
    name: str


def dynamodb_table(table_arn: str) -> DatasetName:
    """Name a DynamoDB table.

    :param table_arn: ARN of the table, ``arn:aws:dynamodb:<region>:<account>:table/<table>``.
    :returns: namespace ``arn:aws:dynamodb:<region>:<account>``, name ``table/<table>``.
    :raises UpdraftError: when the ARN is not that of a DynamoDB table.
    """
    if DYNAMODB_TABLE_ARN.fullmatch(table_arn) is None:
        raise UpdraftError(f"{table_arn!r} is not the ARN of a DynamoDB table")
    namespace, table = table_arn.rsplit(":", 1)
    return DatasetName(namespace, table)


def glue_table(partition: str, region: str, account: str, database: str, table: str) -> DatasetName:
    """Name a table of the Data Catalog.

    :param partition: partition of AWS, such as ``aws``.
    :param region: its region.
    :param account: id of the account, which is the id of its catalog.
    :param database: name of the database.
    :param table: name of the table.
    :returns: namespace ``arn:aws:glue:<region>:<account>``, name ``table/<database>/<table>``.
    """
    return DatasetName(f"arn:{partition}:glue:{region}:{account}", f"table/{database}/{table}")


def redshift_table(
    cluster: str, region: str, *, port: int, database: str, schema: str, table: str
) -> DatasetName:
    """Name a table or view of Amazon Redshift.

    :param cluster: identifier of the cluster.
    :param region: its region.
    :param port: the port that it listens at.
    :param database: name of the database.
    :param schema: name of the schema.
    :param table: name of the table or view.
    :returns: namespace ``redshift://<cluster>.<region>:<port>``, name
        ``<database>.<schema>.<table>``.
    """
    return DatasetName(f"redshift://{cluster}.{region}:{port}", f"{database}.{schema}.{table}")


def emr_files(uri: str) -> DatasetName:
    """Name files on an EMR cluster as ``COPY`` of Amazon Redshift does.

    :param uri: ``emr://<cluster>/<path>``.
    :returns: namespace ``emr://<cluster>``, name the path, ``/`` for all there is.
    :raises UpdraftError: when the URI has no cluster or another scheme.
    """
    scheme, _, rest = uri.partition("://")
    cluster, _, path = rest.partition("/")
    if scheme != "emr" or not cluster:
        raise UpdraftError(f"{uri!r} does not name files on an EMR cluster")
    return DatasetName(f"emr://{cluster}", path.strip("/") or "/")


def s3_prefix(uri: str) -> DatasetName:
    """Name an S3 object or prefix.

    Slashes around the key are dropped, so that ``s3://b/p`` and ``s3://b/p/`` are one node of
    the lineage graph.

    :param uri: ``s3://<bucket>/<key or prefix>``; ``s3a`` and ``s3n`` are taken as ``s3``.
    :returns: namespace ``s3://<bucket>``, name the key, ``/`` for the bucket as a whole.
    :raises UpdraftError: when the URI has no bucket or another scheme.
    """
    bucket, key = parse_s3_uri(uri)
    return DatasetName(f"s3://{bucket}", key.strip("/") or "/")
