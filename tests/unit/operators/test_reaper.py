"""What the reaper leaves alone, and that it finds all kinds of a service."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from updraft.errors import UpdraftError
from updraft.operators.reaper import ReapOrphansOperator
from updraft.resource_owner import KEEP_TAG, ResourceOwner

OWNER = ResourceOwner("production", "d", "r", "create")
STARTED = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def client(monkeypatch):
    """Answers as it is told, in an Airflow where all runs have ended."""

    def stubbed(service):
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client = boto3.client(service, region_name="eu-west-1", **keys)
        monkeypatch.setattr("updraft.hooks.owned_resources.connected_client", lambda _: client)
        return client

    monkeypatch.setattr("updraft.operators.reaper.dag_run_state", lambda *_: "success")
    monkeypatch.setenv("AIRFLOW__UPDRAFT__ENVIRONMENT", "production")
    return stubbed


@pytest.mark.parametrize("kept", [True, False])
def test_a_cluster_that_was_kept_stays(client, kept):
    tags = {**OWNER.tags(), **({KEEP_TAG: "true"} if kept else {})}
    status = {
        "State": "WAITING",
        "Timeline": {"CreationDateTime": STARTED},
    }
    cluster = {"Id": "j-1", "Name": "nightly", "Status": status}
    described = [{"Key": key, "Value": value} for key, value in tags.items()]
    emr = client("emr")
    with Stubber(emr) as stubber:
        stubber.add_response("list_clusters", {"Clusters": [cluster]}, {"ClusterStates": ANY})
        stubber.add_response("describe_cluster", {"Cluster": {**cluster, "Tags": described}})
        if not kept:
            stubber.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})
        operator = ReapOrphansOperator(task_id="reap", services=["emr"], report_only=False)

        found = operator.execute({})

        stubber.assert_no_pending_responses()
    assert [len(found[name]) for name in ("kept", "ended", "left")] == [kept, not kept, 0]


def _workflow_run(run_id, status, owner, **changed):
    return {
        "WorkflowRunId": run_id,
        "Name": "nightly",
        "Status": status,
        "StartedOn": STARTED,
        "WorkflowRunProperties": {
            "day": "2026-11-22",
            **(owner.tags() if owner else {}),
            **changed,
        },
    }


def test_runs_of_workflows_are_stopped_beside_those_of_jobs(client):
    glue = client("glue")
    other = ResourceOwner("staging", "d", "r", "create")
    pages = [
        {"Runs": [_workflow_run("wr_other", "RUNNING", other)], "NextToken": "2"},
        {
            "Runs": [
                _workflow_run("wr_orphan", "RUNNING", OWNER),
                _workflow_run("wr_done", "COMPLETED", OWNER),
                _workflow_run("wr_stopping", "STOPPING", OWNER),
                _workflow_run("wr_by_hand", "RUNNING", None),
                _workflow_run("wr_renamed", "RUNNING", OWNER, **{"updraft:dag_id": "renamed"}),
            ]
        },
    ]
    with Stubber(glue) as stubber:
        stubber.add_response("list_workflows", {"Workflows": ["nightly", "deleted"]}, {})
        stubber.add_response("get_workflow_runs", pages[0], {"Name": "nightly"})
        stubber.add_response("get_workflow_runs", pages[1], {"Name": "nightly", "NextToken": "2"})
        stubber.add_response("stop_workflow_run", {}, {"Name": "nightly", "RunId": "wr_orphan"})
        stubber.add_client_error("get_workflow_runs", "EntityNotFoundException")
        stubber.add_response("list_jobs", {"JobNames": ["copy"]}, {})
        stubber.add_response(
            "get_job_runs", {"JobRuns": []}, {"JobName": "copy", "MaxResults": 200}
        )
        operator = ReapOrphansOperator(task_id="reap", services=["glue"], report_only=False)

        found = operator.execute({})

        stubber.assert_no_pending_responses()
    (ended,) = found["ended"]
    assert ended.startswith("Glue workflow run wr_orphan (nightly), RUNNING for ")
    (unknown,) = found["unknown"]
    assert "wr_renamed" in unknown
    assert found["left"] == []


def test_a_workflow_run_that_cannot_be_stopped_is_told_and_the_rest_is_done(client):
    glue = client("glue")
    with Stubber(glue) as stubber:
        stubber.add_response("list_workflows", {"Workflows": ["nightly"]}, {})
        run = _workflow_run("wr_orphan", "RUNNING", OWNER)
        stubber.add_response("get_workflow_runs", {"Runs": [run]}, {"Name": "nightly"})
        stubber.add_client_error("stop_workflow_run", "AccessDeniedException")
        stubber.add_response("list_jobs", {"JobNames": []}, {})
        operator = ReapOrphansOperator(task_id="reap", services=["glue"], report_only=False)

        with pytest.raises(UpdraftError, match="glue:StopWorkflowRun on run wr_orphan in eu-west"):
            operator.execute({})

        stubber.assert_no_pending_responses()
