"""Data sources: where assets are taken from."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.local.gateway.errors import NOT_IMPLEMENTED, AwsError
from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    conflict,
    invalid,
    page_of,
    picked,
)
from include.local.gateway.services.datazone.catalog.forms import stored_forms

_ANSWER = (
    *("id", "type", "name", "description", "domainId", "projectId", "environmentId"),
    *("connectionId", "configuration", "recommendation", "enableSetting", "publishOnImport"),
    *("assetFormsOutput", "schedule", "lastRunStatus", "lastRunAt", "lastRunErrorMessage"),
    *("createdAt", "updatedAt"),
)
_SUMMARY = (
    *("domainId", "environmentId", "connectionId", "name", "type", "enableSetting", "schedule"),
    *("lastRunStatus", "lastRunAt", "lastRunErrorMessage", "lastRunAssetCount", "createdAt"),
    *("updatedAt", "description"),
)
_NOT_IMPLEMENTED_STATUS = 501


class DataSourceOperations:
    """CreateDataSource, GetDataSource and ListDataSources.

    :param catalog: what they work on.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Make a data source, which becomes ready after a moment."""
        domain, project = given["domainIdentifier"], given["projectIdentifier"]
        self._catalog.need(domain, "project", project)
        if given["type"] != "GLUE":
            message = (
                f"The local stack runs data sources of type GLUE only, not {given['type']}. "
                "docs/local-stack.md says what else it does."
            )
            raise AwsError(NOT_IMPLEMENTED, message, _NOT_IMPLEMENTED_STATUS)
        configuration = given.get("configuration", {})
        if set(configuration) != {"glueRunConfiguration"}:
            raise invalid("A data source of type GLUE needs glueRunConfiguration and no other one")
        for other in self._catalog.documents.all(domain, "data_source", project):
            if other["name"] == given["name"]:
                raise conflict(f"Data source {given['name']!r} exists, as {other['id']}")
        now = self._catalog.clock()
        source = {
            "id": self._catalog.new_id(),
            "domainId": domain,
            "projectId": project,
            **picked(given, "name", "description", "type", "recommendation", "schedule"),
            "enableSetting": given.get("enableSetting", "ENABLED"),
            "publishOnImport": given.get("publishOnImport", False),
            "assetFormsOutput": stored_forms(given.get("assetFormsInput", ())),
            "configuration": {
                "glueRunConfiguration": {
                    "accountId": caller.account_id,
                    "region": caller.region,
                    **configuration["glueRunConfiguration"],
                }
            },
            "createdAt": now,
            "updatedAt": now,
        }
        for ours, theirs in (("environmentId", "environment"), ("connectionId", "connection")):
            if f"{theirs}Identifier" in given:
                source[ours] = given[f"{theirs}Identifier"]
        self._catalog.documents.put(domain, "data_source", source["id"], source, project)
        return {**picked(source, *_ANSWER), "status": self.status(source)}

    def get(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a data source."""
        domain, key = given["domainIdentifier"], given["identifier"]
        source = self._catalog.need(domain, "data_source", key, "data source")
        answer = picked(source, *_ANSWER, "lastRunAssetCount")
        return {**answer, "status": self.status(source)}

    def list_all(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List the data sources of a project."""
        domain, project = given["domainIdentifier"], given["projectIdentifier"]
        self._catalog.need(domain, "project", project)
        filters = {"name": given.get("name"), "type": given.get("type")}
        sources = [
            {
                **picked(source, *_SUMMARY),
                "dataSourceId": source["id"],
                "status": self.status(source),
            }
            for source in self._catalog.documents.all(domain, "data_source", project)
            if all(wanted in {None, source[name]} for name, wanted in filters.items())
        ]
        return page_of(
            [one for one in sources if given.get("status") in {None, one["status"]}], given
        )

    def status(self, source: Mapping[str, Any]) -> str:
        """Say where a data source is.

        :param source: the data source.
        :returns: ``CREATING``, ``RUNNING`` or ``READY``.
        """
        made: datetime = source["createdAt"] + self._catalog.delays.data_source
        if self._catalog.clock() < made:
            return "CREATING"
        return "RUNNING" if source.get("lastRunStatus") in {"REQUESTED", "RUNNING"} else "READY"
