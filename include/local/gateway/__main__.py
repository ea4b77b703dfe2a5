"""Run the gateway: ``python -m include.local.gateway --port 4000 --state DIR --dynamodb URL``."""

import argparse
import logging
import signal
import threading
from pathlib import Path

from include.local.gateway.application import Gateway
from include.local.gateway.dynamodb_backend import DynamoDBBackend
from include.local.gateway.moto_backend import MotoBackend
from include.local.gateway.registry import Options, build_registry
from include.local.gateway.server import HOST, GatewayServer
from include.local.gateway.services.dynamodb.handler import DynamoDBHandler

_LOG = logging.getLogger("include.local.gateway")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.local.gateway", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help=f"port on {HOST}")
    parser.add_argument("--state", type=Path, required=True, help="directory of what is kept")
    parser.add_argument("--dynamodb", required=True, help="address of ministack")
    parser.add_argument(
        "--no-throttling", action="store_true", help="do not enforce request quotas"
    )
    return parser.parse_args()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    arguments = _arguments()
    state: Path = arguments.state.resolve()
    endpoint_url = f"http://{HOST}:{arguments.port}"
    dynamodb = DynamoDBHandler(
        state / "dynamodb-tasks", DynamoDBBackend(arguments.dynamodb), endpoint_url
    )
    options = Options(state, endpoint_url, throttling=not arguments.no_throttling)
    registry = build_registry(options, dynamodb)
    gateway = Gateway(registry, dynamodb, MotoBackend(), identity=str(state))
    server = GatewayServer(arguments.port, gateway)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    server.start()
    _LOG.info("Serving on http://%s:%d, state in %s", HOST, arguments.port, state)
    stopping.wait()
    server.stop()
    gateway.close()
    _LOG.info("Stopped")


if __name__ == "__main__":
    main()
