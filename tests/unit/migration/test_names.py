"""Ids of DAGs and tasks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.migration.names import check_dag_id, dag_id_of, snake_case, unique


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TableBackupActivity", "table_backup_activity"),
        ("DynamoDB-export", "dynamodb_export"),
        ("ActivityId_IUO66", "activity_id_iuo66"),
        ("Run EMR job (daily)", "run_emr_job_daily"),
        ("---", "unnamed"),
    ],
)
def test_snake_case(name, expected):
    assert snake_case(name) == expected


@given(st.text(), st.characters(codec="ascii", categories=["L", "N"]), st.text())
def test_any_file_name_with_a_letter_or_digit_gives_a_valid_dag_id(before, usable, after):
    assert check_dag_id(dag_id_of(before + usable + after))


@pytest.mark.parametrize("stem", ["日本", "---", ""])
def test_a_file_name_with_nothing_usable_gives_none(stem):
    with pytest.raises(UpdraftError, match="No DAG id"):
        dag_id_of(stem)


@pytest.mark.parametrize("dag_id", ["", "a-b", "1a", "class", "../a", "a" * 201, "ä"])
def test_bad_dag_ids(dag_id):
    with pytest.raises(UpdraftError, match="can't be a DAG id"):
        check_dag_id(dag_id)


def test_unique():
    taken = set()
    assert [unique("a", taken) for _ in range(3)] == ["a", "a_2", "a_3"]
