"""Definitions of pipelines that are in AWS."""

import json
from functools import cache

from updraft.datapipeline.model import PipelineProperties
from updraft.datapipeline.reading import ReadResult, read_text
from updraft.hooks.datapipeline import LegacyPipelines

# A person waits for the answer, or for the error that a region was mistyped. What AWS throttles is
# repeated for longer.
_SOON = {
    "connect_timeout": 5,
    "read_timeout": 30,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}


@cache
def _pipelines() -> LegacyPipelines:
    """Make one client for all pipelines, which takes longer than a call."""
    return LegacyPipelines({"aws_conn_id": None, "config": _SOON})


def pipeline_ids() -> list[str]:
    """List the pipelines of the account, in the region of the environment.

    :returns: their ids, ``df-…``.
    :raises ServiceError: when AWS refuses, or gives no answer.
    """
    return _pipelines().ids()


def read_pipeline(pipeline_id: str) -> ReadResult:
    """Read a pipeline from AWS.

    :param pipeline_id: its id, ``df-…``.
    :returns: the definition and findings, which have no lines.
    :raises ServiceError: when AWS refuses, or gives no answer.
    """
    description = _pipelines().description(pipeline_id)
    text = json.dumps(_pipelines().definition(pipeline_id), indent=2)
    result = read_text(text, f"pipeline:{pipeline_id}")
    properties = PipelineProperties(
        key=pipeline_id,
        name=description.get("name"),
        description=description.get("description"),
        tags=tuple((tag["key"], tag["value"]) for tag in description.get("tags", ())),
    )
    return ReadResult(
        tuple(one.with_properties(properties) for one in result.pipelines), result.findings
    )
