"""The Data Catalog, which is moto's, as the rest of Glue uses it."""

from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import ACCOUNT_ID


def describe_table(endpoint_url: str, region: str, database: str, table: str) -> dict[str, Any]:
    """Get the description of a table.

    :param endpoint_url: address of the gateway.
    :param region: Region of the catalog.
    :param database: name of the database.
    :param table: name of the table.
    :returns: the table as GetTable describes it.
    :raises AwsError: as Glue answers when there is none.
    """
    glue: Any = client(endpoint_url, region, "glue")
    try:
        found: dict[str, Any] = glue.get_table(DatabaseName=database, Name=table)["Table"]
    except ClientError as error:
        detail = error.response["Error"]
        raise AwsError(detail["Code"], detail["Message"]) from error
    return found


def moto_backend(region: str) -> Any:
    """Give moto's Glue, which lives in the same process.

    Through it a handler reads what it answers itself to others, such as a crawler.

    :param region: Region.
    :returns: moto's backend.
    """
    from moto.glue.models import glue_backends  # noqa: PLC0415 - after moto has its environment

    return glue_backends[ACCOUNT_ID][region]
