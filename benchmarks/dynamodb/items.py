"""The items that all contenders read or write. Nothing but the standard library is needed here."""

import random
from collections.abc import Iterator
from typing import Any

BATCH = 25
"""Items of a BatchWriteItem."""

_TEXT = (
    "a after all and are as at be been but by call come could day did do down each first for from "
    "had has have he her him his how if in into is it its like long look made make many may more "
    "my no not now number of oil on one or other out parcel part people said see she sit so some "
    "street than that the their them then there these they this time to two up use was water way "
    "we were what when which who will with word would write you your"
)
_WORDS = _TEXT.split()
_NOTE_BYTES = 289


def item(number: int) -> dict[str, Any]:
    """Make an item of 400 bytes as DynamoDB counts.

    It has neither sets nor binary values, which the provider's operators cannot export, and a note
    of words at random, which compresses as text does.

    :param number: what the item is made from, 0 to 9,999,999.
    :returns: the item in DynamoDB's JSON.
    """
    words = random.Random(number).choices(_WORDS, k=80)
    note = " ".join(words)[:_NOTE_BYTES]
    return {
        "id": {"S": f"order-{number:09d}"},
        "customer": {"S": f"customer-{number % 9973:06d}"},
        "amount": {"N": f"{number % 1000 + 1000}.25"},
        "paid": {"BOOL": number % 2 == 0},
        "address": {"M": {"city": {"S": "Zürich"}, "zip": {"N": str(8001 + number % 99)}}},
        "lines": {"L": [{"S": f"article-{number % 101:03d}"}, {"N": "3"}]},
        "note": {"S": note.ljust(_NOTE_BYTES, ".")},
    }


def batches(items: int) -> Iterator[list[dict[str, Any]]]:
    """Make all items.

    :param items: their number, a multiple of 25.
    :returns: lists of 25.
    """
    for start in range(0, items, BATCH):
        yield [item(number) for number in range(start, start + BATCH)]
