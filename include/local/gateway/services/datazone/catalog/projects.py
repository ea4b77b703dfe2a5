"""Domains and projects, as far as assets need them."""

import secrets
import string
from collections.abc import Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    conflict,
    page_of,
    picked,
)

_ALPHABET = string.ascii_lowercase + string.digits
_DOMAIN_LENGTH = 14


class ProjectOperations:
    """CreateDomain, GetDomain, ListDomains, CreateProject, GetProject and ListProjects.

    :param catalog: what they work on.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_domain(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Make a domain; it is available at once."""
        identifier = "dzd_" + "".join(secrets.choice(_ALPHABET) for _ in range(_DOMAIN_LENGTH))
        now = self._catalog.clock()
        domain = {
            "id": identifier,
            "arn": f"arn:aws:datazone:{caller.region}:{caller.account_id}:domain/{identifier}",
            "managedAccountId": caller.account_id,
            "rootDomainUnitId": self._catalog.new_id(),
            "domainExecutionRole": f"arn:aws:iam::{caller.account_id}:role/datazone",
            "portalUrl": f"https://{identifier}.datazone.{caller.region}.on.aws",
            "status": "AVAILABLE",
            "domainVersion": "V1",
            "createdAt": now,
            "lastUpdatedAt": now,
            **picked(given, "name", "description", "domainExecutionRole", "domainVersion", "tags"),
        }
        self._catalog.documents.put("", "domain", identifier, domain)
        return picked(domain, *_DOMAIN, "tags")

    def get_domain(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a domain."""
        domain = self._catalog.need_domain(given["identifier"])
        return picked(domain, *_DOMAIN, "tags", "createdAt", "lastUpdatedAt")

    def list_domains(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List the domains."""
        domains = [
            picked(domain, *_DOMAIN_SUMMARY)
            for domain in self._catalog.documents.all("", "domain")
            if given.get("status") in {None, domain["status"]}
        ]
        return page_of(domains, given)

    def create_project(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Make a project, whose name has to be new."""
        domain = given["domainIdentifier"]
        root = self._catalog.need_domain(domain)["rootDomainUnitId"]
        for other in self._catalog.documents.all(domain, "project"):
            if other["name"] == given["name"]:
                raise conflict(f"Project {given['name']!r} exists, as {other['id']}")
        now = self._catalog.clock()
        project = {
            "domainId": domain,
            "id": self._catalog.new_id(),
            "projectStatus": "ACTIVE",
            "createdBy": caller.principal,
            "createdAt": now,
            "lastUpdatedAt": now,
            "domainUnitId": root,
            **picked(given, "name", "description", "glossaryTerms", "domainUnitId"),
        }
        self._catalog.documents.put(domain, "project", project["id"], project)
        return project

    def get_project(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a project."""
        return self._catalog.need(given["domainIdentifier"], "project", given["identifier"])

    def list_projects(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List the projects of a domain, or those of a name."""
        self._catalog.need_domain(given["domainIdentifier"])
        projects = [
            {**picked(project, *_PROJECT_SUMMARY), "updatedAt": project["lastUpdatedAt"]}
            for project in self._catalog.documents.all(given["domainIdentifier"], "project")
            if given.get("name") in {None, project["name"]}
        ]
        return page_of(projects, given)


_DOMAIN = (
    *("id", "rootDomainUnitId", "name", "description", "domainExecutionRole", "arn", "status"),
    *("portalUrl", "domainVersion"),
)
_DOMAIN_SUMMARY = (
    *("id", "name", "description", "arn", "managedAccountId", "status", "portalUrl"),
    *("createdAt", "lastUpdatedAt", "domainVersion"),
)
_PROJECT_SUMMARY = (
    *("domainId", "id", "name", "description", "projectStatus", "createdBy", "createdAt"),
    "domainUnitId",
)
