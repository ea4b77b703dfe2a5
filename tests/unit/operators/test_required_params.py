"""Scheduled DAGs whose parameters have no value."""

import pytest

from updraft.compat import AirflowFailException
from updraft.operators.required_params import RequiredParamsOperator


@pytest.mark.parametrize("value", [None, "", []])
def test_empty_parameters_are_named(value):
    operator = RequiredParamsOperator(task_id="check", names=["myOne", "myTwo", "myThree"])
    params = {"myOne": "x", "myTwo": value}
    with pytest.raises(AirflowFailException, match="No value is given for myTwo, myThree"):
        operator.execute({"params": params})


@pytest.mark.parametrize("value", [0, False, "x", ["x"]])
def test_given_parameters_pass(value):
    operator = RequiredParamsOperator(task_id="check", names=["myOne"])
    assert operator.execute({"params": {"myOne": value}}) is None
