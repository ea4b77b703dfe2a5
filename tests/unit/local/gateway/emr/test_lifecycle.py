import threading
import time

import pytest

from include.local.gateway.services.emr.clusters import Cluster, ClusterStore, Step
from include.local.gateway.services.emr.lifecycle import Lifecycle
from include.local.gateway.services.emr.node import Node
from include.local.gateway.services.emr.settings import ClusterSettings, Phases


@pytest.fixture
def start(tmp_path):
    lifecycles = []

    def start(**changes):
        cluster = Cluster(
            **{
                "id": "j-ABCDEFGHIJKLM",
                "region": "us-east-1",
                "request": {"Name": "etl"},
                "tags": {},
                "steps": [],
                "protected": False,
                "keep_alive": True,
                **changes,
            }
        )
        store, settings = ClusterStore(tmp_path), ClusterSettings()
        settings.phases = Phases(0, 0, 0, 0)
        node = Node(cluster, store.folder(cluster), "http://127.0.0.1:1")
        lifecycle = Lifecycle(cluster, store, settings, node)
        lifecycles.append(lifecycle)
        lifecycle.start()
        return cluster, lifecycle

    yield start
    for lifecycle in lifecycles:
        lifecycle.close()


def _wait(lifecycle, is_so):
    with lifecycle.changed:
        assert lifecycle.changed.wait_for(is_so, timeout=15)


def test_an_idle_cluster_ends_by_its_policy(start):
    cluster, lifecycle = start(auto_termination={"IdleTimeout": 1})
    _wait(lifecycle, lambda: cluster.ended is not None)
    assert (cluster.state, cluster.code) == ("TERMINATED", "ALL_STEPS_COMPLETED")
    assert "idle" in cluster.message
    assert cluster.ended - cluster.ready >= 1


@pytest.mark.parametrize("protected", [True, False])
def test_a_cluster_that_is_busy_or_protected_is_not_idle(start, protected):
    step = Step("s-ABCDEFGHIJKLM", _sleep(2.5))
    steps = [] if protected else [step]
    cluster, lifecycle = start(
        auto_termination={"IdleTimeout": 1}, steps=steps, protected=protected
    )
    _wait(lifecycle, lambda: cluster.state in {"RUNNING", "WAITING"})
    time.sleep(2)
    assert cluster.state == ("WAITING" if protected else "RUNNING")


def test_a_store_that_is_opened_again_has_lost_what_ran(start, tmp_path):
    steps = [Step("s-1", _sleep(30)), Step("s-2", _sleep(0))]
    cluster, lifecycle = start(steps=steps)
    _wait(lifecycle, lambda: steps[0].state == "RUNNING")
    lifecycle.close()

    (found,) = ClusterStore(tmp_path).of_region("us-east-1")

    assert (found.id, found.state, found.code) == (
        cluster.id,
        "TERMINATED_WITH_ERRORS",
        "INTERNAL_ERROR",
    )
    assert [step.state for step in found.steps] == ["FAILED", "CANCELLED"]
    assert "stopped or killed" in found.steps[0].failure["Message"]


def test_no_thread_is_left_when_a_cluster_has_ended(start):
    cluster, lifecycle = start(keep_alive=False)
    _wait(lifecycle, lambda: cluster.ended is not None)
    deadline = time.monotonic() + 5
    while any(thread.name == cluster.id for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _sleep(seconds):
    jar = {"Jar": "command-runner.jar", "Args": ["sleep", str(seconds)]}
    return {"Name": "sleep", "ActionOnFailure": "CONTINUE", "HadoopJarStep": jar}
