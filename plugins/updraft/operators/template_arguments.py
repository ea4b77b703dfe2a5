"""Reads arguments that a template has made, which are texts whatever they mean."""

from updraft.errors import UpdraftError


def given(value: str | None) -> str | None:
    """Read an argument that a template may have left empty.

    :param value: the argument; a template over a missing parameter renders as ``None`` or nothing.
    :returns: the argument, ``None`` if it was not given.
    """
    return None if value in {None, "", "None"} else value


def truth(argument: str, value: object) -> bool:
    """Read an argument that is true or false.

    :param argument: name of the argument, for the error message.
    :param value: its value.
    :returns: whether it is true.
    :raises UpdraftError: when it is neither.
    """
    answer = {"true": True, "false": False}.get(str(value).lower())
    if answer is None:
        raise UpdraftError(f"{argument}: {value!r} is neither True nor False")
    return answer
