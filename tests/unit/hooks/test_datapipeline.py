"""Pipelines of an account: page by page, and again when AWS throttles."""

import pytest
from botocore.stub import Stubber

from updraft.dynamodb.service_errors import ServiceError
from updraft.hooks import service_calls
from updraft.hooks.datapipeline import LegacyPipelines


@pytest.fixture
def stubbed(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setattr(service_calls.time, "sleep", lambda _: None)
    pipelines = LegacyPipelines(
        {
            "aws_conn_id": None,
            "region_name": "eu-west-1",
            "config": {"retries": {"mode": "standard"}},
        }
    )
    with Stubber(pipelines._calls.hook.get_conn()) as stubber:
        yield pipelines, stubber
        stubber.assert_no_pending_responses()


def _page(*ids, marker=None):
    more = {"marker": marker, "hasMoreResults": True} if marker else {"hasMoreResults": False}
    return {"pipelineIdList": [{"id": one, "name": "same"} for one in ids], **more}


def test_all_pages_are_listed_also_when_throttled(stubbed):
    pipelines, stubber = stubbed
    stubber.add_response("list_pipelines", _page("df-2", "df-3", marker="next"), {})
    stubber.add_client_error("list_pipelines", "ThrottlingException", http_status_code=400)
    stubber.add_response("list_pipelines", _page("df-1"), {"marker": "next"})
    assert pipelines.ids() == ["df-1", "df-2", "df-3"]


def test_a_definition_is_read_again_when_throttled(stubbed):
    pipelines, stubber = stubbed
    stubber.add_client_error("get_pipeline_definition", "Throttling", http_status_code=400)
    answer = {"pipelineObjects": [], "ResponseMetadata": {}}
    expected = {"pipelineId": "df-1", "version": "latest"}
    stubber.add_response("get_pipeline_definition", answer, expected)
    assert pipelines.definition("df-1") == {"pipelineObjects": []}


def test_what_aws_refuses_is_one_sentence(stubbed):
    pipelines, stubber = stubbed
    stubber.add_client_error("list_pipelines", "AccessDeniedException", "no", 400)
    with pytest.raises(ServiceError, match=r"datapipeline:ListPipelines.*eu-west-1"):
        pipelines.ids()
