"""The operations of Amazon Redshift Serverless on namespaces and workgroups.

.. seealso:: https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/Welcome.html
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from include.local.gateway.errors import NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import ACCOUNT_ID, Operation, OperationRequest
from include.local.gateway.services.redshift.settings import RedshiftSettings
from include.local.gateway.services.redshift_engine.warehouses import Warehouses
from include.local.gateway.services.redshift_serverless.workgroups import (
    AVAILABLE,
    DELETING,
    MODIFYING,
    Namespace,
    Workgroup,
    Workgroups,
)

_PORT = 5439
_SMALLEST, _LEAST, _MOST, _STEP = 4, 8, 1024, 8  # RPU
_BUSY = "There is an operation running on the {what}. Try again later."


class RedshiftServerlessHandler:
    """Namespaces and workgroups.

    :param directory: where they are kept.
    :param warehouses: their databases.
    :param settings: those of clusters, which are theirs too.
    """

    service = "redshift-serverless"

    def __init__(self, directory: Path, warehouses: Warehouses, settings: RedshiftSettings) -> None:
        self.workgroups = Workgroups(directory / "serverless.json", settings, warehouses)
        self._settings = settings

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CreateNamespace": self._create_namespace,
            "CreateWorkgroup": self._create_workgroup,
            "DeleteNamespace": self._delete_namespace,
            "DeleteWorkgroup": self._delete_workgroup,
            "GetCredentials": self._get_credentials,
            "GetNamespace": self._get_namespace,
            "GetWorkgroup": self._get_workgroup,
            "ListNamespaces": self._list_namespaces,
            "ListTagsForResource": self._list_tags,
            "ListWorkgroups": self._list_workgroups,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "UpdateNamespace": self._update_namespace,
            "UpdateWorkgroup": self._update_workgroup,
        }

    def close(self) -> None:
        """Do nothing: all is on disk, and the databases are ended with those of clusters."""

    def _create_namespace(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        self._settings.fail_if_asked(given["namespaceName"], request.operation)
        roles = [_arn_of(role) for role in given.get("iamRoles", ())]
        default = given.get("defaultIamRoleArn")
        namespace = Namespace(
            name=given["namespaceName"],
            region=request.region,
            user=str(given.get("adminUsername", "admin")).lower(),
            database=str(given.get("dbName", "dev")).lower(),
            roles=roles if default is None or default in roles else [*roles, default],
            default_role=default,
        )
        self.workgroups.add_namespace(namespace)
        return {"namespace": _shown_namespace(namespace)}

    def _get_namespace(self, request: OperationRequest) -> Mapping[str, Any]:
        name = request.parameters["namespaceName"]
        return {
            "namespace": _shown_namespace(self.workgroups.require_namespace(request.region, name))
        }

    def _list_namespaces(self, request: OperationRequest) -> Mapping[str, Any]:
        found = self.workgroups.namespaces_of(request.region)
        return {"namespaces": [_shown_namespace(one) for one in found]}

    def _update_namespace(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        namespace = self.workgroups.require_namespace(request.region, given["namespaceName"])
        self._settings.fail_if_asked(namespace.name, request.operation)
        if namespace.status != AVAILABLE:
            raise AwsError("ConflictException", _BUSY.format(what="namespace"))
        unknown = set(given) - {"namespaceName", "iamRoles", "defaultIamRoleArn"}
        if unknown:
            raise _refused(f"UpdateNamespace with {', '.join(sorted(unknown))}")
        with self.workgroups.lock:
            if "iamRoles" in given:
                namespace.roles = [_arn_of(role) for role in given["iamRoles"]]
            namespace.default_role = given.get("defaultIamRoleArn", namespace.default_role)
            self.workgroups.move(namespace, MODIFYING)
        return {"namespace": _shown_namespace(namespace)}

    def _delete_namespace(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        namespace = self.workgroups.require_namespace(request.region, given["namespaceName"])
        if given.get("finalSnapshotName"):
            raise _refused("DeleteNamespace with a final snapshot")
        if any(one.namespace == namespace.name for one in self.workgroups.of(request.region)):
            message = f"Namespace {namespace.name} has a workgroup; delete that first"
            raise AwsError("ConflictException", message)
        self.workgroups.move(namespace, DELETING)
        return {"namespace": _shown_namespace(namespace)}

    def _create_workgroup(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        self._settings.fail_if_asked(given["workgroupName"], request.operation)
        self.workgroups.require_namespace(request.region, given["namespaceName"])
        base, most = given.get("baseCapacity", 128), given.get("maxCapacity")
        _check_capacity(base, most)
        workgroup = Workgroup(
            name=given["workgroupName"],
            region=request.region,
            namespace=given["namespaceName"],
            base=base,
            most=most,
            tags={tag["key"]: tag["value"] for tag in given.get("tags", ())},
            other={
                name: given[name]
                for name in ("configParameters", "enhancedVpcRouting", "publiclyAccessible")
                if name in given
            },
        )
        self.workgroups.add_workgroup(workgroup)
        return {"workgroup": _shown_workgroup(workgroup)}

    def _get_workgroup(self, request: OperationRequest) -> Mapping[str, Any]:
        name = request.parameters["workgroupName"]
        self._settings.fail_if_asked(name, request.operation)
        return {"workgroup": _shown_workgroup(self.workgroups.require(request.region, name))}

    def _list_workgroups(self, request: OperationRequest) -> Mapping[str, Any]:
        found = self.workgroups.of(request.region)
        return {"workgroups": [_shown_workgroup(one) for one in found]}

    def _update_workgroup(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        workgroup = self.workgroups.require(request.region, given["workgroupName"])
        self._settings.fail_if_asked(workgroup.name, request.operation)
        if workgroup.status != AVAILABLE:
            raise AwsError("ConflictException", _BUSY.format(what="workgroup"))
        changes = set(given) - {"workgroupName"}
        if len(changes) != 1:
            message = "Exactly one setting of a workgroup can be changed at a time"
            raise AwsError("ValidationException", f"{message}, got {sorted(changes)}")
        [name] = changes
        with self.workgroups.lock:
            if name == "baseCapacity":
                _check_capacity(given[name], workgroup.most)
                workgroup.pending = {"base": given[name]}
            elif name == "maxCapacity":
                # -1 takes the limit off.
                most = None if given[name] == -1 else given[name]
                _check_capacity(workgroup.base, most)
                workgroup.pending = {"most": most}
            elif name in {"configParameters", "enhancedVpcRouting", "publiclyAccessible"}:
                workgroup.other[name] = given[name]
            else:
                raise _refused(f"UpdateWorkgroup with {name}")
            self.workgroups.move(workgroup, MODIFYING)
        return {"workgroup": _shown_workgroup(workgroup)}

    def _delete_workgroup(self, request: OperationRequest) -> Mapping[str, Any]:
        workgroup = self.workgroups.require(request.region, request.parameters["workgroupName"])
        if workgroup.status != AVAILABLE:
            raise AwsError("ConflictException", _BUSY.format(what="workgroup"))
        self.workgroups.move(workgroup, DELETING)
        return {"workgroup": _shown_workgroup(workgroup)}

    def _get_credentials(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        self.workgroups.require(request.region, given["workgroupName"])
        expiration = datetime.now(UTC) + timedelta(seconds=given.get("durationSeconds", 900))
        return {
            "dbUser": f"IAM:{request.access_key}",
            "dbPassword": secrets.token_urlsafe(48),
            "expiration": expiration,
            "nextRefreshTime": expiration,
        }

    def _list_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        tags = self._tagged(request).tags
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def _tag(self, request: OperationRequest) -> Mapping[str, Any]:
        workgroup = self._tagged(request)
        workgroup.tags |= {tag["key"]: tag["value"] for tag in request.parameters["tags"]}
        self.workgroups.save()
        return {}

    def _untag(self, request: OperationRequest) -> Mapping[str, Any]:
        workgroup = self._tagged(request)
        for key in request.parameters["tagKeys"]:
            workgroup.tags.pop(key, None)
        self.workgroups.save()
        return {}

    def _tagged(self, request: OperationRequest) -> Workgroup:
        arn = request.parameters["resourceArn"]
        for workgroup in self.workgroups.of(request.region):
            if _workgroup_arn(workgroup) == arn:
                return workgroup
        raise AwsError("ResourceNotFoundException", f"{arn} was not found", HTTPStatus.NOT_FOUND)


def _check_capacity(base: int, most: int | None) -> None:
    for name, value in (("baseCapacity", base), ("maxCapacity", most)):
        fits = (
            value is None
            or value == _SMALLEST
            or (
                _LEAST <= value <= (_MOST if name == "baseCapacity" else 5632)
                and value % _STEP == 0
            )
        )
        if not fits:
            message = f"{name} is {value}; it must be 4, or a multiple of 8 from 8 to {_MOST}"
            raise AwsError("ValidationException", message)
    if most is not None and most < base:
        message = f"maxCapacity {most} must not be less than baseCapacity {base}"
        raise AwsError("ValidationException", message)


def _arn_of(role: str) -> str:
    """Take the ARN out of what the service itself shows, ``IamRole(…iamRoleArn=…)``."""
    _, found, rest = role.partition("iamRoleArn=")
    return rest.rstrip(")") if found else role


def _workgroup_arn(workgroup: Workgroup) -> str:
    place = f"arn:aws:redshift-serverless:{workgroup.region}:{ACCOUNT_ID}"
    return f"{place}:workgroup/{workgroup.id}"


def _shown_workgroup(workgroup: Workgroup) -> dict[str, Any]:
    host = f"{workgroup.name}.{ACCOUNT_ID}.{workgroup.region}.redshift-serverless.amazonaws.com"
    shown: dict[str, Any] = {
        "workgroupId": workgroup.id,
        "workgroupArn": _workgroup_arn(workgroup),
        "workgroupName": workgroup.name,
        "namespaceName": workgroup.namespace,
        "baseCapacity": workgroup.base,
        "status": workgroup.status,
        "endpoint": {"address": host, "port": _PORT},
        "port": _PORT,
        "creationDate": datetime.fromtimestamp(workgroup.created, UTC),
        "enhancedVpcRouting": False,
        "publiclyAccessible": False,
        "configParameters": [],
        **workgroup.other,
    }
    if workgroup.most is not None:
        shown["maxCapacity"] = workgroup.most
    return shown


def _shown_namespace(namespace: Namespace) -> dict[str, Any]:
    place = f"arn:aws:redshift-serverless:{namespace.region}:{ACCOUNT_ID}"
    shown: dict[str, Any] = {
        "namespaceArn": f"{place}:namespace/{namespace.id}",
        "namespaceId": namespace.id,
        "namespaceName": namespace.name,
        "adminUsername": namespace.user,
        "dbName": namespace.database,
        "iamRoles": namespace.roles,
        "status": namespace.status,
        "creationDate": datetime.fromtimestamp(namespace.created, UTC),
    }
    if namespace.default_role is not None:
        shown["defaultIamRoleArn"] = namespace.default_role
    return shown


def _refused(what: str) -> AwsError:
    message = (
        f"The local stack does not implement {what}; docs/local-redshift.md lists what it does"
    )
    return AwsError(NOT_IMPLEMENTED, message, HTTPStatus.NOT_IMPLEMENTED)
