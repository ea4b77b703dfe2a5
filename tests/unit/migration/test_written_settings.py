"""Retries, delays and limits that a parameter gives."""

import pytest

from updraft.migration.ledger import Status


@pytest.fixture
def work(definition):
    """Make a definition of one command whose settings are parameters, with these values."""

    def make(values, **fields):
        definition.document["objects"] = [definition.item("Default")]
        definition.add(
            {"id": "Work", "type": "ShellCommandActivity", "command": "ls", "workerGroup": "w"}
            | {"maximumRetries": "#{myRetries}", "retryDelay": "#{myMinutes} minutes"}
            | fields
        )
        definition.document["parameters"] = [
            {"id": name, "type": "String"} | ({"default": value} if value is not None else {})
            for name, value in values.items()
        ]
        return definition

    return make


def _parameter(conversion, name):
    (found,) = (one for one in conversion.report.parameters if one.id == name)
    return found


def test_values_are_written_out(work, tasks_of, statuses_of):
    definition = work({"myRetries": "1", "myMinutes": "30"})
    definition.document["values"] = {"myRetries": "4"}
    conversion = definition.convert_cleanly()
    task = tasks_of(conversion)["work"]
    assert (task["retries"], task["retry_delay"]) == (4, "timedelta(minutes=30)")
    statuses = statuses_of(conversion)
    assert statuses["Work", "maximumRetries"][0] is Status.CARRIED_OVER
    assert statuses["Work", "retryDelay"][0] is Status.CARRIED_OVER
    found = _parameter(conversion, "myRetries")
    note = "its value is written out in Work.maximumRetries: change it there"
    assert (found.status, found.note) == (Status.EQUIVALENT, note)
    assert "Param" not in conversion.dag_source


def test_a_value_that_something_else_reads_stays_in_the_form_too(work, tasks_of):
    conversion = work({"myRetries": "3", "myMinutes": "10"}, command="ls #{myRetries}").convert()
    assert tasks_of(conversion)["work"]["retries"] == 3
    assert tasks_of(conversion)["work"]["command"] == "ls {{ params.myRetries }}"
    assert _parameter(conversion, "myRetries").status is Status.APPROXIMATED


@pytest.mark.parametrize("value", [None, "many", "-1", ""])
def test_what_is_no_sound_value_needs_a_decision(work, statuses_of, value):
    conversion = work({"myRetries": value, "myMinutes": "10"}).convert()
    assert statuses_of(conversion)["Work", "maximumRetries"][0] is Status.NEEDS_DECISION


def test_no_secret_is_written_out(work, statuses_of):
    conversion = work({"*myRetries": "4", "myMinutes": "10"}).convert()
    assert statuses_of(conversion)["Work", "maximumRetries"][0] is Status.NEEDS_DECISION
    assert "retries=4" not in conversion.dag_source


def test_what_the_run_reads_stays_in_the_form(work, tasks_of):
    definition = work({"myRetries": "3", "myMinutes": "10"}, attemptTimeout="#{myMinutes} minutes")
    assert tasks_of(definition.convert())["work"]["command_timeout"] == (
        "{{ params.myMinutes }} minutes"
    )


def test_a_limit_of_instances_and_clusters_is_written_out(work, tasks_of):
    definition = work({"myRetries": "3", "myMinutes": "10"}, workerGroup="x")
    definition.add(
        {"id": "Short", "terminateAfter": "#{myMinutes} hours"},
        {"id": "Box", "type": "Ec2Resource", "parent": {"ref": "Short"}},
        {"id": "Cluster", "type": "EmrCluster", "parent": {"ref": "Short"}},
        {"id": "Other", "type": "ShellCommandActivity", "command": "ls", "runsOn": {"ref": "Box"}},
        {"id": "Step", "type": "HadoopActivity", "jarUri": "x.jar", "runsOn": {"ref": "Cluster"}},
    )
    definition.item("Cluster")["releaseLabel"] = "emr-7.9.0"
    tasks = tasks_of(definition.convert())
    assert tasks["box"]["terminate_after"] == "timedelta(hours=10)"
    assert tasks["step"]["execution_timeout"] == "timedelta(hours=10)"
