"""How work is split, and how errors travel."""

import json

import pytest

from tests.unit.spark.local_context import LocalContext
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.table_import import RejectedRecordError
from updraft.errors import UpdraftError
from updraft.spark.context import run_tasks, task_slots
from updraft.spark.import_job import spread
from updraft.spark.task_errors import TaskFailedError, errors_of_tasks, marked_errors


def test_files_are_spread_by_size():
    sizes = [100, 1, 1, 50, 49, 1]
    groups = spread([DataFile(f"s3://b/{size}", size) for size in sizes], 2)

    assert sorted(number for group in groups for number, _ in group) == list(range(6))
    assert [sum(file.size for _, file in group) for group in groups] == [102, 100]


def test_no_group_is_empty():
    assert spread([], 4) == []
    assert len(spread([DataFile("s3://b/a", 0), DataFile("s3://b/b", None)], 4)) == 2


@pytest.mark.parametrize(
    ("settings", "slots"),
    [
        ({}, 2),
        ({"spark.executor.instances": "9", "spark.executor.cores": "4"}, 36),
        ({"spark.dynamicAllocation.maxExecutors": "infinity", "spark.executor.cores": "4"}, 2),
        ({"spark.dynamicAllocation.maxExecutors": "2147483647"}, 4096),
    ],
)
def test_executors_that_have_not_reported_yet_count(settings, slots):
    assert task_slots(LocalContext(**settings)) == slots


def test_each_task_is_a_slice_of_its_own():
    context = LocalContext()

    assert run_tasks(context, [[1, 2], [3]], _texts) == ["1", "2", "3"]
    assert context.slices == [2]


def _texts(numbers):
    return map(str, numbers)


@pytest.mark.parametrize("kind", [RejectedRecordError, UpdraftError])
def test_an_error_keeps_its_class_and_its_words(kind):
    words = 's3://b/ö, line 2: "x" {y}\nand more'
    with pytest.raises(TaskFailedError) as failed, marked_errors():
        raise kind(words)

    with pytest.raises(UpdraftError) as told, errors_of_tasks():
        raise RuntimeError(
            f"Job aborted ...\n  File x\nTaskFailedError: {failed.value}\n\n\tat org"
        )

    assert type(told.value) is kind
    assert str(told.value) == words


def test_other_errors_stay_what_they_are():
    with pytest.raises(json.JSONDecodeError), errors_of_tasks():
        json.loads("{")
