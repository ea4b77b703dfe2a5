"""The table that the demo exports: a shop's orders, with all ten DynamoDB attribute types."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "orders"
KEY = "order_id"
_WORDS = ("amber", "basalt", "cedar", "délice", "ebony", "fjörd", "garnet", "雪", "🪁", "jade")
_BATCH = 25
"""Items in a BatchWriteItem call, the most that DynamoDB takes."""
_CHUNK = 500
_THREADS = 4


def order(number: int) -> dict[str, Any]:
    """Make one item; the same number always gives the same item.

    :param number: which one, from 0.
    :returns: the item in DynamoDB's typed form.
    """
    chance = random.Random(number)  # noqa: S311  test data, nothing secret
    words = chance.sample(_WORDS, 3)
    return {
        KEY: {"S": f"order-{number:08d}"},
        "amount": {"N": f"{chance.randrange(10**20)}.{chance.randrange(10**17):017d}1"},
        "fingerprint": {"B": chance.randbytes(16)},
        "labels": {"SS": words},
        "ratings": {"NS": [str(chance.randrange(-5, 0)), "0", "1.5E-20"]},
        "thumbnails": {"BS": [chance.randbytes(4), chance.randbytes(5)]},
        "customer": {
            "M": {
                "name": {"S": f"{words[0]} {words[1]}"},
                "loyal": {"BOOL": chance.choice((True, False))},
            }
        },
        "lines": {"L": [{"S": word} for word in words] + [{"N": str(number)}, {"M": {}}]},
        "paid": {"BOOL": number % 2 == 0},
        "coupon": {"NULL": True},
        "note": {"S": "" if number % 10 else 'line one\nline "two"\t\\ <&>'},
    }


def create_table(client: "DynamoDBClient", table: str = TABLE) -> None:
    """Create the table; an old one with all its items is removed first.

    :param client: DynamoDB client.
    :param table: name of the table.
    """
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName=table)
        client.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


def seed(
    client: "DynamoDBClient",
    items: int,
    table: str = TABLE,
    progress: Callable[[int], None] = lambda _written: None,
) -> None:
    """Fill the table.

    :param client: DynamoDB client.
    :param items: how many items.
    :param table: name of the table, which exists.
    :param progress: told after each chunk how many items it wrote.
    """
    chunks = [range(start, min(start + _CHUNK, items)) for start in range(0, items, _CHUNK)]
    with ThreadPoolExecutor(_THREADS) as pool:
        for written in pool.map(lambda numbers: _write(client, table, numbers), chunks):
            progress(written)


def _write(client: "DynamoDBClient", table: str, numbers: range) -> int:
    for start in range(0, len(numbers), _BATCH):
        puts = [{"PutRequest": {"Item": order(n)}} for n in numbers[start : start + _BATCH]]
        pending: Any = {table: puts}
        while pending:
            pending = client.batch_write_item(RequestItems=pending)["UnprocessedItems"]
    return len(numbers)
