from typing import Any

import botocore.session
import pytest

from include.local.gateway.constraints import violations

SESSION = botocore.session.get_session()


def found(service: str, operation: str, parameters: dict[str, Any]) -> list[str]:
    model = SESSION.get_service_model(service).operation_model(operation)
    return list(violations(model.input_shape, parameters))


def test_good_parameters() -> None:
    parameters = {"domainIdentifier": "dzd_1", "event": b"{}", "clientToken": "t"}
    assert found("datazone", "PostLineageEvent", parameters) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param({"event": b""}, "Value null at 'domainIdentifier' failed", id="required"),
        pytest.param({"domainIdentifier": "x", "event": b""}, "pattern: dzd", id="pattern"),
        pytest.param({"domainIdentifier": "dzd_1\n", "event": b""}, "pattern", id="whole value"),
        pytest.param(
            {"domainIdentifier": "dzd_1", "event": b"x" * 300_001},
            "Value '300001 long' at 'event' failed to satisfy constraint: "
            "Member must have length less than or equal to 300000",
            id="length",
        ),
        pytest.param(
            {"domainIdentifier": "dzd_1", "event": b"", "clientToken": ""},
            "Member must have length greater than or equal to 1",
            id="emptiness",
        ),
    ],
)
def test_one_violation(parameters: dict[str, Any], message: str) -> None:
    violation, *others = found("datazone", "PostLineageEvent", parameters)
    assert message in violation
    # An empty token also fails the pattern; every other case breaks one rule only.
    assert all("clientToken" in other for other in others)


def test_numbers_and_enumerations() -> None:
    parameters = {"domainIdentifier": "dzd_1", "maxResults": 0, "sortOrder": "UP"}
    assert found("datazone", "ListLineageEvents", parameters) == [
        "Value '0' at 'maxResults' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
        "Value 'UP' at 'sortOrder' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ASCENDING, DESCENDING]",
    ]


def test_nested_structures_and_lists() -> None:
    rows = [{"Key": "ok", "Value": "v"}, {"Value": "x" * 257}]
    parameters = {"clusterId": "j-1", "ClusterId": "j-1", "ResourceId": "r", "Tags": rows}
    tags = {"ResourceARN": "arn", "Tags": rows}
    assert found("emr", "AddTags", parameters) == []
    assert [message.split(" failed")[0] for message in found("dynamodb", "TagResource",
            {**tags, "ResourceArn": "arn"})] == [
        "Value null at 'Tags.2.member.Key'",
        "Value '257 long' at 'Tags.2.member.Value'",
    ]  # fmt: skip


def test_patterns_of_java() -> None:
    """Characters beyond the first 65,536 are two in Java."""
    arguments = {"--name": "any"}
    assert found("glue", "StartJobRun", {"JobName": "a \U0001f600", "Arguments": arguments}) == []
    (violation,) = found("glue", "StartJobRun", {"JobName": "a\x00"})
    assert "failed to satisfy constraint: Member must satisfy regular expression" in violation


@pytest.mark.parametrize("principal", [{}, {"project": {}, "user": {}}])
def test_a_union_has_one_member(principal: dict[str, Any]) -> None:
    parameters = {
        "domainIdentifier": "dzd_1",
        "subscribedPrincipals": [principal],
        "subscribedListings": [{"identifier": "a"}],
        "requestReason": "r",
    }
    (message,) = found("datazone", "CreateSubscriptionRequest", parameters)
    assert "'subscribedPrincipals.1.member' failed" in message
    assert "Exactly one member of a union" in message
