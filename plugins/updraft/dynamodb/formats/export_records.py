"""Recognises the records of DynamoDB's own export where items were expected."""

from typing import Any

from updraft.dynamodb.formats.value_errors import InvalidValueError

_MEMBERS_OF_A_CHANGE = frozenset({"Keys", "Metadata", "NewImage", "OldImage"})


def export_record_error(parsed: Any) -> InvalidValueError | None:
    """Say in which format a line is that is no item.

    :param parsed: the parsed line.
    :returns: the error to raise, ``None`` if it is no record of an export either.
    """
    if type(parsed) is not dict:
        return None
    is_change = "Keys" in parsed and parsed.keys() <= _MEMBERS_OF_A_CHANGE
    if not is_change and list(parsed) != ["Item"]:
        return None
    return InvalidValueError(
        "the line is no item but looks like a record of a DynamoDB export, whose format is "
        "DYNAMODB_JSON; say import_format='DYNAMODB_JSON', in the shell --format DYNAMODB_JSON",
        parsed,
    )
