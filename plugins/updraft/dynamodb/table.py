"""What an export or import has to know about a table beforehand."""

import re
from dataclasses import dataclass
from typing import Any

from updraft.dynamodb.service import DynamoDBService
from updraft.dynamodb.service_errors import explained
from updraft.errors import ArgumentError, UpdraftError
from updraft.lineage.naming import DYNAMODB_TABLE_ARN

ON_DEMAND_UNITS = 40_000
"""Capacity units per second that the legacy tool assumed for a table in on-demand mode."""

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
        raise ArgumentError(
            f"table_name: {text!r} is neither the name nor the ARN of a DynamoDB table. A name "
            "has 3 to 255 letters, digits, '_', '-' or '.'; an ARN looks like "
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders."
        )

    def check_region(self, region: str | None, argument: str = "region_name") -> None:
        """Check that a Region that was named beside the table is that of its ARN.

        :param region: the Region, ``None`` when none was named.
        :param argument: what the user calls it, for the error message.
        :raises UpdraftError: when the two contradict each other.
        """
        if self.region and region and self.region != region:
            raise ArgumentError(
                f"{argument}: {region!r} contradicts the ARN {self.text!r}; leave one of them out"
            )


@dataclass(frozen=True)
class TableDescription:
    """The facts of DescribeTable that matter for reading a table.

    :param arn: ARN of the table.
    :param key_types: type (S, N or B) of each key attribute, the partition key first.
    :param read_units: read capacity units per second that the table offers.
    :param write_units: write capacity units per second that the table offers.
    :param approximate_items: item count, up to six hours old.
    :param approximate_bytes: size, up to six hours old.
    :param table_id: id of the table; one that is deleted and made again has another one.
    """

    arn: str
    key_types: dict[str, str]
    read_units: float
    write_units: float
    approximate_items: int
    approximate_bytes: int
    table_id: str = ""

    @property
    def identity(self) -> str:
        """What tells the table from an earlier one of the same name."""
        return f"{self.arn}#{self.table_id}"

    @property
    def average_item_bytes(self) -> float:
        """Mean size of an item in bytes, 0 when the table does not know it."""
        return self.approximate_bytes / self.approximate_items if self.approximate_items else 0.0


def describe_table(service: DynamoDBService, table: TableReference) -> TableDescription:
    """Ask DynamoDB about a table.

    :param service: DynamoDB.
    :param table: the table.
    :returns: what an export needs.
    :raises ServiceError: when there is no such table, or it may not be described.
    :raises UpdraftError: when the table is being created or deleted.
    """
    with explained("dynamodb:DescribeTable", f"table {table.text!r} in {service.region}"):
        found: dict[str, Any] = service.call("DescribeTable", {"TableName": table.text})["Table"]
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
        read_units=_units(found, "Read"),
        write_units=_units(found, "Write"),
        approximate_items=found.get("ItemCount", 0),
        approximate_bytes=found.get("TableSizeBytes", 0),
        table_id=found.get("TableId", ""),
    )


def _units(description: dict[str, Any], kind: str) -> float:
    provisioned = description.get("ProvisionedThroughput", {}).get(f"{kind}CapacityUnits", 0)
    on_demand = description.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
    if provisioned and not on_demand:
        return float(provisioned)
    # The owner of an on-demand table may have set a ceiling of their own; -1 stands for none.
    ceiling = description.get("OnDemandThroughput", {}).get(f"Max{kind}RequestUnits", -1)
    return float(min(ceiling, ON_DEMAND_UNITS) if ceiling > 0 else ON_DEMAND_UNITS)
