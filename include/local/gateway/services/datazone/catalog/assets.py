"""Assets and their revisions."""

from collections.abc import Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.context import (
    Caller,
    Catalog,
    conflict,
    invalid,
    not_found,
    page_of,
    picked,
)
from include.local.gateway.services.datazone.catalog.forms import (
    require_schema_form,
    stored_forms,
)
from include.local.gateway.services.datazone.catalog.listings import listing_of, listing_status

_ANSWER = (
    *("id", "name", "typeIdentifier", "typeRevision", "externalIdentifier", "revision"),
    *("description", "createdAt", "createdBy", "firstRevisionCreatedAt", "firstRevisionCreatedBy"),
    *("glossaryTerms", "owningProjectId", "domainId", "formsOutput", "predictionConfiguration"),
)


class Assets:
    """The assets of all domains; a revision is never changed, but followed by the next.

    :param catalog: where they are.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create(
        self, given: Mapping[str, Any], principal: str, read_only_forms: Any = ()
    ) -> dict[str, Any]:
        """Make an asset.

        :param given: members of CreateAsset.
        :param principal: who makes it.
        :param read_only_forms: forms that the service adds.
        :returns: its first revision.
        :raises AwsError: when the project is not there, the external identifier taken or a form
            wrong.
        """
        domain, project = given["domainIdentifier"], given["owningProjectIdentifier"]
        self._catalog.need(domain, "project", project)
        external = given.get("externalIdentifier")
        if external is not None and self.by_external_identifier(domain, project, external):
            raise conflict(f"Project {project} has an asset with externalIdentifier {external}")
        now = self._catalog.clock()
        asset = {
            **picked(given, "name", "typeIdentifier", "externalIdentifier", "description"),
            **picked(given, "glossaryTerms", "predictionConfiguration"),
            "domainId": domain,
            "id": self._catalog.new_id(),
            "typeRevision": given.get("typeRevision", "1"),
            "revision": "1",
            "owningProjectId": project,
            "createdAt": now,
            "createdBy": principal,
            "firstRevisionCreatedAt": now,
            "firstRevisionCreatedBy": principal,
            "formsOutput": stored_forms(given.get("formsInput", ())),
            "readOnlyFormsOutput": stored_forms(read_only_forms),
        }
        require_schema_form(asset["typeIdentifier"], asset["formsOutput"])
        self._write(asset)
        return asset

    def revise(
        self, given: Mapping[str, Any], principal: str, read_only_forms: Any = None
    ) -> dict[str, Any]:
        """Make the next revision of an asset, which has what is given and nothing else.

        :param given: members of CreateAssetRevision.
        :param principal: who makes it.
        :param read_only_forms: forms that the service adds; None for those that are there.
        :returns: the revision.
        :raises AwsError: when the asset is not there or a form wrong.
        """
        before = self._catalog.need(given["domainIdentifier"], "asset", given["identifier"])
        kept = picked(
            before,
            *("typeIdentifier", "typeRevision", "externalIdentifier", "domainId", "id"),
            *("owningProjectId", "firstRevisionCreatedAt", "firstRevisionCreatedBy"),
        )
        read_only = before["readOnlyFormsOutput"]
        asset = {
            **kept,
            **picked(given, "name", "description", "glossaryTerms", "typeRevision"),
            **picked(given, "predictionConfiguration"),
            "revision": str(int(before["revision"]) + 1),
            "createdAt": self._catalog.clock(),
            "createdBy": principal,
            "formsOutput": stored_forms(given.get("formsInput", ())),
            "readOnlyFormsOutput": (
                read_only if read_only_forms is None else stored_forms(read_only_forms)
            ),
        }
        require_schema_form(asset["typeIdentifier"], asset["formsOutput"])
        self._write(asset)
        return asset

    def by_external_identifier(
        self, domain: str, project: str, external: str
    ) -> dict[str, Any] | None:
        """Find an asset by what it is called where it comes from.

        :param domain: its domain.
        :param project: its project.
        :param external: its external identifier.
        :returns: its latest revision, None when there is none.
        """
        for asset in self._catalog.documents.all(domain, "asset", project):
            if asset.get("externalIdentifier") == external:
                return asset
        return None

    def revision(self, domain: str, key: str, revision: str | None) -> dict[str, Any]:
        """Find a revision of an asset.

        :param domain: its domain.
        :param key: its identifier.
        :param revision: which one; None for the latest.
        :returns: the revision.
        :raises AwsError: ``ResourceNotFoundException`` when there is none.
        """
        latest = self._catalog.need(domain, "asset", key)
        if revision is None:
            return latest
        found = self._catalog.documents.get(domain, "asset_revision", f"{key}/{revision}")
        if found is None:
            raise not_found(f"revision {revision} of asset {key}", domain)
        return found

    def view(self, asset: Mapping[str, Any]) -> dict[str, Any]:
        """Describe a revision as GetAsset does.

        :param asset: the revision.
        :returns: members of the answer.
        """
        answer = picked(asset, *_ANSWER, "readOnlyFormsOutput")
        listing = listing_of(self._catalog, asset["domainId"], asset["id"])
        if listing is not None:
            status = listing_status(self._catalog, listing)
            answer["listing"] = {"listingId": listing["id"], "listingStatus": status}
        return answer

    def _write(self, asset: Mapping[str, Any]) -> None:
        domain, key = asset["domainId"], asset["id"]
        documents = self._catalog.documents
        documents.put(domain, "asset", key, asset, asset["owningProjectId"])
        documents.put(domain, "asset_revision", f"{key}/{asset['revision']}", asset, key)


class AssetOperations:
    """CreateAsset, CreateAssetRevision, GetAsset and ListAssetRevisions.

    :param catalog: what they work on.
    :param assets: the assets.
    """

    def __init__(self, catalog: Catalog, assets: Assets) -> None:
        self._catalog = catalog
        self._assets = assets

    def create(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Make an asset."""
        if given["typeIdentifier"].startswith("amazon.datazone.") and not given.get("formsInput"):
            raise invalid(f"An asset of type {given['typeIdentifier']} needs formsInput")
        return self._assets.view(self._assets.create(given, caller.principal))

    def revise(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Make the next revision of an asset."""
        return self._assets.view(self._assets.revise(given, caller.principal))

    def get(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """Describe a revision of an asset."""
        found = self._assets.revision(
            given["domainIdentifier"], given["identifier"], given.get("revision")
        )
        return self._assets.view(found)

    def list_revisions(self, given: Mapping[str, Any], _caller: Caller) -> dict[str, Any]:
        """List the revisions of an asset, the latest first."""
        domain, key = given["domainIdentifier"], given["identifier"]
        self._catalog.need(domain, "asset", key)
        revisions = [
            picked(one, "domainId", "id", "revision", "createdBy", "createdAt")
            for one in self._catalog.documents.all(domain, "asset_revision", key)
        ]
        return page_of(revisions[::-1], given)
