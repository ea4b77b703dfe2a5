"""Calls of a domain, as boto3 sends them."""

import pytest
from botocore.stub import Stubber

from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import ArgumentError
from updraft.hooks.datazone_domain import DataZoneClientHook

DOMAIN = "dzd_test1234"


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return DataZoneClientHook(aws_conn_id=None, region_name="eu-west-1")


@pytest.fixture
def stub(hook):
    with Stubber(hook.get_conn()) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_all_pages_are_read(hook, stub):
    def source(number):
        return {
            "domainId": DOMAIN,
            "dataSourceId": f"s{number}",
            "name": f"source {number}",
            "type": "GLUE",
            "status": "READY",
        }

    asked = {"domainIdentifier": DOMAIN, "projectIdentifier": "p", "maxResults": 50}
    pages = {None: {"items": [source(1)], "nextToken": "t"}, "t": {"items": [source(2)]}}
    for token, page in pages.items():
        more = {"nextToken": token} if token else {}
        stub.add_response("list_data_sources", page, {**asked, **more})
    found = hook.domain(DOMAIN).pages("ListDataSources", "project p", projectIdentifier="p")
    assert [one["dataSourceId"] for one in found] == ["s1", "s2"]


def test_what_is_none_is_left_out_and_an_error_says_what_it_was_about(hook, stub):
    given = {"domainIdentifier": DOMAIN, "identifier": "a"}
    said = {"service_error_code": "ConflictException", "service_message": "no"}
    stub.add_client_error("get_asset", expected_params=given, **said)
    with pytest.raises(ServiceError, match="datazone:GetAsset on asset a in domain dzd_") as caught:
        hook.domain(DOMAIN).request("GetAsset", "asset a", identifier="a", revision=None)
    assert caught.value.code == "ConflictException"


def test_what_is_no_domain_is_refused(hook):
    with pytest.raises(ArgumentError, match="'sales' is not the id of a DataZone domain"):
        hook.domain("sales")
