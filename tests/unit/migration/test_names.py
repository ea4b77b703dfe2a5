"""Ids of DAGs and tasks."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.migration.names import check_dag_id, dag_id_of, file_stems, snake_case, unique


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


def test_files_of_one_name_are_told_apart_by_their_folders():
    files = [Path("/p/a/x/job.json"), Path("/p/b/x/Job.tf.json"), Path("/p/b/other.json")]
    assert list(file_stems(files).values()) == ["a_x_job", "b_x_Job", "other"]


def test_files_of_one_name_in_one_folder_stay_as_they_are():
    files = [Path("/p/job.json"), Path("/p/JOB.json"), Path("/p/b/job.yaml")]
    assert list(file_stems(files).values()) == ["job", "JOB", "b_job"]
