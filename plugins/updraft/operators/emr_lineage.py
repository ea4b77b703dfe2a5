"""What the EMR operators tell OpenLineage. Imported only where OpenLineage is installed."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
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

if TYPE_CHECKING:
    from openlineage.client.facet_v2 import JobFacet, RunFacet

log = logging.getLogger(__name__)

_READS = frozenset({"--input", "--input-path", "--source", "--src", "-input"})
_WRITES = frozenset({"--dest", "--destination", "--output", "--output-path", "-output"})


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
    reads, writes = flagged_uris(steps)
    facets: dict[str, RunFacet | JobFacet] = {}
    if external_id:
        facets["externalQuery"] = ExternalQueryRunFacet(externalQueryId=external_id, source="emr")
    return OperatorLineage(
        inputs=_datasets(InputDataset, [*_uris(inputs), *reads]),
        outputs=_datasets(OutputDataset, [*_uris(outputs), *writes]),
        run_facets=facets,
    )


def flagged_uris(steps: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Find the URIs of S3 that steps clearly read or write.

    :param steps: the steps.
    :returns: what follows a flag for input, and what follows one for output, as ``--input URI`` or
        ``--input=URI``.
    """
    reads: list[str] = []
    writes: list[str] = []
    for step in steps:
        arguments = [str(one) for one in step.get("HadoopJarStep", {}).get("Args", ())]
        pairs = [*pairwise(arguments)]
        pairs += [(flag, value) for flag, _, value in (one.partition("=") for one in arguments)]
        for flag, value in pairs:
            if value.startswith(("s3://", "s3a://", "s3n://")):
                if flag.lower() in _READS:
                    reads.append(value)
                elif flag.lower() in _WRITES:
                    writes.append(value)
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
