"""Why an expression could not be compiled."""

from updraft.errors import UpdraftError


class NotCompilableError(UpdraftError):
    """An expression has no exact counterpart yet; the text says why."""


class MissingFieldError(NotCompilableError):
    """An expression names a field or object that isn't there.

    :param message: what is missing, one sentence.
    :param advice: what to do about it.
    :param place: id of the object and name of the field that the expression is written in, none
        when it is in the text that was to be compiled.
    """

    def __init__(self, message: str, advice: str, place: tuple[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.place = place


def no_field(object_id: str, name: str) -> MissingFieldError:
    """Say that an object lacks a field that an expression reads.

    :param object_id: the object.
    :param name: the field.
    :returns: the error.
    """
    return MissingFieldError(
        f"{object_id} has no field {name!r}", "Add the field, or correct its name"
    )
