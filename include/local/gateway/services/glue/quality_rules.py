"""A part of the Data Quality Definition Language: rules on a table by itself.

``RowCount``, ``IsComplete``, ``IsUnique``, ``Completeness`` and ``ColumnValues``, with comparisons,
``between`` (which excludes its ends) and ``in``. Any other rule makes the run fail, by its name.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/dqdl.html
"""

import operator
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.local.gateway.services.glue.background import WorkError

_RULES = re.compile(r"^\s*Rules\s*=\s*\[(.*)\]\s*$", re.DOTALL)
_RULE = re.compile(r'(?P<type>[A-Z]\w*)(?:\s+"(?P<column>[^"]+)")?\s*(?P<condition>.*)', re.DOTALL)
_SPLIT = re.compile(r"""("[^"]*"|'[^']*'|\[|\]|,|[^"',\[\]]+)""")
_BETWEEN = re.compile(r"between\s+(\S+)\s+and\s+(\S+)")
_IN = re.compile(r"in\s*\[(.*)\]", re.DOTALL)
_COMPARISON = re.compile(r"(!=|>=|<=|=|>|<)\s*(\S.*)", re.DOTALL)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt,
    ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


def evaluate(ruleset: str, rows: pa.Table) -> list[dict[str, Any]]:
    """Evaluate the rules of a ruleset.

    :param ruleset: its text.
    :param rows: the rows of the table.
    :returns: what became of each rule, as in the result of Glue.
    :raises WorkError: when it has a rule that is not among those above.
    """
    text = "\n".join(line.split("#", 1)[0] for line in ruleset.splitlines())
    match = _RULES.match(text)
    if match is None:
        raise WorkError("The ruleset has no 'Rules = [ … ]'")
    rules = _parts(match[1])
    if not rules:
        raise WorkError("The ruleset has no rules")
    return [_outcome(number, rule, rows) for number, rule in enumerate(rules, 1)]


def _outcome(number: int, rule: str, rows: pa.Table) -> dict[str, Any]:
    outcome: dict[str, Any] = {"Name": f"Rule_{number}", "Description": rule}
    metrics: dict[str, float] = {}
    try:
        passes, message = _passes(rule, rows, metrics)
    except KeyError as error:
        return outcome | {"Result": "ERROR", "EvaluationMessage": f"There is no column {error}"}
    outcome |= {"Result": "PASS" if passes else "FAIL", "EvaluatedMetrics": metrics}
    return outcome if passes else outcome | {"EvaluationMessage": message}


def _passes(rule: str, rows: pa.Table, metrics: dict[str, float]) -> tuple[bool, str]:
    match = _RULE.fullmatch(rule)
    kind = match["type"] if match else rule
    if match is None or kind not in _KNOWN or (kind == "RowCount") != (match["column"] is None):
        raise WorkError(
            f"The local stack does not evaluate {kind} ({rule}); it knows {', '.join(_KNOWN)}"
        )
    name, condition = match["column"], match["condition"].strip()
    if kind == "RowCount":
        metrics["Dataset.*.RowCount"] = count = float(len(rows))
        return _condition(rule, condition)(count), f"The table has {len(rows)} rows"
    column = rows.column(name)
    present = len(column) - column.null_count
    share = present / len(column) if len(column) else 0.0
    if kind in {"IsComplete", "Completeness"}:
        metrics[f"Column.{name}.Completeness"] = share
        holds = share == 1 if kind == "IsComplete" else _condition(rule, condition)(share)
        return holds, f"{column.null_count} of {len(column)} values of {name} are missing"
    if kind == "IsUnique":
        distinct = pc.count_distinct(column, mode="only_valid").as_py()
        metrics[f"Column.{name}.Uniqueness"] = distinct / present if present else 0.0
        return distinct == present, f"{present} values of {name} are {distinct} different ones"
    if column.null_count:
        raise WorkError(
            f"{rule}: {name} has missing values, and the local stack does not say whether AWS "
            "lets those pass"
        )
    test = _condition(rule, condition)
    wrong = [value for value in column.to_pylist() if not test(value)]
    return not wrong, f"{len(wrong)} values of {name} are otherwise, such as {wrong[:1]}"


_KNOWN = ("ColumnValues", "Completeness", "IsComplete", "IsUnique", "RowCount")


def _condition(rule: str, text: str) -> Callable[[Any], bool]:
    if match := _BETWEEN.fullmatch(text):
        low, high = _literal(rule, match[1]), _literal(rule, match[2])
        return lambda value: bool(low < value < high)
    if match := _IN.fullmatch(text):
        values = [_literal(rule, part) for part in _parts(match[1])]
        return lambda value: value in values
    if match := _COMPARISON.fullmatch(text):
        compare, wanted = _OPERATORS[match[1]], _literal(rule, match[2])
        return lambda value: compare(value, wanted)
    raise WorkError(f"The local stack does not evaluate the condition {text!r} of {rule}")


def _literal(rule: str, text: str) -> Any:
    text = text.strip()
    if text[:1] in {'"', "'"} and text[-1:] == text[:1]:
        return text[1:-1]
    try:
        return float(text)
    except ValueError:
        raise WorkError(f"The local stack does not evaluate {text!r} in {rule}") from None


def _parts(text: str) -> list[str]:
    """Split at commas that stand outside brackets and quotes."""
    parts, depth = [""], 0
    for piece in _SPLIT.findall(text):
        depth += {"[": 1, "]": -1}.get(piece, 0)
        if piece == "," and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]
