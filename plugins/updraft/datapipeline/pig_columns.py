"""The columns of a query, which only the run knows, as the columns of a relation of Pig."""

import re
from collections import Counter
from collections.abc import Sequence

from updraft.errors import UpdraftError

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


def pig_columns(names: Sequence[str]) -> str:
    """Write what stands between the parentheses of ``LOAD … AS (…)``.

    No types are told: Pig casts such a column to what the script uses it for (Pig Latin Basics,
    "Schemas", https://pig.apache.org/docs/r0.17.0/basic.html#schemas).

    :param names: the names in the order of the query. They come from a database and become part of
        a script, so that nothing but plain names gets through.
    :returns: the names with commas between them.
    :raises UpdraftError: when one is no name to Pig, or comes twice.
    """
    for name, count in Counter(names).items():
        if not _NAME.fullmatch(name):
            raise UpdraftError(
                f"The query gives a column {name!r}, which is no name to Pig; give it one by AS"
            )
        if count > 1:
            raise UpdraftError(
                f"The query gives several columns {name!r}; give them different names by AS"
            )
    return ", ".join(names)
