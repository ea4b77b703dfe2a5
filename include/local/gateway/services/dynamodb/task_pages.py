"""Tokens that continue a list of exports or imports."""

import re

from include.local.gateway.errors import AwsError

# Both lists take one form: that of imports is 16 hexadecimal digits, at least seven times.
_FORM = re.compile(r"0{96}([0-9a-f]{16})")


def write_token(sequence: int) -> str:
    """Make the token of a page.

    :param sequence: number of the last task on it.
    :returns: the token.
    """
    return f"{sequence:0112x}"


def read_token(token: str | None) -> int:
    """Read a token.

    :param token: the token, None for the first page.
    :returns: number of the last task that was listed, 0 for none.
    :raises AwsError: when it is not one of ours.
    """
    if token is None:
        return 0
    match = _FORM.fullmatch(token)
    if match is None:
        raise AwsError("ValidationException", f"NextToken {token!r} is not valid")
    return int(match[1], 16)
