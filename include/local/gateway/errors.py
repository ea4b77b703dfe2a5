"""Errors that the caller gets as the addressed service's own.

Status 501 is chosen for what the local stack can't do: the AWS SDKs retry 500, 502, 503 and 504,
so that a refusal under one of those would be slow before it is clear.
"""

from http import HTTPStatus

from include.local.gateway.calls import Call

NOT_IMPLEMENTED = "NotImplementedInLocalStack"
FAILED = "LocalStackFailure"
MANUAL = "docs/local-stack.md"


class AwsError(Exception):
    """An error that the caller gets as the service's own.

    :param code: error code, such as ``ValidationException``.
    :param message: text for the caller, with the value that is wrong.
    :param status: HTTP status where the service's model has none for the code.
    """

    def __init__(self, code: str, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = int(status)


def not_implemented(call: Call, reason: str = "") -> AwsError:
    """Make the error for something that the local stack doesn't do.

    :param call: the refused call.
    :param reason: why, as a sentence without the full stop; empty when there is nothing to add.
    :returns: the error, which SDKs don't retry.
    """
    what = (
        f"{call.operation} of {call.service}"
        if call.operation
        else f"this request to {call.service} (it matches none of the service's operations)"
    )
    why = f": {reason}" if reason else ""
    message = f"The local stack does not implement {what}{why}. {MANUAL} says how to add it."
    return AwsError(NOT_IMPLEMENTED, message, HTTPStatus.NOT_IMPLEMENTED)
