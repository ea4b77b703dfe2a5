"""Definitions of pipelines that are in AWS."""

import json

from updraft.datapipeline.model import PipelineProperties
from updraft.datapipeline.reading import ReadResult, read_text
from updraft.hooks.datapipeline import DataPipelineHook


def read_pipeline(pipeline_id: str) -> ReadResult:
    """Read a pipeline from AWS.

    :param pipeline_id: its id, ``df-…``.
    :returns: the definition and findings, which have no lines.
    :raises ServiceError: when AWS refuses, or gives no answer.
    """
    hook = DataPipelineHook(aws_conn_id=None)
    description = hook.pipeline(pipeline_id)
    text = json.dumps(hook.definition(pipeline_id), indent=2)
    result = read_text(text, f"pipeline:{pipeline_id}")
    properties = PipelineProperties(
        key=pipeline_id,
        name=description.get("name"),
        description=description.get("description"),
        tags=tuple((tag["key"], tag["value"]) for tag in description.get("tags", ())),
    )
    # Lines of a text that nobody has seen would only mislead.
    findings = tuple(one.model_copy(update={"position": None}) for one in result.findings)
    return ReadResult(
        tuple(one.with_properties(properties) for one in result.definitions), findings
    )
