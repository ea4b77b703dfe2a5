"""Commands that are tried until they succeed, where the activity runs that waits for them."""

from itertools import pairwise

import pytest

from updraft.migration.ledger import Status

READY = {
    "id": "Ready",
    "type": "ShellCommandPrecondition",
    "command": "test -e /data/$1",
    "scriptArgument": "#{node.myFile}",
    "preconditionTimeout": "1 hour",
    "retryDelay": "5 minutes",
}
SHELL = {
    "id": "Shell",
    "type": "ShellCommandActivity",
    "command": "ls",
    "myFile": "orders",
    "precondition": {"ref": "Ready"},
}
MACHINE = {"id": "Machine", "type": "Ec2Resource", "instanceType": "t3.micro"}


def _edges(conversion):
    chains = [line.strip().split(" >> ") for line in conversion.dag_source.splitlines()]
    return [f"{one} >> {other}" for chain in chains for one, other in pairwise(chain)]


@pytest.fixture
def guarded(definition):
    def make(*objects, **place):
        definition.add(READY, SHELL | place, *objects)
        return definition

    return make


def test_it_runs_on_the_machine_of_its_activity(guarded, tasks_of, statuses_of):
    conversion = guarded(MACHINE, runsOn={"ref": "Machine"}).convert()
    tasks = tasks_of(conversion)
    ready = tasks["ready"]
    assert ready["operator"] == "ShellCommandOperator"
    assert ready["instance_id"] == "machine.output"
    assert (ready["command"], ready["arguments"]) == ("test -e /data/$1", ["orders"])
    assert (ready["retries"], ready["retry_delay"]) == (12, "timedelta(minutes=5)")
    assert "ready >> shell" in _edges(conversion)
    assert not any(edge.endswith(">> machine") for edge in _edges(conversion))
    assert "shell >> machine_terminate" in _edges(conversion)
    statuses = statuses_of(conversion)
    assert statuses["Ready", "command"][0] is Status.CARRIED_OVER
    assert statuses["Ready", "preconditionTimeout"][0] is Status.EQUIVALENT
    assert statuses["Shell", "runsOn"][0] is Status.CARRIED_OVER


def test_it_runs_in_the_worker_group_of_its_activity(guarded, tasks_of):
    tasks = tasks_of(guarded(workerGroup="w").convert())
    assert tasks["ready"]["instance_tags"] == {"worker-group": "w"}


def test_a_cluster_that_only_it_needs_is_made(definition, tasks_of):
    """The export needs no cluster, the command before it does."""
    definition.add({key: READY[key] for key in READY if key != "scriptArgument"})
    definition.item("ExportActivity")["precondition"] = {"ref": "Ready"}
    conversion = definition.convert()
    tasks = tasks_of(conversion)
    assert tasks["ready"]["operator"] == "EmrStepsOperator"
    assert tasks["cluster"]["operator"] == "EmrClusterOperator"
    assert "ready >> [export_activity, cluster_terminate]" in _edges(conversion)


def test_each_node_that_it_speaks_of_has_its_own(guarded, tasks_of):
    other = SHELL | {"id": "Other", "workerGroup": "w", "myFile": "items"}
    conversion = guarded(other, workerGroup="w").convert()
    tasks = tasks_of(conversion)
    assert tasks["ready_shell"]["arguments"] == ["orders"]
    assert tasks["ready_other"]["arguments"] == ["items"]
    assert {"ready_shell >> shell", "ready_other >> other"} <= set(_edges(conversion))


def test_without_a_limit_it_tries_for_a_week(guarded, tasks_of):
    definition = guarded(workerGroup="w")
    del definition.item("Ready")["preconditionTimeout"]
    assert tasks_of(definition.convert())["ready"]["retries"] == 7 * 24 * 12
