"""What reads consume, which ministack gets wrong: it charges half a unit for any page.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from include.local.gateway.services.dynamodb.item_sizes import item_size, read_units, total_size

READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan"})
"""Operations that are charged here."""

_NARROWING = (
    "AttributesToGet",
    "ConditionalOperator",
    "FilterExpression",
    "ProjectionExpression",
    "QueryFilter",
    "ScanFilter",
    "Select",
)

Call = Callable[[str, Mapping[str, Any]], dict[str, Any]]
Units = dict[str, float]


def charges(
    operation: str, request: Mapping[str, Any], answer: Mapping[str, Any], call: Call
) -> Units:
    """Price a read.

    :param operation: one of :data:`READS`.
    :param request: its input.
    :param answer: its output.
    :param call: calls another operation. Filters and projections change what is returned, not
        what is read, so that the same is read again without them.
    :returns: read units by table, in the words of the request.
    """
    if operation == "BatchGetItem":
        return _of_batch(request, answer, call)
    consistent = bool(request.get("ConsistentRead"))
    if operation == "GetItem":
        item = answer.get("Item")
        if item and ("ProjectionExpression" in request or "AttributesToGet" in request):
            whole = {"TableName": request["TableName"], "Key": request["Key"]}
            item = call("GetItem", whole).get("Item")
        size = item_size(item) if item else 0
        return {request["TableName"]: read_units(size, consistent=consistent)}
    items = answer.get("Items", ())
    if any(name in request for name in _NARROWING):
        items = _evaluated(operation, request, answer, call)
    return {request["TableName"]: read_units(total_size(items), consistent=consistent)}


def _evaluated(
    operation: str, request: Mapping[str, Any], answer: Mapping[str, Any], call: Call
) -> list[dict[str, Any]]:
    """Read all items that a page went over."""
    waiting = int(answer.get("ScannedCount", 0))
    again = {name: value for name, value in request.items() if name not in _NARROWING}
    if operation == "Scan":
        _keep_names(again, ())
    else:
        _keep_names(again, ("KeyConditionExpression",))
    items: list[dict[str, Any]] = []
    while waiting > 0:
        page = call(operation, {**again, "Limit": waiting})
        items += page["Items"]
        waiting -= int(page["ScannedCount"])
        if "LastEvaluatedKey" not in page:
            break
        again["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    return items


def _keep_names(request: dict[str, Any], expressions: tuple[str, ...]) -> None:
    """Leave out placeholders that no expression uses any more, which DynamoDB refuses."""
    text = " ".join(str(request.get(name, "")) for name in expressions)
    for member in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        used = {name: value for name, value in request.pop(member, {}).items() if name in text}
        if used:
            request[member] = used


def _of_batch(request: Mapping[str, Any], answer: Mapping[str, Any], call: Call) -> Units:
    units: Units = {}
    for name, asked in request["RequestItems"].items():
        consistent = bool(asked.get("ConsistentRead"))
        items = answer.get("Responses", {}).get(name, [])
        if items and ("ProjectionExpression" in asked or "AttributesToGet" in asked):
            whole = {name: {"Keys": asked["Keys"]}}
            items = call("BatchGetItem", {"RequestItems": whole})["Responses"].get(name, [])
        missing = len(asked["Keys"]) - len(items)
        units[name] = sum(read_units(item_size(item), consistent=consistent) for item in items)
        units[name] += missing * read_units(0, consistent=consistent)
    return units


def consumed(
    operation: str, request: Mapping[str, Any], answer: Mapping[str, Any], units: Units
) -> Any:
    """Write ``ConsumedCapacity`` of an answer.

    :param operation: one of :data:`READS`.
    :param request: its input.
    :param answer: its output, which tells the kind of an index.
    :param units: read units by table.
    :returns: the member; a list for a batch.
    """
    entries = []
    for name, amount in units.items():
        entry: dict[str, Any] = {"TableName": name, "CapacityUnits": amount}
        if request["ReturnConsumedCapacity"] == "INDEXES":
            entry["Table"] = {"CapacityUnits": amount}
        entries.append(entry)
    if operation == "BatchGetItem":
        return entries
    told = answer.get("ConsumedCapacity", {})
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if kind in told:
            entries[0]["Table"] = {"CapacityUnits": 0.0}
            entries[0][kind] = {
                index: {"CapacityUnits": entries[0]["CapacityUnits"]} for index in told[kind]
            }
    return entries[0]
