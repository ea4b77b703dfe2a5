"""Requests for clusters: what is read, refused and completed."""

import json

import botocore.session
import pytest
from botocore.validate import ParamValidator

from updraft.emr.cluster_request import (
    BootstrapAction,
    ClusterRequest,
    ManagedScaling,
    asks_for_spot,
    owned,
    read_cluster,
)
from updraft.emr.cost_bound import instance_bound
from updraft.emr.instances import EbsVolumes, InstanceFleet, InstanceGroup
from updraft.emr.request_numbers import with_numbers
from updraft.errors import UpdraftError

SHAPE = (
    botocore.session.get_session()
    .get_service_model("emr")
    .operation_model("RunJobFlow")
    .input_shape
)
GROUPS = [
    InstanceGroup("MASTER", "m5.xlarge"),
    InstanceGroup("CORE", "m5.2xlarge", 3, "SPOT", bid_price="0.2", ebs=EbsVolumes(64, iops=3000)),
]
FLEETS = [
    InstanceFleet("MASTER", {"m5.xlarge": 1}, on_demand_capacity=1),
    InstanceFleet(
        "CORE", {"m5.xlarge": 4, "m5.2xlarge": 8}, on_demand_capacity=4, spot_capacity=17
    ),
]


def _request(**others):
    arguments = {"name": "nightly", "release_label": "emr-7.5.0", "instances": GROUPS, **others}
    return ClusterRequest(**arguments)


def _assert_the_api_takes(request):
    report = ParamValidator().validate(request, SHAPE)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("instances", [GROUPS, FLEETS])
def test_the_api_takes_what_named_arguments_make(instances):
    request = _request(
        instances=instances,
        configurations=[{"Classification": "spark-defaults", "Properties": {"a": "b"}}],
        subnet_ids=["subnet-1"],
        key_name="me",
        primary_security_group="sg-1",
        core_security_group="sg-2",
        service_access_security_group="sg-3",
        additional_primary_security_groups=["sg-4"],
        additional_core_security_groups=["sg-5"],
        bootstrap_actions=[BootstrapAction("s3://b/install.sh", ["a"])],
        log_uri="s3://b/logs",
        managed_scaling=ManagedScaling(1, 9, maximum_on_demand=3),
        step_concurrency=4,
        security_configuration="kerberos",
        ebs_root_volume_size=30,
        tags={"team": "data"},
        others={"ScaleDownBehavior": "TERMINATE_AT_TASK_COMPLETION"},
    )
    read = read_cluster(request)

    _assert_the_api_takes(owned(read, suffix="[t]", tags={"updraft:token": "t"}))
    assert asks_for_spot(read)
    assert read["BootstrapActions"][0]["Name"] == "install.sh"
    assert read_cluster(json.dumps(read)) == read


@pytest.mark.parametrize("instances", [GROUPS, FLEETS])
def test_on_demand_in_place_of_spot_keeps_the_capacity(instances):
    read = read_cluster(
        _request(instances=instances, managed_scaling=ManagedScaling(1, 9, maximum_on_demand=0))
    )
    changed = owned(read, suffix="[t on-demand]", tags={}, spot=False)

    _assert_the_api_takes(changed)
    assert asks_for_spot(read)
    assert not asks_for_spot(changed)
    assert "BidPrice" not in json.dumps(changed)
    assert "SpotSpecification" not in json.dumps(changed)
    limits = changed["ManagedScalingPolicy"]["ComputeLimits"]
    assert "MaximumOnDemandCapacityUnits" not in limits
    if instances is FLEETS:
        assert changed["Instances"]["InstanceFleets"][1]["TargetOnDemandCapacity"] == 21


def test_a_cluster_stays_until_it_is_ended_or_idle_and_nothing_protects_it():
    request = {
        "Name": "n" * 300,
        "Instances": {"InstanceCount": 1, "TerminationProtected": True},
        "Tags": [{"Key": "team", "Value": "data"}],
    }
    complete = owned(read_cluster(request), suffix="[abc]", tags={"updraft:token": "t"})

    assert complete["Instances"]["KeepJobFlowAliveWhenNoSteps"] is True
    assert complete["Instances"]["TerminationProtected"] is False
    assert complete["AutoTerminationPolicy"] == {"IdleTimeout": 3600}
    assert len(complete["Name"]) == 256
    assert complete["Name"].endswith("n [abc]")
    assert complete["Tags"] == [
        {"Key": "team", "Value": "data"},
        {"Key": "updraft:token", "Value": "t"},
    ]
    assert request["Instances"]["TerminationProtected"] is True


