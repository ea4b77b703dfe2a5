"""Parts of the request for a cluster."""

import pytest

from updraft.emr.legacy_bootstrap import (
    hadoop_properties,
    is_configure_hadoop,
    was_made_for_ami_versions,
)
from updraft.emr.legacy_cluster import (
    application,
    bootstrap_action,
    idle_seconds,
    instance_group,
    is_previous_generation,
    scheduler_properties,
    supports_auto_termination,
    supports_concurrent_steps,
    with_properties,
)
from updraft.emr.request_numbers import with_numbers
from updraft.errors import UpdraftError


@pytest.mark.parametrize(
    ("bid", "market"),
    [
        (None, {"Market": "ON_DEMAND"}),
        ("0.10", {"Market": "SPOT", "BidPrice": "0.10"}),
        ("ondemandprice", {"Market": "SPOT"}),
    ],
)
def test_a_bid_makes_a_group_of_spot_instances(bid, market):
    assert instance_group("CORE", "m5.xlarge", 2, bid) == {
        "Name": "Core",
        "InstanceRole": "CORE",
        "InstanceType": "m5.xlarge",
        "InstanceCount": 2,
        **market,
    }


@pytest.mark.parametrize(
    ("release", "supported"),
    [
        ("emr-4.7.0", False),
        ("emr-5.29.0", False),
        ("emr-5.30.0", True),
        ("emr-6.0.0", False),
        ("emr-6.1.0", True),
        ("emr-7.0.0", True),
        ("{{ params.myRelease }}", True),
    ],
)
def test_releases_that_end_idle_clusters(release, supported):
    assert supports_auto_termination(release) is supported


@pytest.mark.parametrize(
    ("release", "supported"),
    [
        ("emr-4.1.0", False),
        ("emr-5.27.1", False),
        ("emr-5.28.0", True),
        ("emr-6.0.0", True),
        ("{{ params.myRelease }}", True),
    ],
)
def test_releases_that_run_steps_side_by_side(release, supported):
    assert supports_concurrent_steps(release) is supported


@pytest.mark.parametrize(("seconds", "idle"), [(1, 60), (3600, 3600), (9_999_999, 604_800)])
def test_idle_times_keep_within_bounds(seconds, idle):
    assert idle_seconds(seconds) == idle


def test_previous_generations():
    assert is_previous_generation("m3.xlarge")
    assert not is_previous_generation("m5.xlarge")
    assert not is_previous_generation("{{ params.myType }}")


def test_properties_join_what_a_definition_says_which_counts_more():
    joined = with_properties(
        [{"Classification": "yarn-site", "Properties": {"a": "1"}}],
        {"yarn-site": {"a": "2", "b": "3"}, "core-site": {"c": "4"}},
    )
    assert joined == [
        {"Classification": "yarn-site", "Properties": {"a": "1", "b": "3"}},
        {"Classification": "core-site", "Properties": {"c": "4"}},
    ]


def test_schedulers():
    assert scheduler_properties("DEFAULT_SCHEDULER") == {}
    (value,) = scheduler_properties("PARALLEL_FAIR_SCHEDULING")["yarn-site"].values()
    assert value.endswith("fair.FairScheduler")


def test_applications_and_bootstrap_actions():
    assert application(["spark"]) == {"Name": "Spark"}
    assert application(["MapR", " --edition", "m3"]) == {
        "Name": "MapR",
        "Args": ["--edition", "m3"],
    }
    assert bootstrap_action(["s3://b/x/setup.sh", "a"]) == {
        "Name": "setup.sh",
        "ScriptBootstrapAction": {"Path": "s3://b/x/setup.sh", "Args": ["a"]},
    }


def test_configure_hadoop_becomes_properties():
    assert is_configure_hadoop("s3://eu-west-1.elasticmapreduce/bootstrap-actions/configure-hadoop")
    arguments = ["-e", " fs.s3.x=a=b", "--yarn-key-value", "q=low,high", "-e", "y=1"]
    assert hadoop_properties(arguments) == {
        "emrfs-site": {"fs.s3.x": "a=b", "y": "1"},
        "yarn-site": {"q": "low,high"},
    }


@pytest.mark.parametrize(
    "arguments", [["-x", "a=b"], ["-e"], ["-e", "novalue"], ["-e", "{{ params.k }}=v"]]
)
def test_what_else_configure_hadoop_did_is_not_guessed(arguments):
    assert hadoop_properties(arguments) is None


def test_bootstrap_actions_of_ami_versions():
    base = "s3://elasticmapreduce/bootstrap-actions"
    assert was_made_for_ami_versions(f"{base}/install-ganglia-metrics")
    assert not was_made_for_ami_versions(f"{base}/run-if")
    assert not was_made_for_ami_versions("s3://mine/bootstrap-actions/x")


def test_rendered_numbers_are_numbers_again():
    request = {
        "Instances": {"InstanceGroups": [{"InstanceCount": "3", "Name": "7"}]},
        "Configurations": [{"Properties": {"InstanceCount": "3"}}],
    }
    assert with_numbers(request) == {
        "Instances": {"InstanceGroups": [{"InstanceCount": 3, "Name": "7"}]},
        "Configurations": [{"Properties": {"InstanceCount": "3"}}],
    }
    with pytest.raises(UpdraftError, match="InstanceCount: 'many' is not a whole number"):
        with_numbers({"InstanceCount": "many"})
