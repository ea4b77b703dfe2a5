"""All operations of the catalog by their names, with tokens, transactions and quotas."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.rate_limit import RateLimit
from include.local.gateway.services.datazone.catalog.asset_filters import AssetFilterOperations
from include.local.gateway.services.datazone.catalog.assets import AssetOperations, Assets
from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    TableReader,
    conflict,
)
from include.local.gateway.services.datazone.catalog.data_products import DataProductOperations
from include.local.gateway.services.datazone.catalog.data_source_runs import (
    DataSourceRunOperations,
)
from include.local.gateway.services.datazone.catalog.data_sources import DataSourceOperations
from include.local.gateway.services.datazone.catalog.documents import (
    Documents,
    Remembered,
    as_text,
)
from include.local.gateway.services.datazone.catalog.grants import GrantOperations
from include.local.gateway.services.datazone.catalog.listings import ListingOperations
from include.local.gateway.services.datazone.catalog.projects import ProjectOperations
from include.local.gateway.services.datazone.catalog.searching import SearchOperations
from include.local.gateway.services.datazone.catalog.subscriptions import SubscriptionOperations

_Function = Callable[[Mapping[str, Any], Caller], dict[str, Any]]

_ASSETS, _SUBSCRIPTION_READS = 20, 8
_QUOTAS = {
    "CreateAsset": _ASSETS,
    "CreateAssetRevision": _ASSETS,
    "CreateDataProduct": _ASSETS,
    "CreateListingChangeSet": _ASSETS,
    "Search": _ASSETS,
    "SearchListings": 16,
    "StartDataSourceRun": _ASSETS,
    "AcceptSubscriptionRequest": 3,
    "CancelSubscription": 3,
    "CreateSubscriptionGrant": 3,
    "CreateSubscriptionRequest": 3,
    "DeleteSubscriptionGrant": 3,
    "RejectSubscriptionRequest": 3,
    "RevokeSubscription": 3,
    "GetSubscription": _SUBSCRIPTION_READS,
    "GetSubscriptionGrant": _SUBSCRIPTION_READS,
    "GetSubscriptionRequestDetails": _SUBSCRIPTION_READS,
    "ListSubscriptionGrants": _SUBSCRIPTION_READS,
    "ListSubscriptionRequests": _SUBSCRIPTION_READS,
    "ListSubscriptions": _SUBSCRIPTION_READS,
}
"""Requests per second, account and Region (user guide, "Quotas for Amazon DataZone")."""


class CatalogOperations:
    """The catalog: everything of DataZone but lineage.

    :param directory: where it is kept.
    :param tables: reads the tables of Glue.
    :param throttling: whether the quotas of requests are enforced.
    :param options: further arguments of :class:`Catalog`; only tests give any.
    """

    def __init__(
        self, directory: Path, tables: TableReader, *, throttling: bool = True, **options: Any
    ) -> None:
        self._documents = Documents(directory / "catalog.sqlite3")
        catalog = Catalog(self._documents, tables, **options)
        assets = Assets(catalog)
        sources = DataSourceOperations(catalog)
        self._runs = DataSourceRunOperations(catalog, assets, sources)
        self._quotas = {name: RateLimit(each) for name, each in _QUOTAS.items() if throttling}
        self._functions: dict[str, _Function] = {
            **_project_functions(ProjectOperations(catalog)),
            **_asset_functions(AssetOperations(catalog, assets), AssetFilterOperations(catalog)),
            **_source_functions(sources, self._runs),
            **_product_functions(
                DataProductOperations(catalog, assets), ListingOperations(catalog)
            ),
            **_subscription_functions(SubscriptionOperations(catalog)),
            **_grant_functions(GrantOperations(catalog)),
            "Search": (search := SearchOperations(catalog)).search,
            "SearchListings": search.search_listings,
        }

    def operations(self) -> dict[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return dict.fromkeys(self._functions, self.answer)

    def answer(self, request: OperationRequest) -> Mapping[str, Any]:
        """Answer a request, as a whole or not at all.

        :param request: the request.
        :returns: members of the answer.
        :raises AwsError: as the service would refuse it.
        """
        quota = self._quotas.get(request.operation)
        if quota is not None and not quota.admits((request.account_id, request.region)):
            message = f"Rate exceeded: {_QUOTAS[request.operation]} requests per second"
            raise AwsError("ThrottlingException", message, HTTPStatus.TOO_MANY_REQUESTS)
        given = dict(request.parameters)
        token = given.pop("clientToken", None)
        domain = given.get("domainIdentifier", "")
        with self._documents.transaction():
            if domain:
                self._runs.advance(domain)
        with self._documents.transaction():
            if token is None:
                return self._do(request, given)
            return self._do_once(request, given, token)

    def close(self) -> None:
        """Close the documents."""
        self._documents.close()

    def _do(self, request: OperationRequest, given: Mapping[str, Any]) -> dict[str, Any]:
        caller = Caller(request.principal, request.account_id, request.region)
        return self._functions[request.operation](given, caller)

    def _do_once(
        self, request: OperationRequest, given: Mapping[str, Any], token: str
    ) -> dict[str, Any]:
        """Do what is asked for unless it was done for the same token; tokens are not forgotten."""
        domain, text = given.get("domainIdentifier", ""), as_text(given)
        earlier = self._documents.recall(domain, request.operation, token)
        if earlier is None:
            answer = self._do(request, given)
            self._documents.remember(domain, request.operation, token, Remembered(text, answer))
            return answer
        if earlier.request != text:
            raise conflict("The client token has already been used with other parameters")
        if request.operation == "StartDataSourceRun":
            return self._runs.refreshed(earlier.answer)
        return earlier.answer


def _project_functions(projects: ProjectOperations) -> dict[str, _Function]:
    return {
        "CreateDomain": projects.create_domain,
        "GetDomain": projects.get_domain,
        "ListDomains": projects.list_domains,
        "CreateProject": projects.create_project,
        "GetProject": projects.get_project,
        "ListProjects": projects.list_projects,
    }


def _asset_functions(
    assets: AssetOperations, filters: AssetFilterOperations
) -> dict[str, _Function]:
    return {
        "CreateAsset": assets.create,
        "CreateAssetRevision": assets.revise,
        "GetAsset": assets.get,
        "ListAssetRevisions": assets.list_revisions,
        "CreateAssetFilter": filters.create,
        "UpdateAssetFilter": filters.update,
        "GetAssetFilter": filters.get,
        "ListAssetFilters": filters.list_all,
        "DeleteAssetFilter": filters.delete,
    }


def _source_functions(
    sources: DataSourceOperations, runs: DataSourceRunOperations
) -> dict[str, _Function]:
    return {
        "CreateDataSource": sources.create,
        "GetDataSource": sources.get,
        "ListDataSources": sources.list_all,
        "StartDataSourceRun": runs.start,
        "GetDataSourceRun": runs.get,
        "ListDataSourceRuns": runs.list_all,
        "ListDataSourceRunActivities": runs.list_activities,
    }


def _product_functions(
    products: DataProductOperations, listings: ListingOperations
) -> dict[str, _Function]:
    return {
        "CreateDataProduct": products.create,
        "CreateDataProductRevision": products.revise,
        "GetDataProduct": products.get,
        "ListDataProductRevisions": products.list_revisions,
        "CreateListingChangeSet": listings.change,
        "GetListing": listings.get,
    }


def _subscription_functions(subscriptions: SubscriptionOperations) -> dict[str, _Function]:
    return {
        "CreateSubscriptionRequest": subscriptions.request,
        "AcceptSubscriptionRequest": subscriptions.accept,
        "RejectSubscriptionRequest": subscriptions.reject,
        "CancelSubscription": subscriptions.cancel,
        "RevokeSubscription": subscriptions.revoke,
        "GetSubscription": subscriptions.get,
        "GetSubscriptionRequestDetails": subscriptions.get_request,
        "ListSubscriptions": subscriptions.list_all,
        "ListSubscriptionRequests": subscriptions.list_requests,
    }


def _grant_functions(grants: GrantOperations) -> dict[str, _Function]:
    return {
        "CreateEnvironment": grants.create_environment,
        "GetEnvironment": grants.get_environment,
        "CreateSubscriptionGrant": grants.create,
        "DeleteSubscriptionGrant": grants.delete,
        "GetSubscriptionGrant": grants.get,
        "ListSubscriptionGrants": grants.list_all,
    }
