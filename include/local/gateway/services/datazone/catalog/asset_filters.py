"""Row and column filters of assets."""

from collections.abc import Iterable, Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    conflict,
    invalid,
    over_quota,
    page_of,
    picked,
)
from include.local.gateway.services.datazone.catalog.forms import column_names

MOST = 100
"""Most filters of an asset (user guide, "Quotas for Amazon DataZone")."""

_COMPARISONS = {
    "equalTo": "=",
    "notEqualTo": "<>",
    "greaterThan": ">",
    "lessThan": "<",
    "greaterThanOrEqualTo": ">=",
    "lessThanOrEqualTo": "<=",
    "like": "LIKE",
    "notLike": "NOT LIKE",
}
_SETS = {"in": "IN", "notIn": "NOT IN"}
_NULLS = {"isNull": "IS NULL", "isNotNull": "IS NOT NULL"}
_ANSWER = (
    *("id", "domainId", "assetId", "name", "description", "status", "configuration"),
    *("createdAt", "errorMessage", "effectiveColumnNames", "effectiveRowFilter"),
)


class AssetFilterOperations:
    """CreateAssetFilter, UpdateAssetFilter, GetAssetFilter, ListAssetFilters, DeleteAssetFilter.

    :param catalog: what they work on.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:  # noqa: ARG002
        """Make a filter of an asset."""
        domain, asset_id = given["domainIdentifier"], given["assetIdentifier"]
        asset = self._catalog.need(domain, "asset", asset_id)
        others = self._catalog.documents.all(domain, "asset_filter", asset_id)
        self._require_new_name(given["name"], others)
        if len(others) >= MOST:
            raise over_quota(f"Asset {asset_id} has {MOST} filters, as many as it may have")
        new = {
            **picked(given, "name", "description", "configuration"),
            "id": self._catalog.new_id(),
            "domainId": domain,
            "assetId": asset_id,
            "createdAt": self._catalog.clock(),
        }
        _require_columns(asset, new["configuration"])
        self._catalog.documents.put(domain, "asset_filter", new["id"], new, asset_id)
        return _view(new, asset)

    def update(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Change a filter, but not into one of the other kind."""
        found, asset = self._find(given)
        changed = {**found, **picked(given, "name", "description", "configuration")}
        others = self._catalog.documents.all(found["domainId"], "asset_filter", found["assetId"])
        self._require_new_name(
            changed["name"], [other for other in others if other["id"] != found["id"]]
        )
        if set(changed["configuration"]) != set(found["configuration"]):
            raise invalid(f"Filter {found['id']} can't become one of another kind")
        _require_columns(asset, changed["configuration"])
        self._catalog.documents.put(
            found["domainId"], "asset_filter", found["id"], changed, found["assetId"]
        )
        return _view(changed, asset)

    def get(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a filter."""
        return _view(*self._find(given))

    def list_all(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List the filters of an asset."""
        domain, asset_id = given["domainIdentifier"], given["assetIdentifier"]
        asset = self._catalog.need(domain, "asset", asset_id)
        views = [
            _view(one, asset)
            for one in self._catalog.documents.all(domain, "asset_filter", asset_id)
        ]
        summaries = [
            {name: value for name, value in view.items() if name != "configuration"}
            for view in views
            if given.get("status") in {None, view["status"]}
        ]
        return page_of(summaries, given)

    def delete(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Remove a filter that limits no subscription."""
        found, _ = self._find(given)
        domain, key = found["domainId"], found["id"]
        for subscription in self._catalog.documents.all(domain, "subscription"):
            used = {one for scope in subscription["scopes"] for one in scope["filterIds"]}
            if subscription["status"] == "APPROVED" and key in used:
                raise conflict(f"Filter {key} limits subscription {subscription['id']}")
        self._catalog.documents.remove(domain, "asset_filter", key)
        return {}

    def _find(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        domain, asset_id = given["domainIdentifier"], given["assetIdentifier"]
        asset = self._catalog.need(domain, "asset", asset_id)
        found = self._catalog.need(domain, "asset_filter", given["identifier"])
        if found["assetId"] != asset_id:
            return self._catalog.need(domain, "asset_filter", f"{asset_id}/{found['id']}"), asset
        return found, asset

    def _require_new_name(self, name: str, others: Iterable[Mapping[str, Any]]) -> None:
        if name in {other["name"] for other in others}:
            raise conflict(f"There is a filter {name!r} already")


def _view(found: Mapping[str, Any], asset: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a filter; one over a column that is gone has become invalid."""
    configuration, columns = found["configuration"], column_names(asset) or []
    gone = sorted(_columns_in(configuration) - set(columns))
    view = {**found, "status": "INVALID" if gone else "VALID"}
    if gone:
        view["errorMessage"] = f"The asset has no column {', '.join(gone)}"
    if "columnConfiguration" in configuration:
        wanted = configuration["columnConfiguration"].get("includedColumnNames") or columns
        view["effectiveColumnNames"] = [name for name in columns if name in wanted]
    else:
        view["effectiveRowFilter"] = _condition(configuration["rowConfiguration"]["rowFilter"])
    return picked(view, *_ANSWER)


def _require_columns(asset: Mapping[str, Any], configuration: Mapping[str, Any]) -> None:
    columns = column_names(asset)
    if columns is None:
        raise invalid(f"An asset of type {asset['typeIdentifier']} can't have filters")
    if "rowConfiguration" in configuration:
        _require_whole(configuration["rowConfiguration"]["rowFilter"])
    unknown = sorted(_columns_in(configuration) - set(columns))
    if unknown:
        raise invalid(f"Asset {asset['id']} has no column {', '.join(unknown)}")


def _require_whole(row_filter: Mapping[str, Any]) -> None:
    kind, content = next(iter(row_filter.items()))
    if kind == "expression":
        return
    if not content:
        raise invalid(f"{kind} of a rowFilter is empty")
    for part in content:
        _require_whole(part)


def _columns_in(configuration: Any) -> set[str]:
    if isinstance(configuration, dict):
        own = {configuration["columnName"]} if "columnName" in configuration else set()
        own |= set(configuration.get("includedColumnNames") or ())
        return own.union(*(_columns_in(part) for part in configuration.values()))
    if isinstance(configuration, list):
        return set().union(*(_columns_in(part) for part in configuration))
    return set()


def _condition(row_filter: Mapping[str, Any]) -> str:
    kind, content = next(iter(row_filter.items()))
    if kind != "expression":
        return "(" + f" {kind.upper()} ".join(_condition(part) for part in content) + ")"
    operator, operands = next(iter(content.items()))
    column = f'"{operands["columnName"]}"'
    if operator in _NULLS:
        return f"{column} {_NULLS[operator]}"
    if operator in _SETS:
        return f"{column} {_SETS[operator]} ({', '.join(map(_quoted, operands['values']))})"
    return f"{column} {_COMPARISONS[operator]} {_quoted(operands['value'])}"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
