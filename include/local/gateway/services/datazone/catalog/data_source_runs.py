"""Runs of data sources, which read the Glue Data Catalog and make assets of its tables.

A run has no thread. Whatever is asked about its domain first brings runs forward whose time has
come, so that they go on after the gateway was killed, too.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from include.local.gateway.services.datazone.catalog.assets import Assets
from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    conflict,
    over_quota,
    page_of,
    picked,
)
from include.local.gateway.services.datazone.catalog.data_sources import DataSourceOperations
from include.local.gateway.services.datazone.catalog.forms import COMMON_FORM
from include.local.gateway.services.datazone.catalog.glue_tables import (
    ASSET_TYPE,
    FORM,
    table_arn,
    table_forms,
)
from include.local.gateway.services.datazone.catalog.listings import ASSET, publish

MOST_A_DAY = 25
"""Most runs of a data source on a day (user guide, "Quotas for Amazon DataZone")."""

_GOES_ON = ("REQUESTED", "RUNNING")
_ANSWER = (
    *("domainId", "dataSourceId", "id", "projectId", "status", "type"),
    *("dataSourceConfigurationSnapshot", "runStatisticsForAssets", "errorMessage"),
    *("createdAt", "updatedAt", "startedAt", "stoppedAt"),
)
_SUMMARY = (
    *("id", "dataSourceId", "type", "status", "projectId", "runStatisticsForAssets"),
    *("errorMessage", "createdAt", "updatedAt", "startedAt", "stoppedAt"),
)
_COUNTED = {
    "SUCCEEDED_CREATED": "added",
    "SUCCEEDED_UPDATED": "updated",
    "UNCHANGED": "unchanged",
    "FAILED": "failed",
}


class DataSourceRunOperations:
    """StartDataSourceRun, GetDataSourceRun, ListDataSourceRuns and ListDataSourceRunActivities.

    :param catalog: what they work on.
    :param assets: the assets.
    :param sources: the data sources.
    """

    def __init__(self, catalog: Catalog, assets: Assets, sources: DataSourceOperations) -> None:
        self._catalog = catalog
        self._assets = assets
        self._sources = sources

    def start(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Ask for a run of a data source that is ready and has not run too often."""
        domain, key = given["domainIdentifier"], given["dataSourceIdentifier"]
        source = self._catalog.need(domain, "data_source", key, "data source")
        if source["enableSetting"] == "DISABLED":
            raise conflict(f"Data source {key} is disabled")
        status = self._sources.status(source)
        if status != "READY":
            raise conflict(f"Data source {key} is {status}, not READY")
        now = self._catalog.clock()
        runs = self._catalog.documents.all(domain, "data_source_run", key)
        if sum(run["createdAt"] > now - timedelta(days=1) for run in runs) >= MOST_A_DAY:
            raise over_quota(f"Data source {key} has run {MOST_A_DAY} times within a day")
        run = {
            "domainId": domain,
            "dataSourceId": key,
            "id": self._catalog.new_id(),
            "projectId": source["projectId"],
            "status": "REQUESTED",
            "type": "PRIORITIZED",
            "dataSourceConfigurationSnapshot": json.dumps(source["configuration"]),
            "createdAt": now,
            "updatedAt": now,
            "activities": [],
        }
        self._write(run)
        return picked(run, *_ANSWER)

    def get(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a run."""
        return picked(self._find(given), *_ANSWER)

    def list_all(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List the runs of a data source, the latest first."""
        domain, key = given["domainIdentifier"], given["dataSourceIdentifier"]
        self._catalog.need(domain, "data_source", key, "data source")
        runs = self._catalog.documents.all(domain, "data_source_run", key)[::-1]
        wanted = given.get("status")
        return page_of(
            [picked(run, *_SUMMARY) for run in runs if wanted in {None, run["status"]}], given
        )

    def list_activities(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List what a run did with each table."""
        wanted = given.get("status")
        activities = self._find(given)["activities"]
        return page_of(
            [one for one in activities if wanted in {None, one["dataAssetStatus"]}], given
        )

    def refreshed(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Say where a run is by now that a token was used for before.

        :param answer: what was answered then.
        :returns: the answer of now.
        """
        run = self._catalog.need(answer["domainId"], "data_source_run", answer["id"])
        return picked(run, *_ANSWER)

    def advance(self, domain: str) -> None:
        """Bring the runs of a domain forward to where they are by now.

        :param domain: the domain.
        """
        for run in self._catalog.documents.all(domain, "data_source_run"):
            if run["status"] in _GOES_ON:
                self._advance(run)

    def _advance(self, run: dict[str, Any]) -> None:
        now, delays = self._catalog.clock(), self._catalog.delays
        begins = run["createdAt"] + delays.requested
        ends = begins + delays.running
        if now >= ends:
            self._end({**run, "startedAt": begins, "updatedAt": now, "stoppedAt": now})
        elif now >= begins and run["status"] == "REQUESTED":
            self._write({**run, "status": "RUNNING", "startedAt": begins, "updatedAt": begins})

    def _end(self, run: dict[str, Any]) -> None:
        """Read the tables and make their assets; a database that is not there fails the run."""
        domain = run["domainId"]
        source = self._catalog.need(domain, "data_source", run["dataSourceId"])
        try:
            activities = [
                self._import(source, run, database, table)
                for database, table in self._tables(source)
            ]
        except LookupError as error:
            fault = {"errorType": "RESOURCE_NOT_FOUND_EXCEPTION", "errorDetail": str(error)}
            self._write({**run, "status": "FAILED", "errorMessage": fault})
            return
        counts = Counter(_COUNTED[one["dataAssetStatus"]] for one in activities)
        statistics = {name: counts[name] for name in (*_COUNTED.values(), "skipped")}
        self._write(
            {
                **run,
                "status": "SUCCESS",
                "runStatisticsForAssets": statistics,
                "activities": activities,
            }
        )

    def _tables(self, source: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        configuration = source["configuration"]["glueRunConfiguration"]
        for choice in configuration["relationalFilterConfigurations"]:
            database = choice["databaseName"]
            for table in self._catalog.tables(configuration["region"], database):
                if _is_chosen(table["Name"], choice.get("filterExpressions", ())):
                    yield database, table

    def _import(
        self,
        source: Mapping[str, Any],
        run: Mapping[str, Any],
        database: str,
        table: Mapping[str, Any],
    ) -> dict[str, Any]:
        domain, project = source["domainId"], source["projectId"]
        configuration = source["configuration"]["glueRunConfiguration"]
        arn = table_arn(
            configuration["region"], configuration["accountId"], database, table["Name"]
        )
        forms = table_forms(table, arn)
        before = self._assets.by_external_identifier(domain, project, arn)
        principal = "SYSTEM"
        if before is None:
            given = {
                "domainIdentifier": domain,
                "owningProjectIdentifier": project,
                "name": table["Name"],
                "externalIdentifier": arn,
                "typeIdentifier": ASSET_TYPE,
                "formsInput": forms,
            }
            asset = self._assets.create(given, principal, _reference(source))
            status = "SUCCEEDED_CREATED"
        else:
            asset, status = self._update(before, forms, principal)
        if source["publishOnImport"] and status != "UNCHANGED":
            publish(self._catalog, ASSET, asset, principal)
        now = self._catalog.clock()
        return {
            "database": database,
            "dataSourceRunId": run["id"],
            "technicalName": table["Name"],
            "dataAssetStatus": status,
            "projectId": project,
            "dataAssetId": asset["id"],
            "createdAt": now,
            "updatedAt": now,
        }

    def _update(
        self, before: dict[str, Any], forms: list[dict[str, Any]], principal: str
    ) -> tuple[dict[str, Any], str]:
        """Take over what the table has become, and leave alone what people have written."""
        (technical,) = (form for form in forms if form["formName"] == FORM)
        kept = [
            {**picked(form, "formName", "content"), "typeIdentifier": form["typeName"]}
            for form in before["formsOutput"]
            if form["formName"] != FORM
        ]
        if not any(form["formName"] == COMMON_FORM for form in kept):
            kept += [form for form in forms if form["formName"] == COMMON_FORM]
        old = [form["content"] for form in before["formsOutput"] if form["formName"] == FORM]
        if old == [technical["content"]]:
            return before, "UNCHANGED"
        given = {
            "domainIdentifier": before["domainId"],
            "identifier": before["id"],
            **picked(before, "name", "description", "glossaryTerms"),
            "formsInput": [technical, *kept],
        }
        return self._assets.revise(given, principal), "SUCCEEDED_UPDATED"

    def _find(self, given: Mapping[str, Any]) -> dict[str, Any]:
        domain, key = given["domainIdentifier"], given["identifier"]
        return self._catalog.need(domain, "data_source_run", key, "data source run")

    def _write(self, run: Mapping[str, Any]) -> None:
        """Keep a run, and with its data source how the last one went."""
        domain, key = run["domainId"], run["dataSourceId"]
        documents = self._catalog.documents
        documents.put(domain, "data_source_run", run["id"], run, key)
        source = self._catalog.need(domain, "data_source", key)
        last = {"lastRunStatus": run["status"], "lastRunAt": run["createdAt"]}
        if run.get("activities"):
            last["lastRunAssetCount"] = len(run["activities"])
        source.pop("lastRunErrorMessage", None)
        if "errorMessage" in run:
            last["lastRunErrorMessage"] = run["errorMessage"]
        documents.put(domain, "data_source", key, {**source, **last})


def _is_chosen(name: str, filters: Any) -> bool:
    """Tell whether a table is taken: included if any inclusion names it, and not excluded."""
    included = [one["expression"] for one in filters if one["type"] == "INCLUDE"]
    excluded = [one["expression"] for one in filters if one["type"] == "EXCLUDE"]
    if included and not any(fnmatchcase(name, pattern) for pattern in included):
        return False
    return not any(fnmatchcase(name, pattern) for pattern in excluded)


def _reference(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = {"dataSourceIdentifier": source["id"], "dataSourceType": source["type"]}
    return [{"formName": "DataSourceReferenceForm", "content": json.dumps(content)}]
