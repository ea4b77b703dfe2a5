"""Faults between a client and the local stack: throttling, errors, resets, cut answers, delays.

microburst (https://pypi.org/project/microburst/) does it: a proxy that knows AWS's protocols, so
that SDKs take its errors for the service's own. Its rules are described there; it can't make
``UnprocessedItems``, which the gateway's capacity does.
"""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from include.local import ports, processes, stack
from include.local.layout import PROJECT
from updraft.errors import UpdraftError

_SERVICE = "faults"
_START_SECONDS = 30.0

Rule = Mapping[str, Any]
"""A rule of microburst, such as
``{"service": "dynamodb", "probability": 0.3,
"error": {"code": "ProvisionedThroughputExceededException"}}``."""


class FaultProxy:
    """A running proxy.

    :param endpoint_url: its address, for clients to use instead of the stack's.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """Replace the rules; the first that matches a request decides.

        :param rules: the rules, none to let everything through.
        """
        self._call("POST", "rules", list(rules))

    def fired(self) -> list[dict[str, Any]]:
        """List the latest faults.

        :returns: one entry per fault, with ``service``, ``operation`` and ``action``.
        """
        events: list[dict[str, Any]] = self._call("GET", "fired?limit=100000")
        return events

    def is_up(self) -> bool:
        """Tell whether it answers."""
        try:
            self._call("GET", "health")
        except OSError:
            return False
        return True

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.endpoint_url}/_microburst/{path}"
        request = urllib.request.Request(url, data=data, method=method)  # noqa: S310 - loopback
        with _DIRECT.open(request, timeout=10) as response:
            return json.load(response)


# A proxy that the environment names must not come between two processes of one machine.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def fault_proxy(upstream: str, state: Path) -> Iterator[FaultProxy]:
    """Run a proxy for the length of a block.

    :param upstream: address that it forwards to, such as that of the gateway or of dynalite.
    :param state: state directory whose stack the process belongs to; one proxy per directory.
    :returns: the proxy, without rules.
    :raises UpdraftError: when it does not start.
    """
    port = ports.free_port()
    proxy = FaultProxy(f"http://{ports.HOST}:{port}")
    command = [str(stack.PYTHON), "-m", "microburst", "--upstream", upstream, "--no-resign"]
    command += ["--host", ports.HOST, "--port", str(port)]
    processes.start(state, _SERVICE, command, stack.server_environment(), PROJECT)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not proxy.is_up():
            if time.monotonic() > deadline:
                log = processes.log_file(state.resolve(), _SERVICE)
                raise UpdraftError(f"microburst does not answer; its log is {log}")
            time.sleep(0.05)
        yield proxy
    finally:
        processes.stop(state, {_SERVICE})
