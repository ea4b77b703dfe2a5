"""The contender ``awswrangler.dynamodb.put_items``, run by an interpreter that has awswrangler."""

import sys
from decimal import Decimal
from typing import Any

import awswrangler  # type: ignore[import-not-found]
from boto3.dynamodb.types import TypeDeserializer

from benchmarks.dynamodb.items import batches
from benchmarks.dynamodb.measurement import report


def main(table: str, items: int) -> None:
    """Write all items; they are Python values in memory before the clock starts.

    :param table: name of an empty table.
    :param items: number of items.
    """
    deserialize = TypeDeserializer().deserialize
    rows: list[dict[str, Any]] = [
        {name: deserialize(value) for name, value in item.items()}
        for batch in batches(items)
        for item in batch
    ]
    if not isinstance(rows[0]["amount"], Decimal):
        raise SystemExit("The items are not those that awswrangler expects")
    report(lambda: awswrangler.dynamodb.put_items(items=rows, table_name=table))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
