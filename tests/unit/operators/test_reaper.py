"""The reaper leaves alone what was kept on purpose, and says so."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from updraft.operators.reaper import ReapOrphansOperator
from updraft.resource_owner import KEEP_TAG, ResourceOwner

OWNER = ResourceOwner("production", "d", "r", "create")


@pytest.mark.parametrize("kept", [True, False])
def test_a_cluster_that_was_kept_stays(monkeypatch, kept):
    tags = {**OWNER.tags(), **({KEEP_TAG: "true"} if kept else {})}
    status = {
        "State": "WAITING",
        "Timeline": {"CreationDateTime": datetime(2026, 11, 23, tzinfo=UTC)},
    }
    cluster = {"Id": "j-1", "Name": "nightly", "Status": status}
    described = [{"Key": key, "Value": value} for key, value in tags.items()]
    client = boto3.client(
        "emr", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr("updraft.hooks.owned_resources.connected_client", lambda _: client)
    monkeypatch.setattr("updraft.operators.reaper.dag_run_state", lambda *_: "success")
    monkeypatch.setenv("AIRFLOW__UPDRAFT__ENVIRONMENT", "production")
    with Stubber(client) as stubber:
        stubber.add_response("list_clusters", {"Clusters": [cluster]}, {"ClusterStates": ANY})
        stubber.add_response("describe_cluster", {"Cluster": {**cluster, "Tags": described}})
        if not kept:
            stubber.add_response("terminate_job_flows", {}, {"JobFlowIds": ["j-1"]})
        operator = ReapOrphansOperator(task_id="reap", services=["emr"], report_only=False)

        found = operator.execute({})

        stubber.assert_no_pending_responses()
    assert [len(found[name]) for name in ("kept", "ended", "left")] == [kept, not kept, 0]
