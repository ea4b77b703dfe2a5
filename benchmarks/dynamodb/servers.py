"""The servers that stand in for AWS while contenders are compared."""

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import psutil

from benchmarks.dynamodb.installation import dynalite
from include.local import ports, processes
from include.local.fault_proxy import fault_proxy
from include.local.stack import LocalStack, server_environment

STACK, DYNALITE = "stack", "dynalite"

_PATIENCE = 30.0


@dataclass(frozen=True)
class Servers:
    """What runs.

    :param name: what it is called in the title.
    :param has_import_table: whether DynamoDB's ImportTable is there.
    :param environment: variables that lead an AWS SDK there.
    :param state: state directory that marks the processes.
    """

    name: str
    has_import_table: bool
    environment: dict[str, str]
    state: Path

    def cpu_seconds(self) -> dict[int, float]:
        """Read the CPU time of each process so far, in seconds by process id."""
        seconds = {}
        for found in processes.find(self.state):
            times = psutil.Process(found.pid).cpu_times()
            seconds[found.pid] = times.user + times.system
        return seconds


@contextmanager
def servers(kind: str, state: Path, latency: float) -> Iterator[Servers]:
    """Run the servers for the length of a block.

    :param kind: ``stack`` for the local stack alone, ``dynalite`` for DynamoDB by dynalite and S3
        by the local stack.
    :param state: directory of what they keep.
    :param latency: what each call to DynamoDB takes longer, in milliseconds.
    :returns: how they are reached.
    """
    stack = LocalStack(state, throttling=False)
    stack.up()
    try:
        environment = stack.environment()
        if kind == STACK:
            _delay(stack, latency)
            yield Servers("local stack", True, environment, stack.state)
            return
        with _dynalite(stack) as url, _with_latency(url, stack.state, latency) as address:
            environment["AWS_ENDPOINT_URL_DYNAMODB"] = address
            yield Servers(f"{DYNALITE} and S3 of the local stack", False, environment, stack.state)
    finally:
        stack.down()
        processes.stop(stack.state)


def _delay(stack: LocalStack, latency: float) -> None:
    request = urllib.request.Request(
        f"{stack.endpoint_url}/_local/dynamodb/delay",
        json.dumps({"seconds": latency / 1000}).encode(),
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def _dynalite(stack: LocalStack) -> Iterator[str]:
    node = which("node")
    if node is None:
        raise SystemExit("dynalite needs Node.js: there is no `node` on the PATH")
    port = ports.free_port()
    tables = stack.state / DYNALITE
    command = [node, str(dynalite()), "--host", ports.HOST, "--port", str(port)]
    # On disk: in memory 100,000 items take more than a gigabyte.
    command += ["--path", str(tables), "--createTableMs", "50", "--deleteTableMs", "50"]
    processes.start(stack.state, DYNALITE, command, dict(server_environment()), stack.state)
    deadline = time.monotonic() + _PATIENCE
    while ports.is_free(port):
        if time.monotonic() > deadline:
            log = processes.log_file(stack.state, DYNALITE).read_text(errors="replace")
            raise SystemExit(f"dynalite does not answer; its log is:\n{log}")
        time.sleep(0.1)
    yield f"http://{ports.HOST}:{port}"


@contextmanager
def _with_latency(url: str, state: Path, latency: float) -> Iterator[str]:
    if not latency:
        yield url
        return
    with fault_proxy(url, state) as proxy:
        proxy.set_rules([{"service": "dynamodb", "latency": latency}])
        yield proxy.endpoint_url


def lead_there(found: Servers, directory: Path) -> None:
    """Let this process and those that it starts use the servers.

    :param found: the servers.
    :param directory: for what Airflow writes.
    """
    os.environ |= {
        **found.environment,
        "AIRFLOW_HOME": str(directory / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
