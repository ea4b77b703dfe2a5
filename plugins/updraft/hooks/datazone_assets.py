"""The assets of a DataZone domain, as far as lineage looks for them."""

import json
from collections.abc import Iterator
from typing import Any

from updraft.errors import UpdraftError
from updraft.hooks.datazone import DataZoneHook

_PAGE = 50
_COMMON_FORM = "AssetCommonDetailsForm"


def source_identifiers(hook: DataZoneHook, domain_id: str) -> Iterator[str]:
    """List what lineage finds the assets of a domain by.

    :param hook: access to DataZone.
    :param domain_id: id of the domain.
    :returns: the source identifier of each asset that the caller's projects own; of an asset
        without one, its external identifier.
    :raises UpdraftError: when DataZone refuses, or gives no answer.

    .. seealso:: https://docs.aws.amazon.com/datazone/latest/APIReference/API_Search.html
    """
    for project in _pages(hook, "list_projects", domainIdentifier=domain_id):
        items = _pages(
            hook,
            "search",
            domainIdentifier=domain_id,
            owningProjectIdentifier=project["id"],
            searchScope="ASSET",
            additionalAttributes=["FORMS"],
        )
        for item in items:
            asset = item.get("assetItem") or {}
            identifier = _of_forms(asset) or asset.get("externalIdentifier")
            if identifier:
                yield str(identifier)


def _of_forms(asset: dict[str, Any]) -> str | None:
    for form in (asset.get("additionalAttributes") or {}).get("formsOutput") or ():
        if form.get("formName") == _COMMON_FORM:
            try:
                content = json.loads(form.get("content") or "{}")
            except ValueError:
                return None
            return content.get("sourceIdentifier") if isinstance(content, dict) else None
    return None


def _pages(hook: DataZoneHook, operation: str, **request: Any) -> Iterator[dict[str, Any]]:
    from botocore.exceptions import BotoCoreError, ClientError

    token: str | None = None
    while True:
        more = {"nextToken": token} if token else {}
        try:
            page = getattr(hook.client, operation)(maxResults=_PAGE, **request, **more)
        except (BotoCoreError, ClientError) as error:
            raise UpdraftError(f"DataZone does not list its assets: {error}") from error
        yield from page["items"]
        token = page.get("nextToken")
        if not token:
            return
