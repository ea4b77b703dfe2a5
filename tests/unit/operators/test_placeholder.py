"""The task that stands where an object could not be migrated."""

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from updraft.operators.placeholder import NotMigratedOperator


def test_fails_for_good_and_says_why():
    task = NotMigratedOperator(
        task_id="hive",
        reason="HiveActivity is not migrated yet",
        object_id="H",
        object_type="HiveActivity",
    )
    with pytest.raises(AirflowFailException, match=r"HiveActivity 'H' is not migrated: .* yet\. "):
        task.execute({})
