"""Carries values between DynamoDB's JSON and the Python values that boto3 takes and returns."""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import Shape

Convert = Callable[[Any], Any]


class ValueConversion:
    """Converts the leaves of some types wherever a service's model has them.

    :param leaves: for the name of a type in the model, such as ``blob``, the conversion.
    """

    def __init__(self, leaves: Mapping[str, Convert]) -> None:
        self._leaves = leaves
        self._known: dict[str, Convert | None] = {}

    def of(self, shape: "Shape | None", value: Any) -> Any:
        """Convert a value.

        :param shape: its shape in the model; ``None`` for the input of an operation without one.
        :param value: the value, which stays as it is.
        :returns: the value with its leaves converted; parts without any are not copied.
        """
        convert = None if shape is None else self._of_shape(shape)
        return value if convert is None else convert(value)

    def _of_shape(self, shape: Any) -> Convert | None:
        if shape.name not in self._known:
            # An attribute value holds attribute values: while its conversion is being made, the
            # inner ones look it up by name.
            self._known[shape.name] = lambda value: self.of(shape, value)
            self._known[shape.name] = self._made(shape)
        return self._known[shape.name]

    def _made(self, shape: Any) -> Convert | None:
        if shape.type_name == "structure":
            members = {name: self._of_shape(member) for name, member in shape.members.items()}
            return _members({name: found for name, found in members.items() if found})
        if shape.type_name == "list":
            return _elements(self._of_shape(shape.member))
        if shape.type_name == "map":
            return _values(self._of_shape(shape.value))
        return self._leaves.get(shape.type_name)


def _members(conversions: Mapping[str, Convert]) -> Convert | None:
    if not conversions:
        return None

    def convert(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {
            name: conversions[name](member) if name in conversions else member
            for name, member in value.items()
        }

    return convert


def _elements(conversion: Convert | None) -> Convert | None:
    if conversion is None:
        return None
    return lambda value: [conversion(v) for v in value] if isinstance(value, list) else value


def _values(conversion: Convert | None) -> Convert | None:
    if conversion is None:
        return None
    return lambda value: (
        {key: conversion(v) for key, v in value.items()} if isinstance(value, Mapping) else value
    )


def _bytes(text: Any) -> Any:
    from botocore.exceptions import ParamValidationError

    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ParamValidationError(
            report=f"{text!r} is no base64 text of a binary value: {error}"
        ) from error


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _seconds(time: datetime) -> float:
    return time.timestamp()


TO_CLIENT = {"blob": _bytes}
"""Leaves of requests. boto3 takes seconds since 1970 for a time as they are."""

FROM_CLIENT: Mapping[str, Convert] = {"blob": _base64, "timestamp": _seconds}
"""Leaves of responses."""
