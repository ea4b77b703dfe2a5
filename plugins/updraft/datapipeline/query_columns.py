"""The columns of a query, which only the run knows, in scripts of Pig and Hive.

Their names come from a database and become part of a script, so that nothing but plain names gets
through.
"""

import re
from collections import Counter
from collections.abc import Sequence

from updraft.errors import UpdraftError

_PIG_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_HIVE_NAME = re.compile(r"\w+")


def pig_columns(names: Sequence[str]) -> str:
    """Write what stands between the parentheses of Pig's ``LOAD … AS (…)``.

    No types are told: Pig casts such a column to what the script uses it for (Pig Latin Basics,
    "Schemas", https://pig.apache.org/docs/r0.17.0/basic.html#schemas).

    :param names: the names in the order of the query.
    :returns: the names with commas between them.
    :raises UpdraftError: when one is no name to Pig, or comes twice.
    """
    _check(names, _PIG_NAME, "Pig")
    return ", ".join(names)


def hive_columns(names: Sequence[str]) -> str:
    """Write what stands between the parentheses of Hive's ``CREATE TABLE … (…)``.

    :param names: the names in the order of the query.
    :returns: the columns, all of the type ``STRING``.
    :raises UpdraftError: when one is no name to Hive, or comes twice in any case.
    """
    _check([name.casefold() for name in names], _HIVE_NAME, "Hive")
    return ", ".join(f"`{name}` STRING" for name in names)


def _check(names: Sequence[str], allowed: re.Pattern[str], engine: str) -> None:
    for name, count in Counter(names).items():
        if not allowed.fullmatch(name):
            raise UpdraftError(
                f"The query gives a column {name!r}, which is no name to {engine}; name it by AS"
            )
        if count > 1:
            raise UpdraftError(
                f"The query gives several columns {name!r}; give them different names by AS"
            )
