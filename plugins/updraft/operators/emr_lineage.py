"""What the EMR operators tell OpenLineage. Imported only where OpenLineage is installed."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.openlineage.facet import (
    Dataset,
    ExternalQueryRunFacet,
    InputDataset,
    OutputDataset,
)
from airflow.providers.openlineage.extractors import OperatorLineage

from updraft.errors import UpdraftError
from updraft.lineage.naming import DYNAMODB_TABLE_ARN, DatasetName, dynamodb_table, s3_prefix
from updraft.operators.argument_lineage import flagged_uris

if TYPE_CHECKING:
    from openlineage.client.facet_v2 import JobFacet, RunFacet

log = logging.getLogger(__name__)


def declared_lineage(
    inputs: Sequence[str] | str,
    outputs: Sequence[str] | str,
    external_id: str | None,
    steps: Iterable[Mapping[str, Any]] = (),
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe what work reads and writes.

    :param inputs: URIs of what it reads, or their JSON.
    :param outputs: URIs of what it writes, or their JSON.
    :param external_id: id of the cluster, steps or job run at AWS.
    :param steps: steps whose arguments say by flags such as ``--input`` and ``--output`` what they
        read and write.
    :returns: the lineage; a URI of no kind that has a name in lineage is left out, and the log
        says so.
    """
    reads, writes = uris_of_steps(steps)
    facets: dict[str, RunFacet | JobFacet] = {}
    if external_id:
        facets["externalQuery"] = ExternalQueryRunFacet(externalQueryId=external_id, source="emr")
    return OperatorLineage(
        inputs=_datasets(InputDataset, [*_uris(inputs), *reads]),
        outputs=_datasets(OutputDataset, [*_uris(outputs), *writes]),
        run_facets=facets,
    )


def uris_of_steps(steps: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Find the URIs of S3 that steps clearly read or write.

    :param steps: the steps.
    :returns: what follows a flag for input, and what follows one for output.
    """
    reads: list[str] = []
    writes: list[str] = []
    for step in steps:
        found = flagged_uris([str(one) for one in step.get("HadoopJarStep", {}).get("Args", ())])
        reads += found[0]
        writes += found[1]
    return reads, writes


def _uris(value: Sequence[str] | str) -> list[str]:
    if isinstance(value, str):
        text = value.strip()
        value = json.loads(text) if text.startswith("[") else text.split()
    return [str(one) for one in value or () if one]


def _datasets(kind: type[InputDataset | OutputDataset], uris: Iterable[str]) -> list[Dataset]:
    named: dict[DatasetName, Dataset] = {}
    for uri in uris:
        try:
            name = dynamodb_table(uri) if DYNAMODB_TABLE_ARN.fullmatch(uri) else s3_prefix(uri)
        except UpdraftError as error:
            log.warning("Lineage leaves something out: %s", error)
            continue
        named.setdefault(name, kind(*name))
    return list(named.values())
