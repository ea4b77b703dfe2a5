"""What the local stack keeps of tasks and jobs, and finds again after a restart."""

from pathlib import Path
from typing import Any

import pytest

from include.local.gateway.records import page
from include.local.gateway.services.batch.jobs import FAILED, RUNNING, SUCCEEDED, Job, JobStore
from include.local.gateway.services.ecs import tasks


def test_a_task_that_ran_when_the_gateway_ended_has_stopped(tmp_path: Path) -> None:
    store = tasks.TaskStore(tmp_path)
    task = tasks.Task("t", "eu-west-1", "c", {"startedBy": "me"}, {})
    store.save(task)
    store.move(task, tasks.RUNNING)

    found = tasks.TaskStore(tmp_path).find("eu-west-1", "t")

    assert found is not None
    assert (found.status, found.desired, found.exit_code) == ("STOPPED", "STOPPED", None)
    assert "local stack" in found.reason
    assert found.request == task.request
    assert store.find("us-east-1", "t") is None


def test_a_job_that_ran_when_the_gateway_ended_has_failed(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    for name, status in (("a", SUCCEEDED), ("b", RUNNING)):
        job = Job(name, "eu-west-1", "queue", {}, {}, created=ord(name))
        store.save(job)
        store.move(job, status)

    found = JobStore(tmp_path).of_region("eu-west-1")

    assert [(job.id, job.status) for job in found] == [("b", FAILED), ("a", SUCCEEDED)]
    assert not store.ask_to_end(found[1], "late")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {"items": ["a", "b"], "nextToken": "2"}),
        ({"nextToken": "2"}, {"items": ["c"]}),
        ({"maxResults": 1, "nextToken": "1"}, {"items": ["b"], "nextToken": "2"}),
        ({"maxResults": 9}, {"items": ["a", "b"], "nextToken": "2"}),
    ],
)
def test_pages(parameters: dict[str, Any], expected: dict[str, Any]) -> None:
    assert page(["a", "b", "c"], "items", parameters, 2) == expected
