"""Requests for instances: that they end by themselves, and fit their image."""

from datetime import timedelta

import pytest

from updraft.errors import ArgumentError
from updraft.shell.instance_request import InstanceRequest, architecture


def request(**more):
    arguments = {
        "instance_type": "t3.small",
        "instance_profile": "machine",
        "terminate_after": timedelta(hours=2),
    }
    return InstanceRequest(**{**arguments, **more})


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        ("t3.micro", "x86_64"),
        ("g4dn.xlarge", "x86_64"),
        ("g6.xlarge", "x86_64"),
        ("m1.small", "x86_64"),
        ("t4g.small", "arm64"),
        ("c7gn.large", "arm64"),
        ("im4gn.large", "arm64"),
        ("g5g.xlarge", "arm64"),
        ("a1.large", "arm64"),
    ],
)
def test_the_image_has_the_architecture_of_the_type(instance_type, expected):
    assert architecture(instance_type) == expected
    image = request(instance_type=instance_type).parameters()["ImageId"]
    assert image.startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-")
    assert image.endswith(expected)


def test_an_instance_ends_by_itself_before_anything_else_runs():
    more = {"terminate_after": timedelta(minutes=90, seconds=1), "user_data": "yum -y install jq\n"}
    parameters = request(**more).parameters()
    assert parameters["UserData"] == "#!/bin/bash\nshutdown -P +91\nyum -y install jq\n"
    assert parameters["InstanceInitiatedShutdownBehavior"] == "terminate"


def test_network_profile_and_market():
    arn = "arn:aws:iam::123456789012:instance-profile/machine"
    parameters = request(
        instance_profile=arn,
        subnet_id="subnet-1",
        security_group_ids=["sg-1"],
        public_ip=True,
        spot=True,
        spot_max_price="0.05",
        launch_options={"EbsOptimized": True},
    ).parameters()
    assert parameters["IamInstanceProfile"] == {"Arn": arn}
    (interface,) = parameters["NetworkInterfaces"]
    assert (interface["SubnetId"], interface["Groups"]) == ("subnet-1", ["sg-1"])
    assert not {"SubnetId", "SecurityGroupIds"} & set(parameters)
    assert parameters["InstanceMarketOptions"]["SpotOptions"]["MaxPrice"] == "0.05"
    assert parameters["EbsOptimized"]
    assert "InstanceMarketOptions" not in request(spot=True).parameters(spot=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"instance_type": "big"}, "'big' is no type"),
        ({"instance_profile": ""}, "AmazonSSMManagedInstanceCore"),
        ({"terminate_after": timedelta(0)}, "terminate_after"),
        ({"security_groups": ["g"], "subnet_id": "subnet-1"}, "security_group_ids"),
        ({"launch_options": {"MaxCount": 2}}, "MaxCount is decided"),
        ({"launch_options": {"ClientToken": "x"}}, "ClientToken is decided"),
    ],
)
def test_what_is_wrong_is_named(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        request(**arguments).parameters()
