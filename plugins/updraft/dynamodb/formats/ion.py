"""Amazon Ion as DynamoDB's export writes it: text, one value per line.

Sets are lists with the annotations ``$dynamodb_SS``, ``$dynamodb_NS`` and ``$dynamodb_BS``; numbers
are decimals, which keep all digits. Records are ``{Item:{…}}`` or, of an incremental export,
``{Record:{Keys:{…},Metadata:{…},OldImage:{…},NewImage:{…}}}``.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from updraft.dynamodb.formats.base import AttributeValue, Item
from updraft.dynamodb.formats.compression import COMPRESSION_SUFFIXES
from updraft.dynamodb.formats.ion_long_values import PIECES, join_pieces, split_long_values
from updraft.dynamodb.formats.json_lines import LineFormat, ReadItem, malformed_item
from updraft.dynamodb.formats.options import check_options, compression_option
from updraft.dynamodb.formats.value_errors import InvalidValueError

_OPTIONS = frozenset({"compression"})
_VERSION_MARKER = b"$ion_1_0"
_SET_ANNOTATIONS = {"$dynamodb_SS": "SS", "$dynamodb_NS": "NS", "$dynamodb_BS": "BS"}
_MEMBER_TYPES = {"SS": "S", "NS": "N", "BS": "B"}


class IonFormat(LineFormat):
    """Files as DynamoDB's export writes them in Ion and its import reads them.

    Numbers come back with the same value and digits; those that DynamoDB itself would spell in
    another way, such as ``1e5``, may come back spelled in another way.

    :param key_types: not needed.
    :param options: ``compression`` is ``GZIP`` (default), ``ZSTD`` or ``NONE``; when reading, the
        name of the file tells it.
    """

    name = "ION"
    maximum_items_per_file = 1_000_000

    def __init__(self, key_types: Mapping[str, str], options: Mapping[str, Any]) -> None:
        del key_types
        check_options(self.name, options, _OPTIONS)
        super().__init__(compression_option(options, "GZIP", COMPRESSION_SUFFIXES))
        self.file_suffix = ".ion" + COMPRESSION_SUFFIXES[self._compression]

    def encode_item(self, item: Item) -> bytes:
        """Write one item, see :meth:`LineFormat.encode_item`."""
        from amazon.ion import simpleion
        from amazon.ion.exceptions import IonException

        try:
            members = {name: _to_ion(value) for name, value in item.items()}
            text: str = simpleion.dumps({"Item": members}, binary=False)
            return text.encode() + b"\n"
        except (
            AttributeError,
            InvalidOperation,
            IonException,
            KeyError,
            SystemError,  # what the C library makes of half a surrogate pair
            TypeError,
            ValueError,
        ) as error:
            raise malformed_item(item, error) from error

    def decode_line(self, content: bytes) -> ReadItem:
        """Read one line, see :meth:`LineFormat.decode_line`."""
        from amazon.ion import simpleion
        from amazon.ion.exceptions import IonException

        if content == _VERSION_MARKER:
            return None, False, False
        try:
            value = simpleion.loads(
                split_long_values(content), value_model=simpleion.IonPyValueModel.MAY_BE_BARE
            )
        except (IonException, ValueError) as error:
            raise InvalidValueError(f"it is no Ion value ({error})", content) from error
        members = _struct(value)
        if list(members) == ["Item"]:
            return _item(members["Item"]), False, False
        if list(members) == ["Record"]:
            return *_change(_struct(members["Record"])), False
        raise InvalidValueError(
            "the line has neither Item nor Record, so it is no record of a DynamoDB export", content
        )


def _change(members: dict[str, Any]) -> tuple[Item, bool]:
    unknown = members.keys() - {"Keys", "Metadata", "OldImage", "NewImage"}
    if unknown or "Keys" not in members:
        raise InvalidValueError("a record has Keys, Metadata and images", sorted(members))
    key = _item(members["Keys"])
    if "NewImage" not in members:
        return key, True
    item = _item(members["NewImage"])
    for name, value in key.items():
        if item.get(name) != value:
            raise InvalidValueError("Keys differ from the key of NewImage", {name: value})
    return item, False


def _to_ion(value: AttributeValue) -> Any:
    ((key, payload),) = value.items()
    return _WRITERS[key](payload)


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": Decimal,
    "B": lambda payload: binascii.a2b_base64(payload, strict_mode=True),
    "SS": lambda payload: _set_to_ion("SS", payload),
    "NS": lambda payload: _set_to_ion("NS", payload),
    "BS": lambda payload: _set_to_ion("BS", payload),
    "M": lambda payload: {name: _to_ion(member) for name, member in payload.items()},
    "L": lambda payload: [_to_ion(member) for member in payload],
    "BOOL": bool,
    "NULL": lambda _: None,
}


def _set_to_ion(key: str, members: list[str]) -> Any:
    from amazon.ion.core import IonType
    from amazon.ion.simple_types import IonPyList

    values = [_to_ion({_MEMBER_TYPES[key]: member}) for member in members]
    return IonPyList.from_value(IonType.LIST, values, annotations=(f"$dynamodb_{key}",))


def _struct(value: Any) -> dict[str, Any]:
    from amazon.ion.simple_types import IonPyDict

    if not isinstance(value, IonPyDict) or value.ion_annotations:
        raise InvalidValueError("expected a struct", value)
    members = dict(value)
    if len(members) < len(value):  # a struct of Ion may have several members of one name
        names = [name for name, _ in value.items()]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidValueError("one struct names this twice", twice)
    return members


def _item(value: Any) -> dict[str, AttributeValue]:
    result = {}
    for name, member in _struct(value).items():
        try:
            result[name] = _from_ion(member)
        except InvalidValueError as error:
            raise error.below(name) from None
    return result


_BARE_VALUES: dict[type, Callable[[Any], AttributeValue]] = {
    str: lambda value: {"S": value},
    Decimal: lambda value: {"N": str(value)},
    int: lambda value: {"N": str(value)},
    bool: lambda value: {"BOOL": value},
    bytes: lambda value: {"B": base64.b64encode(value).decode("ascii")},
    type(None): lambda _: {"NULL": True},
    list: lambda value: {"L": _members(value)},
}


def _from_ion(value: Any) -> AttributeValue:
    read = _BARE_VALUES.get(type(value), _from_annotated_ion)
    return read(value)


def _members(values: list[Any]) -> list[AttributeValue]:
    result = []
    for index, member in enumerate(values):
        try:
            result.append(_from_ion(member))
        except InvalidValueError as error:
            raise error.below(index) from None
    return result


def _from_annotated_ion(value: Any) -> AttributeValue:
    """Read what the library gives as a class of its own: structs, sets, typed nulls, the rest."""
    from amazon.ion.simple_types import IonPyDict, IonPyList, IonPyNull

    annotations = [getattr(a, "text", a) for a in getattr(value, "ion_annotations", ())]
    if not annotations:
        if isinstance(value, IonPyDict):
            return {"M": _item(value)}
        if isinstance(value, IonPyNull):
            return {"NULL": True}
    elif len(annotations) == 1 and isinstance(value, IonPyList):
        if annotations == [PIECES]:
            return _from_ion(join_pieces(value))
        key = _SET_ANNOTATIONS.get(annotations[0])
        if key is not None:
            return {key: _set_from_ion(value, _MEMBER_TYPES[key])}
    shown = "::".join([*annotations, str(value)])
    raise InvalidValueError(f"DynamoDB has no such type ({type(value).__name__})", shown)


def _set_from_ion(values: list[Any], member_type: str) -> list[Any]:
    members = [next(iter(member.items())) for member in _members(values)]
    for key, payload in members:
        if key != member_type:
            raise InvalidValueError(f"the members of this set have the type {member_type}", payload)
    return [payload for _, payload in members]