@pytest.mark.parametrize(
    ("others", "policy"),
    [
        ({"ReleaseLabel": "emr-7.5.0"}, {"IdleTimeout": 3600}),
        ({"ReleaseLabel": "emr-6.1.0"}, {"IdleTimeout": 3600}),
        ({"ReleaseLabel": "emr-6.0.1"}, None),
        ({"ReleaseLabel": "emr-5.30.0"}, {"IdleTimeout": 3600}),
        ({"ReleaseLabel": "emr-5.29.0"}, None),
        ({"ReleaseLabel": "emr-4.9.6"}, None),
        ({"AmiVersion": "3.8.0"}, None),
        ({"ReleaseLabel": "emr-7.5.0", "AutoTerminationPolicy": None}, None),
        (
            {"ReleaseLabel": "emr-7.5.0", "AutoTerminationPolicy": {"IdleTimeout": 60}},
            {"IdleTimeout": 60},
        ),
    ],
)
def test_only_releases_that_know_it_end_idle_clusters(others, policy):
    request = read_cluster({"Instances": {"InstanceCount": 1}, **others})
    complete = owned(request, suffix="[t]", tags={})

    assert complete.get("AutoTerminationPolicy") == policy
    assert ("for ever" in str(instance_bound(complete))) is (policy is None)
    if policy is None:
        assert "AutoTerminationPolicy" not in complete


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "no request"),
        ({"Name": "x"}, "Instances"),
        ({"Instanses": {}}, "did you mean 'Instances'"),
        (
            {"Instances": {"InstanceGroups": [{}], "InstanceFleets": [{}]}},
            "InstanceGroups or InstanceFleets",
        ),
        ({"Instances": {"InstanceCount": 1}, "Steps": [{}]}, "EmrStepsOperator"),
        (
            {"Instances": {"InstanceCount": 1}, "AutoTerminationPolicy": {"IdleTimeout": 59}},
            "from 60 to 604800",
        ),
        (_request(instances=[*GROUPS, *FLEETS]), "not of both"),
        (_request(subnet_ids=["a", "b"]), "only for fleets"),
        (_request(instances=[InstanceGroup("MAIN", "m5.xlarge")]), "MASTER"),
        (_request(instances=[InstanceGroup("CORE", "m5.xlarge", 0)]), "from 1"),
        (_request(instances=[InstanceGroup("CORE", "m5.xlarge", bid_price="1")]), "SPOT"),
        (_request(instances=[InstanceFleet("CORE", {"m5.xlarge": 1})]), "above 0"),
        (_request(instances=[InstanceFleet("CORE", {}, 1)]), "at least one type"),
        (
            _request(
                instances=[
                    InstanceFleet("CORE", {"a.b": 1}, spot_capacity=1, spot_timeout_minutes=4)
                ]
            ),
            "from 5 to 1440",
        ),
    ],
)
def test_a_wrong_request_says_what_is_wrong(request_, message):
    with pytest.raises(UpdraftError, match=message):
        read_cluster(request_)


@pytest.mark.parametrize(
    ("request_", "instances", "words"),
    [
        (_request(), 4, ["1 of m5.xlarge on demand", "3 of m5.2xlarge spot"]),
        # 4 units on demand are one instance, 17 spot units up to five of the lightest type.
        (_request(instances=FLEETS), 7, ["5 of m5.xlarge or 1 other types spot"]),
        (_request(managed_scaling=ManagedScaling(1, 9)), 4, ["up to 9 Instances"]),
        (
            {
                "Instances": {
                    "InstanceCount": 3,
                    "MasterInstanceType": "a",
                    "SlaveInstanceType": "b",
                }
            },
            3,
            ["1 of a on demand", "2 of b on demand"],
        ),
    ],
)
def test_the_bound_counts_instances(request_, instances, words):
    bound = instance_bound(owned(read_cluster(request_), suffix="", tags={}))

    assert bound.instances == instances
    assert str(bound).startswith(f"At most {instances} instance hours per hour")
    assert f"at most {instances:.2f} instance hours" in str(bound)
    for word in words:
        assert word in str(bound)


def test_counts_that_a_template_has_made_are_numbers():
    fleet = {
        "InstanceFleetType": "CORE",
        "TargetSpotCapacity": "17",
        "InstanceTypeConfigs": [{"InstanceType": "m5.xlarge", "WeightedCapacity": "4"}],
    }
    master = {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": "1"}
    assert read_cluster({"Name": "x", "Instances": {"InstanceGroups": [master]}})["Instances"] == {
        "InstanceGroups": [{**master, "InstanceCount": 1}]
    }
    request = read_cluster(
        {
            "Name": "x",
            "Instances": {"InstanceFleets": [fleet]},
            "AutoTerminationPolicy": {"IdleTimeout": "7200"},
        }
    )
    (read,) = request["Instances"]["InstanceFleets"]
    assert (read["TargetSpotCapacity"], request["AutoTerminationPolicy"]["IdleTimeout"]) == (
        17,
        7200,
    )
    assert read["InstanceTypeConfigs"][0]["WeightedCapacity"] == 4

    with pytest.raises(UpdraftError, match="cluster: InstanceCount: 'two' is not a whole number"):
        read_cluster({"Name": "x", "Instances": {"InstanceCount": "two"}})


def _whole_numbers(shape, name="", seen=()):
    if shape.type_name == "structure" and shape.name not in seen:
        for member, its in shape.members.items():
            yield from _whole_numbers(its, member, (*seen, shape.name))
    elif shape.type_name == "list":
        yield from _whole_numbers(shape.member, name, seen)
    elif shape.type_name in {"integer", "long"}:
        yield name


def test_every_whole_number_of_the_api_may_be_text():
    names = set(_whole_numbers(SHAPE))

    assert "TargetSpotCapacity" in names
    assert with_numbers(dict.fromkeys(names, "3")) == dict.fromkeys(names, 3)
