"""What an export has to know about a table before it reads it."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from updraft.dynamodb.service_errors import explained
from updraft.errors import UpdraftError
from updraft.lineage.naming import DYNAMODB_TABLE_ARN

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ON_DEMAND_READ_UNITS = 40_000
"""Read capacity units per second that the legacy tool assumed for a table in on-demand mode."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")


@dataclass(frozen=True)
class TableReference:
    """A table as a user names it.

    :param text: name or ARN, as DynamoDB takes it for ``TableName``.
    :param name: the name alone.
    :param region: region in the ARN, ``None`` for a plain name.
    """

    text: str
    name: str
    region: str | None

    @classmethod
    def parse(cls, text: str) -> "TableReference":
        """Check a name or ARN.

        :param text: ``orders`` or ``arn:aws:dynamodb:<region>:<account>:table/orders``.
        :returns: its parts.
        :raises UpdraftError: when no table can be called that.
        """
        if isinstance(text, str):
            if _TABLE_NAME.fullmatch(text):
                return cls(text, text, None)
            if arn := DYNAMODB_TABLE_ARN.fullmatch(text):
                return cls(text, arn["name"], arn["region"])
        raise UpdraftError(
            f"table_name: {text!r} is neither the name nor the ARN of a DynamoDB table. A name "
            "has 3 to 255 letters, digits, '_', '-' or '.'; an ARN looks like "
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders."
        )


@dataclass(frozen=True)
class TableDescription:
    """The facts of DescribeTable that matter for reading a table.

    :param arn: ARN of the table.
    :param key_types: type (S, N or B) of each key attribute, the partition key first.
    :param read_units: read capacity units per second that the table offers.
    :param approximate_items: item count, up to six hours old.
    :param approximate_bytes: size, up to six hours old.
    """

    arn: str
    key_types: dict[str, str]
    read_units: float
    approximate_items: int
    approximate_bytes: int

    @property
    def average_item_bytes(self) -> float:
        """Mean size of an item in bytes, 0 when the table does not know it."""
        return self.approximate_bytes / self.approximate_items if self.approximate_items else 0.0


def describe_table(client: "DynamoDBClient", table: TableReference) -> TableDescription:
    """Ask DynamoDB about a table.

    :param client: low-level client.
    :param table: the table.
    :returns: what an export needs.
    :raises ServiceError: when there is no such table, or it may not be described.
    :raises UpdraftError: when the table is being created or deleted.
    """
    with explained("dynamodb:DescribeTable", f"table {table.text!r} in {client.meta.region_name}"):
        found: dict[str, Any] = dict(client.describe_table(TableName=table.text)["Table"])
    status = found.get("TableStatus", "ACTIVE")
    if status in {"CREATING", "DELETING"}:
        raise UpdraftError(f"Table {table.text!r} cannot be read now: its status is {status}.")
    types = {
        entry["AttributeName"]: entry["AttributeType"] for entry in found["AttributeDefinitions"]
    }
    return TableDescription(
        arn=found["TableArn"],
        key_types={
            entry["AttributeName"]: types[entry["AttributeName"]] for entry in found["KeySchema"]
        },
        read_units=_read_units(found),
        approximate_items=found.get("ItemCount", 0),
        approximate_bytes=found.get("TableSizeBytes", 0),
    )


def _read_units(description: dict[str, Any]) -> float:
    provisioned = description.get("ProvisionedThroughput", {}).get("ReadCapacityUnits", 0)
    on_demand = description.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
    if provisioned and not on_demand:
        return float(provisioned)
    # The owner of an on-demand table may have set a ceiling of their own; -1 stands for none.
    ceiling = description.get("OnDemandThroughput", {}).get("MaxReadRequestUnits", -1)
    return float(min(ceiling, ON_DEMAND_READ_UNITS) if ceiling > 0 else ON_DEMAND_READ_UNITS)
