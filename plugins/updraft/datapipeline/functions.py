"""The functions of the expression language: their names and how many arguments they take.

Source: guide, "Expression Functions", its mathematical, string, and date and time tables.
``inTimeZone`` and ``plusPeriod`` stand in older editions and in one example only.
"""

from updraft.datapipeline.expressions import Call, Expression, walk
from updraft.datapipeline.findings import did_you_mean

_ON_DATE = (
    *("year", "month", "day", "dayOfYear", "hour", "minute"),
    *("midnight", "yesterday", "sunday", "firstOfMonth"),
)
_UNITS = ("Minutes", "Hours", "Days", "Weeks", "Months", "Years")

# Name of each function and the number of its arguments; a method's object counts as the first.
FUNCTIONS: dict[str, int] = {
    **dict.fromkeys(_ON_DATE, 1),
    **dict.fromkeys((f"plus{unit}" for unit in _UNITS), 2),
    **dict.fromkeys((f"minus{unit}" for unit in _UNITS), 2),
    "format": 2,
    "inTimeZone": 2,
    "plusPeriod": 2,
    "makeDate": 3,
    "makeDateTime": 5,
}


def function_problems(tree: Expression) -> list[tuple[str, str]]:
    """Check the function calls of an expression.

    :param tree: the expression.
    :returns: a pair of message and advice for each call that can't be right.
    """
    problems: list[tuple[str, str]] = []
    for node in walk(tree):
        if not isinstance(node, Call):
            continue
        expected = FUNCTIONS.get(node.function)
        if expected is None:
            problems.append(
                (
                    f"There is no function {node.function!r}",
                    did_you_mean(
                        node.function, FUNCTIONS, "See the guide's list of expression functions"
                    ),
                )
            )
        elif expected != len(node.arguments):
            count = len(node.arguments)
            problems.append(
                (
                    f"{node.function}() takes {_arguments(expected)}, here it has {count}",
                    "Add the missing ones" if count < expected else "Remove the surplus ones",
                )
            )
    return problems


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"
