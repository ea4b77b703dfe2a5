"""Names of tables, and what DescribeTable says about them."""

import pytest

from updraft.dynamodb.table import TableReference, describe_table
from updraft.errors import UpdraftError

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"


class Service:
    """Answers DescribeTable as the service does."""

    region = "eu-west-1"

    def __init__(self, **fields):
        self.table = {
            "TableArn": ARN,
            "TableStatus": "ACTIVE",
            "KeySchema": [
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "at", "AttributeType": "N"},
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "of-an-index", "AttributeType": "S"},
            ],
            "ProvisionedThroughput": {"ReadCapacityUnits": 50, "WriteCapacityUnits": 5},
        } | fields

    def call(self, operation, request):
        assert (operation, request) == ("DescribeTable", {"TableName": "orders"})
        return {"Table": self.table}


ORDERS = TableReference.parse("orders")


@pytest.mark.parametrize(
    ("text", "name", "region"),
    [("orders", "orders", None), ("a.b-c_D", "a.b-c_D", None), (ARN, "orders", "eu-west-1")],
)
def test_names_and_arns(text, name, region):
    assert TableReference.parse(text) == TableReference(text, name, region)


@pytest.mark.parametrize("text", ["", "ab", "a/b", "x" * 256, f"{ARN}/index/by-date", None, 5])
def test_what_cannot_be_a_table_is_refused_with_its_value(text):
    with pytest.raises(UpdraftError, match=r"table_name: .* neither the name nor the ARN"):
        TableReference.parse(text)


def test_description_has_the_keys_in_their_order():
    table = describe_table(Service(ItemCount=10, TableSizeBytes=4000), ORDERS)

    assert table.arn == ARN
    assert list(table.key_types.items()) == [("id", "S"), ("at", "N")]
    assert table.average_item_bytes == 400
    assert (table.read_units, table.write_units) == (50, 5)


@pytest.mark.parametrize(
    ("fields", "units"),
    [
        ({"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}, 40_000),
        ({"ProvisionedThroughput": {"ReadCapacityUnits": 0}}, 40_000),
        (
            {
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "OnDemandThroughput": {"MaxReadRequestUnits": 300},
            },
            300,
        ),
        (
            {
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "OnDemandThroughput": {"MaxReadRequestUnits": -1},
            },
            40_000,
        ),
        ({"BillingModeSummary": {"BillingMode": "PROVISIONED"}}, 50),
    ],
)
def test_capacity_of_every_billing_mode(fields, units):
    assert describe_table(Service(**fields), ORDERS).read_units == units


def test_an_empty_table_has_no_average():
    assert describe_table(Service(), ORDERS).average_item_bytes == 0


@pytest.mark.parametrize("status", ["CREATING", "DELETING"])
def test_a_table_that_is_not_there_yet_or_any_more_is_refused(status):
    with pytest.raises(UpdraftError, match=status):
        describe_table(Service(TableStatus=status), ORDERS)
