"""Items in Amazon Ion, as DynamoDB writes and reads it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html: numbers
are decimals, binary values blobs, and sets lists that an annotation tells from other lists.
"""

import base64
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Any, BinaryIO

from amazon.ion import simpleion
from amazon.ion.core import IonType
from amazon.ion.simple_types import IonPyList, IonPyNull, IonPySymbol

_EXACT = Context(prec=64)
_SETS = ("SS", "NS", "BS")


def decimal(number: str) -> Decimal:
    """Read a number with all its digits.

    :param number: DynamoDB's text of it.
    :returns: the number without zeros at its end, which go to the exponent.
    """
    return _EXACT.normalize(Decimal(number))


def write(struct: Mapping[str, Any]) -> bytes:
    """Write one line.

    :param struct: values that came from :func:`from_item` and their like.
    :returns: the line without its end, led by the version marker.
    """
    line: str = simpleion.dumps(struct, binary=False)
    return line.encode()


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an item into what Ion's writer takes.

    :param item: the item as DynamoDB's JSON has it.
    :returns: the same by name of the attribute.
    """
    return {name: _from_value(value) for name, value in item.items()}


def _from_value(tagged: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one return per type
    ((kind, value),) = tagged.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return decimal(value)
        case "B":
            return base64.b64decode(value)
        case "NULL":
            return None
        case "L":
            return [_from_value(member) for member in value]
        case "M":
            return from_item(value)
        case _:
            members = [_from_value({kind[0]: member}) for member in value]
            return IonPyList.from_value(IonType.LIST, members, (f"$dynamodb_{kind}",))


def read(stream: BinaryIO) -> Iterator[Any]:
    """Read the values of a file one by one.

    :param stream: the file, text or binary Ion.
    :returns: the values.
    :raises amazon.ion.exceptions.IonException: where the file is no Ion.
    """
    yield from simpleion.load(stream, single_value=False, parse_eagerly=False)


def to_item(struct: Any) -> dict[str, Any]:
    """Turn an Ion struct into an item.

    :param struct: the struct.
    :returns: the item as DynamoDB's JSON has it.
    :raises ValueError: when it is no struct or holds a type that DynamoDB has not.
    """
    if not isinstance(struct, Mapping):
        raise ValueError("The item is no struct")  # noqa: TRY004 - the value is wrong, not its use
    return {str(name): _to_value(value) for name, value in struct.items()}


def _to_value(value: Any) -> dict[str, Any]:  # noqa: PLR0911 - one return per type
    if value is None or isinstance(value, IonPyNull):
        return {"NULL": True}
    kind = value.ion_type
    if kind is IonType.BOOL:
        return {"BOOL": bool(value)}
    if kind in {IonType.DECIMAL, IonType.INT}:
        return {"N": str(value)}
    if kind is IonType.STRING and not isinstance(value, IonPySymbol):
        return {"S": str(value)}
    if kind is IonType.BLOB:
        return {"B": base64.b64encode(value).decode()}
    if kind is IonType.LIST:
        members = [_to_value(member) for member in value]
        for annotation in value.ion_annotations:
            name = str(annotation.text).removeprefix("$dynamodb_")
            if name in _SETS:
                return {name: [_member(member, name[0]) for member in members]}
        return {"L": members}
    if kind is IonType.STRUCT:
        return {"M": to_item(value)}
    raise ValueError(f"DynamoDB has no type for Ion's {kind.name.lower()}")


def _member(tagged: dict[str, Any], kind: str) -> Any:
    if kind not in tagged:
        raise ValueError(f"A member of a {kind}S set is of type {next(iter(tagged))}")
    return tagged[kind]
