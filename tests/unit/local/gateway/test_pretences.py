import json

import botocore.session
import pytest

from include.local.gateway.calls import ANONYMOUS, Call
from include.local.gateway.pretences import PRETENCES, reason_to_refuse


@pytest.mark.parametrize("name", sorted(PRETENCES))
def test_every_entry_names_an_operation_of_aws(name: str) -> None:
    service, operation = name.split(".")
    model = botocore.session.get_session().get_service_model(service)
    assert operation in model.operation_names
    assert not PRETENCES[name].reason.endswith(".")


def refused(service: str, operation: str, parameters: object) -> bool:
    call = Call(ANONYMOUS, service, operation)
    return reason_to_refuse(call, json.dumps(parameters).encode()) is not None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", False),
        ("error", False),
        ("fatal error", False),
        ("{ $.eventType = COMPLETE }", True),
        ("[ip, user, ...]", True),
        ('"two words"', True),
        ("error -debug", True),
        ("-debug", True),
        ("?a ?b", True),
        ("non-fatal", False),
    ],
)
def test_filters_of_logs(pattern: str, expected: bool) -> None:
    assert refused("logs", "FilterLogEvents", {"filterPattern": pattern}) is expected


def test_parameters_of_pipelines() -> None:
    assert refused("datapipeline", "PutPipelineDefinition", {"parameterValues": [{"id": "a"}]})
    assert not refused("datapipeline", "PutPipelineDefinition", {"pipelineObjects": []})
    assert not refused("datapipeline", "PutPipelineDefinition", "not an object")


def test_what_is_not_listed_goes_through() -> None:
    assert not refused("glue", "GetTables", {})
    assert not refused("s3", "GetObject", {})
    assert refused("ec2", "StopInstances", {})
