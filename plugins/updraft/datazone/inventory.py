"""What a project has in the catalog, read once and when it is needed."""

from collections.abc import Mapping
from typing import Any

from updraft.datazone.names import matching_assets, nearest, short_name
from updraft.datazone.service import DomainService
from updraft.errors import ArgumentError, UpdraftError

PUBLISHED = frozenset({"CREATING", "ACTIVE"})


class Known:
    """What holds for a whole run: what there was at its beginning, and what it has made.

    A search for all assets takes many calls, so there is one. What was made since then, a search
    may not find yet anyway.
    """

    def __init__(self) -> None:
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.assets: dict[str, str] = {}
        self.products: dict[str, str] = {}
        self.listings: dict[str, str] = {}
        self.grants: set[str] = set()


class Inventory:
    """Assets, data products, filters and listings of a project, each read once.

    :param service: the domain.
    :param project_id: identifier of the project.
    :param known: what other inventories of the same run have found and made.
    """

    def __init__(self, service: DomainService, project_id: str, known: Known) -> None:
        self.service = service
        self.project_id = project_id
        self.known = known
        self._assets: dict[str, dict[str, Any]] = {}
        self._products: dict[str, dict[str, Any]] = {}
        self._filters: dict[str, dict[str, dict[str, Any]]] = {}
        self._listings: dict[str, dict[str, Any] | None] = {}

    @property
    def asset_items(self) -> list[dict[str, Any]]:
        """All assets of the project, as a search gives them."""
        found = self._search("ASSET")
        return [one["assetItem"] for one in found if "assetItem" in one]

    @property
    def product_items(self) -> list[dict[str, Any]]:
        """All data products of the project, as a search gives them."""
        found = self._search("DATA_PRODUCT")
        return [one["dataProductItem"] for one in found if "dataProductItem" in one]

    @property
    def projects(self) -> list[dict[str, Any]]:
        """All projects of the domain that can be seen."""
        if "PROJECT" not in self.known.items:
            what = f"domain {self.service.domain_id}"
            self.known.items["PROJECT"] = list(self.service.pages("ListProjects", what))
        return self.known.items["PROJECT"]

    def find_asset(self, reference: str) -> str | None:
        """Find an asset.

        :param reference: as :func:`~updraft.datazone.names.matching_assets` takes it.
        :returns: its identifier, None when there is none.
        :raises UpdraftError: when more than one could be meant.
        """
        if reference in self.known.assets:
            return self.known.assets[reference]
        found = matching_assets(reference, self.asset_items)
        if len(found) > 1:
            named = ", ".join(short_name(asset) for asset in found)
            raise ArgumentError(
                f"asset {reference!r} can be any of {named}; write more of the name, or its ARN"
            )
        return str(found[0]["identifier"]) if found else None

    def need_asset(self, reference: str) -> str:
        """Find an asset that has to be there.

        :param reference: as in :meth:`find_asset`.
        :returns: its identifier.
        :raises UpdraftError: when there is none, with the nearest.
        """
        found = self.find_asset(reference)
        if found is None:
            raise ArgumentError(self.no_asset(reference))
        return found

    def missing_asset(self, text: str, *, may_come: bool) -> UpdraftError:
        """Make the error for an asset that is not there.

        :param text: what is wrong.
        :param may_come: whether a data source has just run. Then a search may be behind, and a
            retry finds the asset.
        :returns: the error, permanent unless the asset may still come.
        """
        if may_come:
            return UpdraftError(f"{text} If a data source has just brought it, a retry finds it.")
        return ArgumentError(text)

    def no_asset(self, reference: str) -> str:
        """Say that an asset is not there.

        :param reference: what was asked for.
        :returns: a sentence with the nearest one that is there.
        """
        names = {short_name(asset) for asset in self.asset_items}
        hint = nearest(reference, names)
        return f"project {self.project_id} has no asset {reference!r}{hint or '.'}"

    def find_product(self, name: str) -> str | None:
        """Find a data product.

        :param name: its name.
        :returns: its identifier, None when there is none.
        :raises UpdraftError: when several have that name.
        """
        if name in self.known.products:
            return self.known.products[name]
        found = [str(one["id"]) for one in self.product_items if one["name"] == name]
        if len(found) > 1:
            raise ArgumentError(f"data product {name!r} is there more than once: {found}")
        return found[0] if found else None

    def asset(self, asset_id: str) -> dict[str, Any]:
        """Describe an asset.

        :param asset_id: its identifier.
        :returns: output of GetAsset.
        """
        if asset_id not in self._assets:
            self._assets[asset_id] = self.service.request(
                "GetAsset", f"asset {asset_id}", identifier=asset_id
            )
        return self._assets[asset_id]

    def product(self, product_id: str) -> dict[str, Any]:
        """Describe a data product.

        :param product_id: its identifier.
        :returns: output of GetDataProduct.
        """
        if product_id not in self._products:
            self._products[product_id] = self.service.request(
                "GetDataProduct", f"data product {product_id}", identifier=product_id
            )
        return self._products[product_id]

    def filters(self, asset_id: str) -> dict[str, dict[str, Any]]:
        """List the filters of an asset.

        :param asset_id: its identifier.
        :returns: output of GetAssetFilter by name.
        """
        if asset_id not in self._filters:
            which = {"assetIdentifier": asset_id}
            listed = self.service.pages("ListAssetFilters", f"asset {asset_id}", **which)
            self._filters[asset_id] = {
                one["name"]: self.service.request(
                    "GetAssetFilter", f"filter {one['name']!r}", identifier=one["id"], **which
                )
                for one in listed
            }
        return self._filters[asset_id]

    def asset_listing(self, asset_id: str) -> dict[str, Any] | None:
        """Describe the listing of an asset.

        :param asset_id: its identifier.
        :returns: output of GetListing, None when it was never published.
        """
        listed = self.asset(asset_id).get("listing")
        return self._listing(asset_id, listed["listingId"] if listed else None)

    def product_listing(self, product_id: str) -> dict[str, Any] | None:
        """Describe the listing of a data product, which only a search leads to.

        :param product_id: its identifier.
        :returns: output of GetListing, None when it is not published.
        """
        known = self.known.listings.get(product_id)
        if product_id not in self._listings and known is None:
            name = self.product(product_id)["name"]
            for one in self.service.pages(
                "SearchListings", f"data product {name!r}", searchText=name
            ):
                listing = one.get("dataProductListing", {})
                if listing.get("entityId") == product_id:
                    known = listing["listingId"]
        return self._listing(product_id, known)

    def _listing(self, entity_id: str, listing_id: str | None) -> dict[str, Any] | None:
        if entity_id not in self._listings:
            self._listings[entity_id] = (
                self.service.request("GetListing", f"listing {listing_id}", identifier=listing_id)
                if listing_id
                else None
            )
        return self._listings[entity_id]

    def _search(self, scope: str) -> list[dict[str, Any]]:
        if scope not in self.known.items:
            self.known.items[scope] = list(
                self.service.pages(
                    "Search",
                    f"project {self.project_id}",
                    searchScope=scope,
                    owningProjectIdentifier=self.project_id,
                )
            )
        return self.known.items[scope]


def listed_revision(listing: Mapping[str, Any]) -> str | None:
    """Say which revision a listing shows.

    :param listing: output of GetListing.
    :returns: the revision of the asset or data product.
    """
    item = listing.get("item", {})
    for kind, member in (
        ("assetListing", "assetRevision"),
        ("dataProductListing", "dataProductRevision"),
    ):
        if kind in item:
            revision: str | None = item[kind].get(member)
            return revision
    return None
