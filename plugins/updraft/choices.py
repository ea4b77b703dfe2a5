"""Takes one of several values by its name, or says which name was meant."""

import difflib
from collections.abc import Collection, Mapping
from typing import TypeVar

from updraft.errors import ArgumentError, UpdraftError

_Choice = TypeVar("_Choice")


def unknown_choice(argument: str, value: object, choices: Collection[str]) -> UpdraftError:
    """Say that there is no such choice, and which the nearest one is.

    :param argument: name of the argument.
    :param value: what was given for it.
    :param choices: what could have been given.
    :returns: the error to raise.
    """
    by_lower_case = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(str(value).lower(), by_lower_case, n=1)
    hint = f"; did you mean {by_lower_case[near[0]]!r}?" if near else "."
    known = ", ".join(sorted(choices)) or "none"
    return ArgumentError(f"{argument}: {value!r} is unknown{hint} Known: {known}.")


def choose(argument: str, value: str, choices: Mapping[str, _Choice]) -> _Choice:
    """Take the choice of a name.

    :param argument: name of the argument, for the error message.
    :param value: the name that was given for it.
    :param choices: what there is to choose from, by name.
    :returns: the choice.
    :raises UpdraftError: when there is none of that name; it names the nearest one.
    """
    if isinstance(value, str) and value in choices:
        return choices[value]
    raise unknown_choice(argument, value, choices)


def require_choice(argument: str, value: object, choices: Collection[str]) -> None:
    """Check that a value is one of those that there are.

    :param argument: name of the argument, for the error message.
    :param value: what was given for it.
    :param choices: what can be given.
    :raises UpdraftError: when it is none of them; it names the nearest one.
    """
    if value not in choices:
        raise unknown_choice(argument, value, choices)
