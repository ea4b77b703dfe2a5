"""What every kind of file is brought to before it is read: pipelines as the CLI writes them."""

from dataclasses import dataclass, field

from updraft.datapipeline.json_text import (
    JsonObject,
)
from updraft.datapipeline.model import PipelineProperties


@dataclass(frozen=True, slots=True)
class PipelineSource:
    """One pipeline of a file.

    :param document: ``objects``, ``parameters`` and ``values`` or ``parameterValues``.
    :param properties: what the file says about the pipeline beside its definition.
    :param template_names: the names that the template takes values for.
    """

    document: JsonObject
    properties: PipelineProperties = field(default_factory=PipelineProperties)
    template_names: frozenset[str] = frozenset()
