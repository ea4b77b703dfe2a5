"""What has to be done about data products."""

from typing import Any

from updraft.datazone.asset_plans import require_different
from updraft.datazone.changes import CREATE, REVISE, Change, Plan, Tokens
from updraft.datazone.declaration import DataProduct, Declaration
from updraft.datazone.inventory import Inventory
from updraft.datazone.names import short_name
from updraft.datazone.revisions import Revision
from updraft.errors import ArgumentError


def plan_products(
    declaration: Declaration,
    inventory: Inventory,
    tokens: Tokens,
    before: Plan,
    *,
    is_preview: bool,
) -> Plan:
    """Find what data products lack.

    :param declaration: what is wanted.
    :param inventory: what there is.
    :param tokens: makes client tokens.
    :param before: what is planned about assets, which may not be there yet.
    :param is_preview: whether data sources have not run, which may bring assets.
    :returns: what makes data products, or revises them.
    :raises UpdraftError: when an asset is not there and nothing will make it.
    """
    plan = Plan()
    for declared in declaration.data_products:
        require_different(inventory, f"data product {declared.name}", declared.assets)
        may_come = is_preview and declaration.data_sources
        for name in declared.assets:
            is_there = inventory.find_asset(name) is not None
            if not (is_there or may_come or before.revises(f"asset {name}")):
                raise inventory.missing_asset(
                    f"data product {declared.name}: {inventory.no_asset(name)}",
                    may_come=bool(declaration.data_sources),
                )
        product_id = inventory.find_product(declared.name)
        if product_id is None:
            plan.changes.append(_create(declared, inventory, tokens))
        else:
            plan.changes += _revise(declared, product_id, inventory, tokens, before)
    return plan


def _create(declared: DataProduct, inventory: Inventory, tokens: Tokens) -> Change:
    subject = f"data product {declared.name}"
    revision = Revision({})
    revision.set("name", declared.name)
    _declare(revision, declared)

    def perform() -> None:
        parameters = {
            **revision.parameters,
            "owningProjectIdentifier": inventory.project_id,
            "items": [_item(inventory.need_asset(name)) for name in declared.assets],
        }
        token = tokens.make("create data product", parameters)
        made = inventory.service.request(
            "CreateDataProduct", subject, clientToken=token, **parameters
        )
        inventory.known.products[declared.name] = made["id"]

    return Change(CREATE, subject, f"assets {', '.join(declared.assets)}", perform)


def _revise(
    declared: DataProduct, product_id: str, inventory: Inventory, tokens: Tokens, planned: Plan
) -> list[Change]:
    subject = f"data product {declared.name}"
    before = inventory.product(product_id)
    revision = Revision(before)
    _declare(revision, declared)
    differences = [*revision.differences, *_asset_differences(declared, before, inventory)]
    revised = [name for name in declared.assets if planned.revises(f"asset {name}")]
    if revised and not differences:
        differences.append(f"new revision of {', '.join(revised)}")
    if not differences:
        return []

    def perform() -> None:
        parameters = {
            "identifier": product_id,
            **revision.parameters,
            "items": [_item(inventory.need_asset(name)) for name in declared.assets],
        }
        # Its assets get no revision, which means the latest; the token has to tell them apart.
        revisions = [inventory.asset(one["identifier"])["revision"] for one in parameters["items"]]
        token = tokens.make("revise data product", before["revision"], parameters, revisions)
        inventory.service.request(
            "CreateDataProductRevision", subject, clientToken=token, **parameters
        )

    return [Change(REVISE, subject, "; ".join(differences), perform)]


def _declare(revision: Revision, declared: DataProduct) -> None:
    revision.set("description", declared.description)
    revision.set("glossaryTerms", declared.glossary_terms)
    try:
        revision.set_forms(declared.forms)
    except ArgumentError as error:
        raise ArgumentError(f"data product {declared.name}: {error}") from None


def _asset_differences(
    declared: DataProduct, before: dict[str, Any], inventory: Inventory
) -> list[str]:
    names = {inventory.find_asset(name): name for name in declared.assets}
    items = {item["identifier"]: item.get("revision") for item in before.get("items", ())}
    differences = [f"+ {name}" for asset_id, name in names.items() if asset_id not in items]
    by_id = {asset["identifier"]: asset for asset in inventory.asset_items}
    for asset_id, revision in items.items():
        if asset_id not in names:
            known = by_id.get(asset_id)
            differences.append(f"- {short_name(known) if known else asset_id}")
        elif revision is not None and inventory.asset(asset_id)["revision"] != revision:
            differences.append(f"new revision of {names[asset_id]}")
    return differences


def _item(asset_id: str) -> dict[str, str]:
    return {"itemType": "ASSET", "identifier": asset_id}
