"""AWS Data Pipeline with its low-level client."""

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.hooks.clients import connected_client


class DataPipelineHook(AwsBaseHook):
    """Reads pipelines; nothing is changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "datapipeline"
        super().__init__(*args, **kwargs)

    def definition(self, pipeline_id: str) -> dict[str, Any]:
        """Fetch the definition of a pipeline as it was put last.

        :param pipeline_id: its id, ``df-…``.
        :returns: ``pipelineObjects``, ``parameterObjects`` and ``parameterValues``
            (API reference, GetPipelineDefinition).
        :raises ServiceError: when AWS refuses, or gives no answer.
        """
        client = connected_client(self)
        with explained("datapipeline:GetPipelineDefinition", f"pipeline {pipeline_id!r}"):
            answer = client.get_pipeline_definition(pipelineId=pipeline_id, version="latest")
        members = ("pipelineObjects", "parameterObjects", "parameterValues")
        return {name: answer[name] for name in members if name in answer}

    def pipeline(self, pipeline_id: str) -> dict[str, Any]:
        """Fetch what a pipeline has beside its definition.

        :param pipeline_id: its id, ``df-…``.
        :returns: ``name``, ``description``, ``tags`` and ``fields`` (API reference,
            PipelineDescription).
        :raises ServiceError: when AWS refuses, or gives no answer.
        """
        client = connected_client(self)
        with explained("datapipeline:DescribePipelines", f"pipeline {pipeline_id!r}"):
            answer = client.describe_pipelines(pipelineIds=[pipeline_id])
        descriptions: list[dict[str, Any]] = answer["pipelineDescriptionList"]
        if not descriptions:
            region = client.meta.region_name
            raise ServiceError(f"There is no pipeline {pipeline_id!r} in the region {region}")
        return descriptions[0]
