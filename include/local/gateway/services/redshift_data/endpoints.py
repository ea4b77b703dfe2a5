"""Which warehouse a call of the Data API is about, and as whom it connects."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import OperationRequest
from include.local.gateway.services.redshift.clusters import Clusters
from include.local.gateway.services.redshift_engine.execution import Command, Connection
from include.local.gateway.services.redshift_engine.loading import Loader
from include.local.gateway.services.redshift_engine.statement import COPY, UNLOAD
from include.local.gateway.services.redshift_engine.storage import Surroundings
from include.local.gateway.services.redshift_engine.tokens import SqlError
from include.local.gateway.services.redshift_engine.unloading import Unloader
from include.local.gateway.services.redshift_engine.warehouses import Warehouse, Warehouses
from include.local.gateway.services.redshift_serverless.workgroups import DELETING, Workgroups

_PLACE = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")


@dataclass(frozen=True)
class Endpoint:
    """A database of a warehouse, and a user of it.

    :param open: gives the databases of the warehouse.
    :param surroundings: what it has around it.
    :param database: the database.
    :param user: the user.
    :param create_user: whether the user is made if it is not there.
    :param place: what the Data API tells about it.
    :param is_read_only: whether it can be read only, at the time of the call.
    """

    open: Callable[[], Warehouse]
    surroundings: Surroundings
    database: str
    user: str
    create_user: bool
    place: dict[str, str]
    is_read_only: bool = False

    def connect(self) -> tuple[Connection, psycopg.Connection]:
        """Connect.

        :returns: the connection of the user, and one of the owner of the catalog for notes.
        :raises psycopg.Error: when database or user don't exist.
        """
        warehouse = self.open()
        plain = warehouse.connect(self.database, self.user, create_user=self.create_user)
        notes = warehouse.connect(self.database)
        if self.is_read_only:
            plain.execute("SET default_transaction_read_only = on")
        commands: dict[str, Command] = {
            COPY: Loader(self.surroundings, notes),
            UNLOAD: Unloader(self.surroundings, notes),
        }
        return Connection(plain, commands), notes


class Endpoints:
    """Finds them.

    :param clusters: the clusters.
    :param workgroups: the workgroups.
    :param warehouses: their databases.
    :param endpoint_url: address of the gateway.
    """

    def __init__(
        self,
        clusters: Clusters,
        workgroups: Workgroups,
        warehouses: Warehouses,
        endpoint_url: str,
    ) -> None:
        self._clusters = clusters
        self._workgroups = workgroups
        self._warehouses = warehouses
        self._endpoint_url = endpoint_url

    def fail_if_asked(self, request: OperationRequest) -> None:
        """Fail a call that has to.

        :param request: the call.
        :raises AwsError: as the fault says.
        """
        given = request.parameters
        name = given.get("ClusterIdentifier") or given.get("WorkgroupName") or ""
        self._clusters.settings.fail_if_asked(str(name), request.operation)

    def find(self, request: OperationRequest) -> Endpoint:
        """Find the one that a call names.

        :param request: the call.
        :returns: the endpoint.
        :raises AwsError: when it names none, or one that can't be used now.
        """
        given = request.parameters
        if ("ClusterIdentifier" in given) == ("WorkgroupName" in given):
            raise _invalid("Give either ClusterIdentifier or WorkgroupName")
        if "Database" not in given:
            raise _invalid("Database is required")
        if "DbUser" in given and "SecretArn" in given:
            raise _invalid("DbUser and SecretArn can't be used together")
        if "DbUser" in given and "WorkgroupName" in given:
            raise _invalid("DbUser is not supported for a workgroup")
        user, create = self._user(request)
        place = {name: str(given[name]) for name in _PLACE if name in given}
        if "ClusterIdentifier" in given:
            return self._of_cluster(request, user, create, place)
        return self._of_workgroup(request, user, create, place)

    def _of_cluster(
        self, request: OperationRequest, user: str, create: bool, place: dict[str, str]
    ) -> Endpoint:
        name = str(request.parameters["ClusterIdentifier"])
        cluster = self._clusters.find(request.region, name)
        if cluster is None:
            raise _invalid(f"Redshift endpoint doesn't exist in this region. (cluster {name})")
        if not cluster.is_reachable:
            raise _invalid(
                f"The cluster {name} is {cluster.status}; statements need one that is available"
            )
        surroundings = Surroundings(
            self._endpoint_url,
            request.region,
            frozenset(cluster.roles),
            cluster.default_role,
            cluster.slices,
        )

        def databases() -> Warehouse:
            # It may have been paused while the statement waited.
            with self._clusters.lock:
                if not cluster.is_reachable:
                    raise SqlError(f"the cluster {name} is {cluster.status}")
                return self._warehouses.open(cluster.key, cluster.user, cluster.database)

        return Endpoint(
            databases,
            surroundings,
            str(request.parameters["Database"]).lower(),
            user,
            create,
            place,
            cluster.is_read_only,
        )

    def _of_workgroup(
        self, request: OperationRequest, user: str, create: bool, place: dict[str, str]
    ) -> Endpoint:
        name = str(request.parameters["WorkgroupName"]).rpartition("/")[2]
        workgroup = self._workgroups.find(request.region, name)
        if workgroup is None or workgroup.status == DELETING:
            raise _invalid(f"Redshift endpoint doesn't exist in this region. (workgroup {name})")
        namespace = self._workgroups.require_namespace(request.region, workgroup.namespace)
        surroundings = Surroundings(
            self._endpoint_url,
            request.region,
            frozenset(namespace.roles),
            namespace.default_role,
            max(2, workgroup.base // 8),
        )
        return Endpoint(
            lambda: self._warehouses.open(namespace.key, namespace.user, namespace.database),
            surroundings,
            str(request.parameters["Database"]).lower(),
            user,
            create,
            place,
        )

    def _user(self, request: OperationRequest) -> tuple[str, bool]:
        """Decide who connects: a named user, that of a secret, or the caller's identity."""
        given = request.parameters
        if "DbUser" in given:
            return str(given["DbUser"]).lower(), False
        if "SecretArn" in given:
            return self._user_of_secret(request.region, str(given["SecretArn"])), False
        return f"IAM:{request.access_key}", True

    def _user_of_secret(self, region: str, arn: str) -> str:
        secrets: Any = client(self._endpoint_url, region, "secretsmanager")
        try:
            text = secrets.get_secret_value(SecretId=arn)["SecretString"]
            found: Mapping[str, Any] = json.loads(text)
            return str(found["username"]).lower()
        except ClientError as error:
            raise _invalid(f"The secret {arn} can't be read: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            message = f"The secret {arn} is no JSON object with username and password"
            raise _invalid(message) from error


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
