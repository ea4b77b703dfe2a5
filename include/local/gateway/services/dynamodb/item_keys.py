"""Keys of items, and which keys a request writes.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any

ITEM_WRITES = frozenset(
    {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}
)
"""Writes that name the keys of what they write."""

STATEMENTS = frozenset({"BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction"})
"""PartiQL: may write, and says only in a language of its own what."""

WRITES = ITEM_WRITES | STATEMENTS

_EXACT = Context(prec=64)


def table_name(name_or_arn: str) -> str:
    """Take the name out of what ``TableName`` may hold.

    :param name_or_arn: name of a table or its ARN.
    :returns: the name.
    """
    return name_or_arn.rpartition(":table/")[2].partition("/")[0]


def key_text(key_names: list[str], attributes: Mapping[str, Any]) -> str | None:
    """Write a key so that equal keys are equal texts.

    :param key_names: names of the key attributes, the partition key first.
    :param attributes: an item, or its key.
    :returns: the key as DynamoDB JSON, its numbers in one form; None when a part is missing or is
        no value of a key, as in a request that DynamoDB will refuse.
    """
    parts: dict[str, Any] = {}
    for name in key_names:
        value = attributes.get(name)
        if not isinstance(value, dict) or len(value) != 1:
            return None
        ((kind, content),) = value.items()
        if not isinstance(content, str):
            return None
        if kind == "N":
            try:
                number = _EXACT.normalize(Decimal(content))
            except InvalidOperation:
                return None
            content = "0" if number.is_zero() else str(number)  # -0 equals 0 and reads otherwise
        parts[name] = {kind: content}
    return json.dumps(parts, separators=(",", ":"))


def written(operation: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """List what a request is about to write.

    :param operation: one of :data:`ITEM_WRITES`.
    :param parameters: its input. It has not been checked by anybody yet.
    :returns: name of a table, and an item or a key that will be written to it.
    """
    if operation == "BatchWriteItem":
        for name, requests in _mapping(parameters.get("RequestItems")).items():
            for request in requests if isinstance(requests, list) else ():
                put = _mapping(_mapping(request).get("PutRequest")).get("Item")
                delete = _mapping(_mapping(request).get("DeleteRequest")).get("Key")
                yield table_name(name), _mapping(put or delete)
        return
    actions = [parameters]
    if operation == "TransactWriteItems":
        entries = parameters.get("TransactItems")
        actions = [
            _mapping(action)
            for entry in (entries if isinstance(entries, list) else ())
            for kind, action in _mapping(entry).items()
            if kind != "ConditionCheck"
        ]
    for action in actions:
        attributes = _mapping(action.get("Item") or action.get("Key"))
        yield table_name(str(action.get("TableName"))), attributes


def only_selects(parameters: Mapping[str, Any]) -> bool:
    """Tell whether a request in PartiQL certainly writes nothing.

    :param parameters: input of one of :data:`STATEMENTS`.
    :returns: whether each statement is a SELECT or an EXISTS.
    """
    entries = parameters.get("Statements") or parameters.get("TransactStatements") or [parameters]
    statements = [_mapping(entry).get("Statement") for entry in entries]
    return all(re.match(r"\s*(?:SELECT|EXISTS)\b", str(each), re.IGNORECASE) for each in statements)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
