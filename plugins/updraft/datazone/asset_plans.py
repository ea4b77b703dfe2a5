"""What has to be done about assets and their filters."""

from collections.abc import Iterable, Mapping
from typing import Any

from updraft.datazone.changes import CREATE, REVISE, Change, Plan, Tokens
from updraft.datazone.declaration import Asset, AssetFilter, Declaration
from updraft.datazone.inventory import Inventory
from updraft.datazone.revisions import Revision
from updraft.errors import ArgumentError


def plan_assets(
    declaration: Declaration, inventory: Inventory, tokens: Tokens, *, is_preview: bool
) -> Plan:
    """Find what assets lack.

    :param declaration: what is wanted.
    :param inventory: what there is.
    :param tokens: makes client tokens.
    :param is_preview: whether data sources have not run, which may bring assets.
    :returns: what makes assets, or revises them.
    :raises UpdraftError: when an asset is not there and nothing will make it.
    """
    plan = Plan()
    require_different(inventory, "assets", (one.asset for one in declaration.assets))
    for declared in declaration.assets:
        asset_id = inventory.find_asset(declared.asset)
        if asset_id is not None:
            plan.changes += _revise(declared, asset_id, inventory, tokens)
        elif declared.type is not None:
            plan.changes.append(_create(declared, inventory, tokens))
        elif is_preview and declaration.data_sources:
            plan.notes.append(
                f"{inventory.no_asset(declared.asset)} A run of the data sources may bring it."
            )
        else:
            raise inventory.missing_asset(
                f"{inventory.no_asset(declared.asset)} Give it a 'type' to have it made, or run a "
                "data source that brings it.",
                may_come=bool(declaration.data_sources),
            )
    return plan


def require_different(inventory: Inventory, where: str, references: Iterable[str]) -> None:
    """Check that no asset is named twice, in whichever way.

    :param inventory: what there is.
    :param where: where the references stand, for the error message.
    :param references: as :meth:`Inventory.find_asset` takes them.
    :raises UpdraftError: when two of them lead to one asset.
    """
    seen: dict[str, str] = {}
    for reference in references:
        asset_id = inventory.find_asset(reference)
        if asset_id in seen:
            raise ArgumentError(f"{where}: {seen[asset_id]!r} and {reference!r} are one asset")
        if asset_id is not None:
            seen[asset_id] = reference


def plan_filters(declaration: Declaration, inventory: Inventory, tokens: Tokens) -> Plan:
    """Find what filters lack.

    :param declaration: what is wanted.
    :param inventory: what there is.
    :param tokens: makes client tokens.
    :returns: what makes filters, or changes them.
    :raises UpdraftError: when a filter would have to become one of another kind.
    """
    plan = Plan()
    for declared in declaration.assets:
        asset_id = inventory.find_asset(declared.asset)
        there = inventory.filters(asset_id) if asset_id and declared.filters else {}
        for wanted in declared.filters:
            found = there.get(wanted.name)
            change = (
                _make_filter(declared, wanted, inventory, tokens)
                if found is None
                else _change_filter(declared, wanted, found, inventory)
            )
            plan.changes += [change] if change else []
    return plan


def _create(declared: Asset, inventory: Inventory, tokens: Tokens) -> Change:
    revision = Revision({})
    revision.set("name", declared.name or declared.asset)
    _declare(revision, declared)
    parameters = {
        **revision.parameters,
        "typeIdentifier": declared.type,
        "externalIdentifier": declared.asset,
        "owningProjectIdentifier": inventory.project_id,
    }
    subject = f"asset {declared.asset}"

    def perform() -> None:
        token = tokens.make("create asset", parameters)
        made = inventory.service.request("CreateAsset", subject, clientToken=token, **parameters)
        inventory.known.assets[declared.asset] = made["id"]

    return Change(CREATE, subject, f"type {declared.type}", perform)


def _revise(declared: Asset, asset_id: str, inventory: Inventory, tokens: Tokens) -> list[Change]:
    before = inventory.asset(asset_id)
    revision = Revision(before)
    revision.set("name", declared.name)
    _declare(revision, declared)
    if not revision.differences:
        return []
    parameters = {"identifier": asset_id, **revision.parameters}
    token = tokens.make("revise asset", before["revision"], parameters)
    subject = f"asset {declared.asset}"

    def perform() -> None:
        inventory.service.request("CreateAssetRevision", subject, clientToken=token, **parameters)

    return [Change(REVISE, subject, "; ".join(revision.differences), perform)]


def _declare(revision: Revision, declared: Asset) -> None:
    revision.set("description", declared.description)
    revision.set("glossaryTerms", declared.glossary_terms)
    try:
        revision.set_forms(declared.forms)
    except ArgumentError as error:
        raise ArgumentError(f"asset {declared.asset}: {error}") from None


def _make_filter(asset: Asset, wanted: AssetFilter, inventory: Inventory, tokens: Tokens) -> Change:
    configuration = filter_configuration(wanted)
    subject = _filter_subject(asset, wanted.name)

    def perform() -> None:
        parameters = {
            "assetIdentifier": inventory.need_asset(asset.asset),
            "name": wanted.name,
            "description": wanted.description or None,
            "configuration": configuration,
        }
        token = tokens.make("create filter", parameters)
        inventory.service.request("CreateAssetFilter", subject, clientToken=token, **parameters)

    return Change(CREATE, subject, _described(wanted), perform)


def _change_filter(
    asset: Asset, wanted: AssetFilter, found: Mapping[str, Any], inventory: Inventory
) -> Change | None:
    subject = _filter_subject(asset, wanted.name)
    configuration = filter_configuration(wanted)
    if set(configuration) != set(found["configuration"]):
        raise ArgumentError(
            f"{subject} is one of {'rows' if wanted.columns else 'columns'} in the catalog, which "
            f"can't become one of {'columns' if wanted.columns else 'rows'}; give it another name"
        )
    differences = []
    if _comparable(configuration) != _comparable(found["configuration"]):
        differences.append(_described(wanted))
    old = found.get("description", "").strip()
    if wanted.description is not None and old != wanted.description:
        differences.append(f"description {old!r} -> {wanted.description!r}")
    if not differences:
        return None

    def perform() -> None:
        inventory.service.request(
            "UpdateAssetFilter",
            subject,
            assetIdentifier=found["assetId"],
            identifier=found["id"],
            description=wanted.description,
            configuration=configuration,
        )

    return Change("change", subject, "; ".join(differences), perform)


def filter_configuration(wanted: AssetFilter) -> dict[str, Any]:
    """Write a filter as the API has it.

    :param wanted: the filter.
    :returns: an ``AssetFilterConfiguration``.
    """
    if wanted.rows is None:
        return {"columnConfiguration": {"includedColumnNames": list(wanted.columns or ())}}
    row_filter = wanted.rows.as_row_filter()
    return {"rowConfiguration": {"rowFilter": row_filter, "sensitive": wanted.sensitive}}


def _comparable(configuration: Mapping[str, Any]) -> Any:
    if "columnConfiguration" in configuration:
        return sorted(configuration["columnConfiguration"].get("includedColumnNames") or ())
    rows = configuration["rowConfiguration"]
    return rows["rowFilter"], bool(rows.get("sensitive"))


def _described(wanted: AssetFilter) -> str:
    if wanted.rows is None:
        return f"columns {', '.join(wanted.columns or ())}"
    return f"rows {wanted.rows.text()}" + (" (sensitive)" if wanted.sensitive else "")


def _filter_subject(asset: Asset, name: str) -> str:
    return f"filter {name!r} of {asset.asset}"
