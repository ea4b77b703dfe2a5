"""The operations on applications."""

import re
from collections.abc import Mapping
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import ACCOUNT_ID, Operation, OperationRequest
from include.local.gateway.services.emr.running import moment, validation_error
from include.local.gateway.services.emr_jobs.pages import next_page
from include.local.gateway.services.emr_serverless.applications import (
    CREATED,
    STARTED,
    STARTING,
    STOPPED,
    STOPPING,
    TERMINATED,
    Application,
    Applications,
)

_RELEASE = re.compile(r"emr-\d+\.\d+\.\d+(?:-latest)?")
_ENGINES = {"spark": "Spark", "hive": "Hive"}


class ApplicationOperations:
    """The operations.

    :param applications: the applications.
    """

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CreateApplication": self._create,
            "DeleteApplication": self._delete,
            "GetApplication": self._get,
            "ListApplications": self._list,
            "StartApplication": self._start,
            "StopApplication": self._stop,
            "UpdateApplication": self._update,
        }

    def _create(self, request: OperationRequest) -> Mapping[str, Any]:
        given = dict(request.parameters)
        check_release(given["releaseLabel"])
        engine = _ENGINES.get(given["type"].lower())
        if engine is None:
            raise validation_error(f"Type {given['type']!r} is not one of SPARK, HIVE.")
        given["type"] = engine
        tags = given.pop("tags", {})
        application = self._applications.create(request.region, given, tags)
        return {
            "applicationId": application.id,
            "arn": application_arn(application),
            **_name(application),
        }

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        application = find_application(self._applications, request)
        members = {
            "autoStartConfiguration": {"enabled": True},
            "autoStopConfiguration": {"enabled": True, "idleTimeoutMinutes": 15},
            "architecture": "X86_64",
            **application.request,
        }
        return {
            "application": {
                **members,
                **_common(application),
                "applicationId": application.id,
                "tags": application.tags,
            }
        }

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        states = given.get("states")
        found = [
            {**_common(application), "id": application.id}
            for application in self._applications.of_region(request.region)
            if not states or application.state in states
        ]
        listed, token = next_page(found, given.get("nextToken"), given.get("maxResults", 50))
        return {"applications": listed, **token}

    def _update(self, request: OperationRequest) -> Mapping[str, Any]:
        application = find_application(self._applications, request)
        if application.state not in {CREATED, STOPPED}:
            raise validation_error(
                f"Application {application.id} is {application.state}; it can only be updated "
                "when it is CREATED or STOPPED."
            )
        changes = dict(request.parameters)
        for name in ("applicationId", "clientToken"):
            changes.pop(name)
        if "releaseLabel" in changes:
            check_release(changes["releaseLabel"])
        application.request |= changes
        self._applications.move(application, application.state)
        return self._get(request)

    def _start(self, request: OperationRequest) -> Mapping[str, Any]:
        application = find_application(self._applications, request)
        if application.state in {STARTING, STARTED}:
            return {}
        if application.state not in {CREATED, STOPPED}:
            raise validation_error(
                f"Application {application.id} is {application.state} and cannot be started."
            )
        self._applications.move(application, STARTING)
        return {}

    def _stop(self, request: OperationRequest) -> Mapping[str, Any]:
        application = find_application(self._applications, request)
        if application.state in {CREATED, STOPPED, STOPPING}:
            return {}
        if application.state == TERMINATED or self._applications.is_in_use(application):
            raise validation_error(
                f"Application {application.id} is {application.state}, and cannot be stopped "
                "while it has job runs."
            )
        self._applications.move(application, STOPPING)
        return {}

    def _delete(self, request: OperationRequest) -> Mapping[str, Any]:
        application = find_application(self._applications, request)
        if application.state not in {CREATED, STOPPED}:
            raise validation_error(
                f"Application {application.id} is {application.state}; it must be CREATED or "
                "STOPPED to be deleted."
            )
        self._applications.move(application, TERMINATED)
        return {}


def find_application(applications: Applications, request: OperationRequest) -> Application:
    """Find the application that a request is about.

    :param applications: all applications.
    :param request: the request.
    :returns: the application.
    :raises AwsError: when there is none.
    """
    application_id = request.parameters["applicationId"]
    application = applications.find(request.region, application_id)
    if application is None:
        raise AwsError("ResourceNotFoundException", f"Application {application_id} does not exist")
    return application


def application_arn(application: Application) -> str:
    """Name an application as other services do.

    :param application: the application.
    :returns: its ARN.
    """
    where = f"arn:aws:emr-serverless:{application.region}:{ACCOUNT_ID}"
    return f"{where}:/applications/{application.id}"


def check_release(label: str) -> None:
    """Check a release label.

    :param label: the label.
    :raises AwsError: when it has not the form of one.
    """
    if not _RELEASE.fullmatch(label):
        raise validation_error(f"Release label {label!r} is not valid; give one such as emr-7.5.0.")


def _common(application: Application) -> dict[str, Any]:
    return {
        "arn": application_arn(application),
        "createdAt": moment(application.created),
        "releaseLabel": application.request["releaseLabel"],
        "state": application.state,
        "type": application.request["type"],
        "updatedAt": moment(application.updated),
        **_name(application),
    }


def _name(application: Application) -> dict[str, Any]:
    return {"name": application.request["name"]} if "name" in application.request else {}
