"""Which AWS services are signed under which name, from botocore's models.

Several services can share a signing name: ``dynamodb`` is DynamoDB and its Streams, ``s3`` is S3
and S3 Control. botocore has no index for that, so one is made from the ``metadata`` of each model.
Only the first bytes of the (large, compressed) files are read: 400 services in a quarter second.
"""

import gzip
import json
from collections import defaultdict
from functools import cache
from pathlib import Path

import botocore

_HEAD = 8192  # characters; the metadata of every model ends well before
_DECODER = json.JSONDecoder()


def _metadata(model: Path) -> dict[str, object]:
    opener = gzip.open if model.suffix == ".gz" else open
    with opener(model, "rt", encoding="utf-8") as file:
        head = file.read(_HEAD)
    start = head.index('"metadata"') + len('"metadata"')
    metadata: dict[str, object] = _DECODER.raw_decode(head[start:].lstrip(" \r\n\t:"))[0]
    return metadata


@cache
def _services_by_signing_name() -> dict[str, tuple[str, ...]]:
    index: defaultdict[str, list[str]] = defaultdict(list)
    for service in sorted((Path(botocore.__file__).parent / "data").iterdir()):
        models = sorted(service.glob("*/service-2.json*"))
        if models:
            metadata = _metadata(models[-1])
            signing_name = str(metadata.get("signingName") or metadata["endpointPrefix"])
            index[signing_name.lower()].append(service.name)
    return {name: _likeliest_first(name, services) for name, services in index.items()}


def _likeliest_first(signing_name: str, services: list[str]) -> tuple[str, ...]:
    return tuple(sorted(services, key=lambda service: (service != signing_name, service)))


def services_signed_as(signing_name: str) -> tuple[str, ...]:
    """Name the services that sign their requests with a name.

    :param signing_name: service part of a credential scope, such as ``elasticmapreduce``.
    :returns: botocore's names of the services, the likeliest first, such as ``("emr",)``; empty
        when AWS has no such service.
    """
    return _services_by_signing_name().get(signing_name.lower(), ())
