"""What a data source takes from the Glue Data Catalog into the forms of an asset."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.services.datazone.catalog.forms import COMMON_FORM

ASSET_TYPE = "amazon.datazone.GlueTableAssetType"
FORM = "GlueTableForm"
_FORM_TYPE = "amazon.datazone.GlueTableFormType"


def read_tables(endpoint_url: str, region: str, database: str) -> list[dict[str, Any]]:
    """List the tables of a database.

    :param endpoint_url: address of the gateway.
    :param region: Region of the Data Catalog.
    :param database: name of the database.
    :returns: its tables, as GetTables has them.
    :raises LookupError: when there is no such database.
    """
    glue: Any = client(endpoint_url, region, "glue")
    try:
        glue.get_database(Name=database)
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
        return [table for page in pages for table in page["TableList"]]
    except ClientError as error:
        raise LookupError(error.response["Error"]["Message"]) from error


def table_arn(region: str, account_id: str, database: str, table: str) -> str:
    """Name a table, as external identifier of its asset and as what lineage is linked by.

    :param region: its Region.
    :param account_id: its account.
    :param database: its database.
    :param table: its name.
    :returns: its ARN.
    """
    return f"arn:aws:glue:{region}:{account_id}:table/{database}/{table}"


def table_forms(table: Mapping[str, Any], arn: str) -> list[dict[str, Any]]:
    """Make the forms of the asset of a table.

    :param table: the table, as GetTables has it.
    :param arn: its ARN.
    :returns: forms as CreateAsset takes them.
    """
    storage = table.get("StorageDescriptor", {})
    columns = [*storage.get("Columns", ()), *table.get("PartitionKeys", ())]
    _, _, _, region, account_id, _ = arn.split(":", 5)
    technical = {
        "catalogId": account_id,
        "region": region,
        "tableName": table["Name"],
        "tableArn": arn,
        "tableDescription": table.get("Description", ""),
        "sourceLocation": storage.get("Location", ""),
        "classification": table.get("Parameters", {}).get("classification", ""),
        "columns": [
            {
                "columnName": column["Name"],
                "dataType": column.get("Type", ""),
                "description": column.get("Comment", ""),
            }
            for column in columns
        ],
    }
    return [
        {"formName": FORM, "typeIdentifier": _FORM_TYPE, "content": json.dumps(technical)},
        {"formName": COMMON_FORM, "content": json.dumps({"sourceIdentifier": arn})},
    ]
