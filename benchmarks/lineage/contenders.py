"""The ways of getting lineage out of a log and to DataZone."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median, quantiles
from typing import Any

_DOMAIN = "dzd_benchmark1"


@dataclass(frozen=True)
class Work:
    """What a contender works on.

    :param log: the log.
    :param directory: for the outbox.
    :param url: URL of the stub.
    :param emits: how many events a transport emits.
    """

    log: str
    directory: str
    url: str
    emits: int


def sample_approach(work: Work) -> int:
    """Read the log in, filter it, and post one by one, as AWS's sample script does."""
    import boto3  # noqa: PLC0415 - not in the process of another contender

    client = boto3.client("datazone", region_name="eu-west-1", endpoint_url=work.url)
    mark = "{{console.py:29}} INFO - "
    messages = Path(work.log).read_text().splitlines()
    events = [json.loads(line.split(mark, 1)[1]) for line in messages if mark in line]
    for event in events:
        client.post_lineage_event(domainIdentifier=_DOMAIN, event=json.dumps(event))
    return len(events)


def harvest(work: Work) -> int:
    """Harvest the log into an outbox in a directory."""
    from updraft.lineage.harvest_outbox import HarvestOutbox  # noqa: PLC0415 - likewise
    from updraft.lineage.local_outbox import LocalOutbox  # noqa: PLC0415 - likewise
    from updraft.lineage.log_harvest import LogHarvest  # noqa: PLC0415 - likewise

    target = HarvestOutbox(LocalOutbox(work.directory))
    reader = LogHarvest(target.add)
    with Path(work.log).open("rb") as file:
        reader.read_file(file, work.log)
    target.save()
    return target.stored


def read(work: Work) -> int:
    """Find the events in the log and do nothing with them."""
    from updraft.lineage.log_harvest import LogHarvest  # noqa: PLC0415 - likewise

    reader = LogHarvest(lambda _: None)
    with Path(work.log).open("rb") as file:
        reader.read_file(file, work.log)
    return reader.counts.found


def forward(work: Work) -> int:
    """Forward the outbox: validate, rename, post; as fast as the stub answers."""
    from updraft.hooks.datazone import DataZoneCatalog, DataZoneHook  # noqa: PLC0415 - likewise
    from updraft.lineage.forwarder import Forwarder  # noqa: PLC0415 - likewise
    from updraft.lineage.local_outbox import LocalOutbox  # noqa: PLC0415 - likewise

    catalog = DataZoneCatalog(DataZoneHook(aws_conn_id=None, region_name="eu-west-1"), _DOMAIN)
    forwarder = Forwarder(LocalOutbox(work.directory), catalog, events_per_second=1e9)
    return forwarder.run().posted


CONTENDERS: dict[str, Callable[[Work], int]] = {
    "AWS sample's approach": sample_approach,
    "Updraft: find events": read,
    "Updraft: harvest": harvest,
    "Updraft: forward": forward,
}


def emit_costs(transport: dict[str, Any], emits: int) -> dict[str, float]:
    """Emit events as a task does.

    :param transport: configuration of the transport.
    :param emits: how many.
    :returns: milliseconds of the first, of the median and of the 95th percentile.
    """
    # What is loaded in every process that runs a task costs no event anything.
    import_module("airflow.sdk.execution_time.task_runner")
    from openlineage.client import OpenLineageClient  # noqa: PLC0415 - likewise
    from openlineage.client.event_v2 import (  # noqa: PLC0415 - likewise
        InputDataset,
        Job,
        OutputDataset,
        Run,
        RunEvent,
        RunState,
    )
    from openlineage.client.uuid import generate_new_uuid  # noqa: PLC0415 - likewise

    logging.basicConfig(filename="/dev/null", level=logging.INFO)
    times = []
    begin = time.perf_counter()
    client = OpenLineageClient(config={"transport": transport})
    for _ in range(emits):
        client.emit(
            RunEvent(
                eventTime="2026-11-22T20:07:12.289126+00:00",
                producer="https://example.org/benchmark",
                run=Run(str(generate_new_uuid())),
                job=Job("benchmark", "load.orders"),
                eventType=RunState.COMPLETE,
                inputs=[InputDataset("s3://bucket", f"orders/{one}") for one in range(20)],
                outputs=[OutputDataset("redshift://c.eu-west-1:5439", "dev.public.orders")],
            )
        )
        end = time.perf_counter()
        times.append((end - begin) * 1000)
        begin = end
    return {
        "first": times[0],
        "median": median(times[1:]),
        "p95": quantiles(times[1:], n=20)[-1],
    }


TRANSPORTS: dict[str, Callable[[Work], dict[str, Any]]] = {
    "console": lambda _: {"type": "console"},
    "http": lambda work: {"type": "http", "url": work.url},
    "outbox in a directory": lambda work: {
        "type": "updraft.lineage.transport.OutboxTransport",
        "uri": Path(work.directory).as_uri(),
    },
    "outbox in S3": lambda _: {
        "type": "updraft.lineage.transport.OutboxTransport",
        "uri": "s3://bucket/lineage",
        "region_name": "eu-west-1",
    },
}
