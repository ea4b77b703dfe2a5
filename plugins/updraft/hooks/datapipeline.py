"""AWS Data Pipeline with its low-level client."""

from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.dynamodb.service_errors import ServiceError
from updraft.hooks.service_calls import PATIENCE, ServiceCalls


class DataPipelineHook(AwsBaseHook):
    """Makes the client."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "datapipeline"
        super().__init__(*args, **kwargs)


class LegacyPipelines:
    """Reads pipelines; nothing is changed. Calls that AWS throttles are made again.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :param patience: seconds for which a throttled call is repeated.
    """

    def __init__(self, hook_parameters: Mapping[str, Any], patience: float = PATIENCE) -> None:
        self._calls = ServiceCalls(
            DataPipelineHook, hook_parameters, patience, page_member="marker"
        )

    def ids(self) -> list[str]:
        """List the pipelines of the account in the region.

        :returns: their ids, ``df-…``, in order.
        :raises ServiceError: when AWS refuses, or gives no answer.
        """
        found = self._calls.items(
            "list_pipelines", f"the pipelines in {self._calls.region}", "pipelineIdList"
        )
        return sorted({str(one["id"]) for one in found})

    def definition(self, pipeline_id: str) -> dict[str, Any]:
        """Fetch the definition of a pipeline as it was put last.

        :param pipeline_id: its id, ``df-…``.
        :returns: ``pipelineObjects``, ``parameterObjects`` and ``parameterValues``
            (API reference, GetPipelineDefinition).
        :raises ServiceError: when AWS refuses, or gives no answer.
        """
        answer = self._calls.call(
            "get_pipeline_definition",
            f"pipeline {pipeline_id!r}",
            pipelineId=pipeline_id,
            version="latest",
        )
        members = ("pipelineObjects", "parameterObjects", "parameterValues")
        return {name: answer[name] for name in members if name in answer}

    def description(self, pipeline_id: str) -> dict[str, Any]:
        """Fetch what a pipeline has beside its definition.

        :param pipeline_id: its id, ``df-…``.
        :returns: ``name``, ``description``, ``tags`` and ``fields`` (API reference,
            PipelineDescription).
        :raises ServiceError: when AWS refuses, or gives no answer.
        """
        answer = self._calls.call(
            "describe_pipelines", f"pipeline {pipeline_id!r}", pipelineIds=[pipeline_id]
        )
        descriptions: list[dict[str, Any]] = answer["pipelineDescriptionList"]
        if not descriptions:
            raise ServiceError(
                f"There is no pipeline {pipeline_id!r} in the region {self._calls.region}"
            )
        return descriptions[0]
