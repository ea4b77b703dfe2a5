"""Lists that a DAG reads from an Airflow Variable."""

from collections.abc import Collection
from typing import Any

from updraft.choices import unknown_choice
from updraft.compat import AirflowFailException, json_variable


def listed_in_variable(name: str) -> list[Any]:
    """Read a Variable that holds a list.

    :param name: name of the Variable.
    :returns: the list; an empty one if there is no such Variable.
    :raises AirflowFailException: when it holds anything else, which no retry can mend.
    """
    value = json_variable(name, default=[])
    if not isinstance(value, list):
        raise AirflowFailException(f"Variable {name}: {value!r} is no list")
    return value


def entries_of_variable(
    name: str, required: Collection[str], optional: Collection[str]
) -> list[dict[str, Any]]:
    """Read a Variable that holds a list of objects.

    :param name: name of the Variable.
    :param required: members that each of them has.
    :param optional: further members that they may have.
    :returns: the objects; none if there is no such Variable.
    :raises AirflowFailException: when it holds anything else; it names the entry, and the nearest
        member to one that is unknown.
    """
    entries = listed_in_variable(name)
    for index, entry in enumerate(entries):
        where = f"Variable {name}[{index}]"
        if not isinstance(entry, dict):
            raise AirflowFailException(f"{where}: {entry!r} is no object")
        for member in entry:
            if member not in required and member not in optional:
                error = unknown_choice(where, member, [*required, *optional])
                raise AirflowFailException(str(error))
        missing = [member for member in required if not entry.get(member)]
        if missing:
            raise AirflowFailException(f"{where} lacks {', '.join(missing)}: {entry!r}")
    return entries
