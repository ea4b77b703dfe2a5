"""What requests to EC2 and Systems Manager do, by the service authorization reference."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ACCOUNT = "us-east-1:123456789012"
_ALWAYS = ("network-interface", "security-group", "subnet")
Found = tuple[str, str, Mapping[str, str]]
Tags = Mapping[str, Mapping[str, str]]


def ec2_accesses(form: Mapping[str, list[str]], tags_of: Tags) -> Iterator[Found]:
    """Say what a request to EC2 does.

    :param form: its parameters.
    :param tags_of: tags of the instances that were launched, by id.
    :returns: action, resource and context of each access.
    """
    given = {name: values[0] for name, values in form.items()}
    action = f"ec2:{given['Action']}"
    if given["Action"] == "RunInstances":
        yield from _launch(given)
    elif given["Action"].startswith("Describe"):
        yield action, "*", {}
    else:
        asked = {f"aws:RequestTag/{key}": value for key, value in _tags(given, "Tag").items()}
        for name, value in given.items():
            if name.startswith(("InstanceId.", "ResourceId.")):
                has = {f"aws:ResourceTag/{k}": v for k, v in tags_of.get(value, {}).items()}
                yield action, _arn("instance", value), {**asked, **has}


def _launch(given: Mapping[str, str]) -> Iterator[Found]:
    tags = launch_tags(given)
    asked = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    for kind in ("instance", "volume"):
        yield "ec2:RunInstances", _arn(kind, "*"), asked
        context = {**asked, "ec2:CreateAction": "RunInstances"}
        yield "ec2:CreateTags", _arn(kind, "*"), context
    for kind in _ALWAYS:
        yield "ec2:RunInstances", _arn(kind, "x"), {}
    yield "ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami-1", {}
    name = given["ImageId"].removeprefix("resolve:ssm:")
    yield "ssm:GetParameters", f"arn:aws:ssm:us-east-1::parameter{name}", {}
    role = f"arn:aws:iam::123456789012:role/{given['IamInstanceProfile.Name']}"
    yield "iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"}


def launch_tags(given: Mapping[str, str]) -> Mapping[str, str]:
    """Read the tags of a launch.

    :param given: parameters of RunInstances.
    :returns: value by key.
    """
    return _tags(given, r"TagSpecification\.1\.Tag")


def launched_ids(answer: bytes) -> list[str]:
    """Read which instances a launch has made.

    :param answer: the answer of EC2.
    :returns: their ids.
    """
    return re.findall(r"<instanceId>(.*?)</instanceId>", answer.decode())


def ssm_accesses(operation: str, request: Mapping[str, Any], tags_of: Tags) -> Iterator[Found]:
    """Say what a request to Systems Manager does.

    :param operation: its operation.
    :param request: its parameters.
    :param tags_of: tags of the instances that were launched, by id.
    :returns: action, resource and context of each access.
    """
    action = f"ssm:{operation}"
    if operation != "SendCommand":
        yield action, "*", {}
        return
    yield action, f"arn:aws:ssm:us-east-1::document/{request['DocumentName']}", {}
    for one in request["InstanceIds"]:
        tags = {f"ssm:resourceTag/{key}": value for key, value in tags_of.get(one, {}).items()}
        yield action, _arn("instance", one), tags


def _tags(given: Mapping[str, str], prefix: str) -> Mapping[str, str]:
    keys = {
        match[1]: value
        for name, value in given.items()
        if (match := re.fullmatch(rf"{prefix}\.(\d+)\.Key", name))
    }
    values = {
        match[1]: value
        for name, value in given.items()
        if (match := re.fullmatch(rf"{prefix}\.(\d+)\.Value", name))
    }
    return {key: values.get(number, "") for number, key in keys.items()}


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:ec2:{_ACCOUNT}:{kind}/{name}"
