"""The rules of data quality that the local stack evaluates."""

import pyarrow as pa
import pytest

from include.local.gateway.services.glue.background import WorkError
from include.local.gateway.services.glue.quality_rules import evaluate

ROWS = pa.table({"n": [1, 2, 2], "city": ["Ulm", None, "Bonn"], "a, b": ["x", "y", "z"]})


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ("RowCount = 3", "PASS"),
        ("RowCount between 3 and 5", "FAIL"),  # the ends do not count
        ("RowCount in [1, 3]", "PASS"),
        ('IsComplete "n"', "PASS"),
        ('IsComplete "city"', "FAIL"),
        ('Completeness "city" >= 0.5', "PASS"),
        ('Completeness "city" > 0.7', "FAIL"),
        ('IsUnique "n"', "FAIL"),
        ('IsUnique "city"', "PASS"),
        ('ColumnValues "n" < 2', "FAIL"),
        ('ColumnValues "n" != 7', "PASS"),
        ('ColumnValues "a, b" in ["x", "y", "z"]', "PASS"),
        ('ColumnValues "a, b" = "x"', "FAIL"),
        ('IsComplete "town"', "ERROR"),
    ],
)
def test_a_rule(rule, result):
    (outcome,) = evaluate(f"Rules = [ {rule} ]", ROWS)
    assert (outcome["Result"], outcome["Description"]) == (result, rule)


@pytest.mark.parametrize(
    ("ruleset", "message"),
    [
        ('Rules = [Mean "n" > 1]', "does not evaluate Mean"),
        ("Rules = []", "no rules"),
        ("RowCount > 1", "no 'Rules"),
        ('Rules = [ColumnValues "n" matches "a"]', "the condition 'matches"),
        ('Rules = [ColumnValues "city" = "Ulm"]', "missing values"),
        ("Rules = [RowCount > avg(last(3))]", "does not evaluate"),
        ('Rules = [(IsComplete "n") and (IsUnique "n")]', "does not evaluate"),
    ],
)
def test_what_is_not_evaluated_is_refused(ruleset, message):
    with pytest.raises(WorkError, match=message):
        evaluate(ruleset, ROWS)
