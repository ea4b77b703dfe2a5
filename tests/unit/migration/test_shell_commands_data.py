"""Shell commands: lists as arguments, staged data on clusters, machines behind a proxy."""

import json
from types import SimpleNamespace

import jinja2
import pytest

from updraft.datapipeline.macros import template_macros
from updraft.migration.ledger import Status

SHELL = {"id": "Shell", "type": "ShellCommandActivity", "command": "run", "workerGroup": "w"}
MACHINE = {"id": "Machine", "type": "Ec2Resource"}
PROXY = {"id": "Proxy", "type": "HttpProxy", "hostname": "proxy.local", "port": "3128"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("#{myList}", ["a b", "it's \"<c>"]),
        (["--all", "#{myList}", "end"], ["--all", "a b", "it's \"<c>", "end"]),
        (["#{1 / 2}", "--f=#{myList}"], ["0", "--f=a b", "--f=it's \"<c>"]),
    ],
)
def test_an_array_becomes_as_many_arguments(definition, tasks_of, given, expected):
    values = ["a b", "it's \"<c>"]
    definition.document["parameters"].append({"id": "myList", "isArray": "true"})
    definition.document["values"] = {"myList": values}
    definition.add(SHELL | {"scriptArgument": given})
    template = tasks_of(definition.convert())["shell"]["arguments"]
    functions = {one.__name__: one for one in template_macros()}
    macros = SimpleNamespace(updraft=SimpleNamespace(**functions))
    rendered = jinja2.Template(template).render(params={"myList": values}, macros=macros)
    assert json.loads(rendered) == expected


def test_groups_of_an_array_parameter(definition, tasks_of, statuses_of):
    definition.document["parameters"].append({"id": "myGroups", "isArray": "true"})
    definition.document["values"] = {"myGroups": ["sg-1"]}
    definition.add(
        SHELL | {"runsOn": {"ref": "Machine"}}, MACHINE | {"securityGroupIds": "#{myGroups}"}
    )
    conversion = definition.convert()
    groups = tasks_of(conversion)["machine"]["security_group_ids"]
    rendered = jinja2.Template(groups).render(params={"myGroups": ["sg-1", "sg-2"]})
    assert json.loads(rendered) == ["sg-1", "sg-2"]
    assert statuses_of(conversion)["Machine", "securityGroupIds"][0] is Status.CARRIED_OVER


def test_a_cluster_stages_data_around_a_command(definition, tasks_of, statuses_of):
    definition.add(
        SHELL
        | {
            "runsOn": {"ref": "Cluster"},
            "stage": "true",
            "input": {"ref": "Backup"},
            "scriptArgument": "x",
        }
    )
    conversion = definition.convert()
    (step,) = tasks_of(conversion)["shell"]["steps"]
    *runner, form, command, count, uri, outputs, argument = step["HadoopJarStep"]["Args"]
    assert runner[:2] == ["bash", "-c"]
    assert (form, command, count, outputs, argument) == ("command", "run", "1", "0", "x")
    assert uri.startswith("{{ params.myBackup }}/")
    assert uri.endswith("/")
    assert statuses_of(conversion)["Shell", "stage"][0] is Status.CARRIED_OVER


def test_a_machine_behind_a_proxy(definition, tasks_of, statuses_of):
    definition.add(
        SHELL | {"runsOn": {"ref": "Machine"}},
        MACHINE | {"httpProxy": {"ref": "Proxy"}, "region": "eu-west-1"},
        PROXY | {"s3NoProxy": "true"},
    )
    conversion = definition.convert()
    script = tasks_of(conversion)["machine"]["user_data"]
    assert '"https_proxy=http://proxy.local:3128"' in script
    assert ".s3.eu-west-1.amazonaws.com" in script
    assert statuses_of(conversion)["Machine", "httpProxy"][0] is Status.EQUIVALENT
    assert statuses_of(conversion)["Proxy", "hostname"][0] is Status.CARRIED_OVER


def test_the_password_of_a_proxy_stays_out(definition, statuses_of):
    definition.add(
        SHELL | {"runsOn": {"ref": "Machine"}},
        MACHINE | {"httpProxy": {"ref": "Proxy"}},
        PROXY | {"username": "u", "*password": "hunter2"},
    )
    conversion = definition.convert()
    assert "hunter2" not in conversion.dag_source + conversion.report.to_json()
    statuses = statuses_of(conversion)
    assert statuses["Machine", "httpProxy"][0] is Status.NEEDS_DECISION
    assert statuses["Proxy", "*password"][0] is Status.NEEDS_DECISION
