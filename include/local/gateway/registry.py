"""The handlers of our own, one line per service."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from include.local.gateway.control import ControlInterface
from include.local.gateway.handlers import Operation, ServiceHandler
from include.local.gateway.services.athena.handler import AthenaHandler
from include.local.gateway.services.batch.handler import BatchHandler
from include.local.gateway.services.datazone.catalog.glue_tables import read_tables
from include.local.gateway.services.datazone.handler import DataZoneHandler
from include.local.gateway.services.dynamodb.handler import DynamoDBHandler
from include.local.gateway.services.ec2.handler import Ec2Handler
from include.local.gateway.services.ecs.handler import EcsHandler
from include.local.gateway.services.emr.handler import EmrHandler
from include.local.gateway.services.emr_containers.handler import EmrContainersHandler
from include.local.gateway.services.emr_serverless.handler import EmrServerlessHandler
from include.local.gateway.services.glue.handler import GlueHandler
from include.local.gateway.services.redshift.handler import RedshiftHandler
from include.local.gateway.services.redshift_data.endpoints import Endpoints
from include.local.gateway.services.redshift_data.handler import build as build_redshift_data
from include.local.gateway.services.redshift_engine.warehouses import Warehouses
from include.local.gateway.services.redshift_serverless.handler import RedshiftServerlessHandler
from include.local.gateway.services.ssm.handler import SsmHandler


@dataclass(frozen=True, slots=True)
class Options:
    """What the handlers need to know.

    :param state: directory in which a handler may keep a directory of its own.
    :param endpoint_url: address of the gateway, for handlers that use other services.
    :param throttling: whether request quotas of the services are enforced.
    """

    state: Path
    endpoint_url: str
    throttling: bool = True


class Registry:
    """All handlers, looked up by service and operation.

    :param handlers: the handlers.
    """

    def __init__(self, handlers: list[ServiceHandler]) -> None:
        self._handlers = handlers
        self._operations: dict[tuple[str, str], Operation] = {
            (handler.service, name): operation
            for handler in handlers
            for name, operation in handler.operations().items()
        }

    def find(self, service: str, operation: str | None) -> Operation | None:
        """Find the function for an operation.

        :param service: botocore's name of the service.
        :param operation: name of the operation.
        :returns: the function, None when no handler has it.
        """
        return self._operations.get((service, operation or ""))

    def describe(self) -> dict[str, list[str]]:
        """List what is executed by handlers of our own.

        :returns: names of operations by service, sorted.
        """
        listed: dict[str, list[str]] = {}
        for service, operation in sorted(self._operations):
            listed.setdefault(service, []).append(operation)
        return listed

    def control(self, path: str) -> ControlInterface | None:
        """Find what answers a control call.

        :param path: path of the request.
        :returns: the interface, None when no handler has one there.
        """
        controls = (getattr(handler, "control", None) for handler in self._handlers)
        return next((each for each in controls if each and path.startswith(each.path)), None)

    def close(self) -> None:
        """Close every handler."""
        for handler in self._handlers:
            handler.close()


def build_registry(options: Options, dynamodb: DynamoDBHandler) -> Registry:
    """Make the handlers.

    :param options: what they need to know.
    :param dynamodb: the one that the gateway knows by itself, since ministack is behind it.
    :returns: the registry of all of them.
    """
    athena = AthenaHandler(options.state / "athena", options.endpoint_url)
    datazone = DataZoneHandler(
        options.state / "datazone",
        partial(read_tables, options.endpoint_url),
        throttling=options.throttling,
    )
    emr = EmrHandler(options.state / "emr", options.endpoint_url)

    def scheduling() -> float:
        return emr.settings.phases.scheduling

    containers = EmrContainersHandler(
        options.state / "emr-containers", options.endpoint_url, scheduling
    )
    serverless = EmrServerlessHandler(
        options.state / "emr-serverless", options.endpoint_url, scheduling
    )
    glue = GlueHandler(options.state / "glue", options.endpoint_url)
    handlers: list[ServiceHandler] = [athena, containers, datazone, dynamodb, emr, glue, serverless]
    return Registry(
        [
            *handlers,
            BatchHandler(options.state / "batch", options.endpoint_url),
            EcsHandler(options.state / "ecs", options.endpoint_url),
            *_ec2_handlers(options),
            *_redshift_handlers(options),
        ]
    )


def _ec2_handlers(options: Options) -> list[ServiceHandler]:
    """Make those of EC2 and Systems Manager, whose commands run on the instances."""
    ec2 = Ec2Handler(options.state / "ec2", options.endpoint_url)
    return [SsmHandler(options.state / "ssm", ec2.instances, options.endpoint_url), ec2]


def _redshift_handlers(options: Options) -> list[ServiceHandler]:
    """Make those of Redshift, which share the databases."""
    directory = options.state / "redshift"
    warehouses = Warehouses(directory / "databases")
    redshift = RedshiftHandler(directory, warehouses)
    serverless = RedshiftServerlessHandler(directory, warehouses, redshift.settings)
    endpoints = Endpoints(
        redshift.clusters, serverless.workgroups, warehouses, options.endpoint_url
    )
    data = build_redshift_data(
        directory / "statements", endpoints, lambda: redshift.settings.phases.submitted
    )
    # In the order in which they are closed: statements before their databases.
    return [data, serverless, redshift]
