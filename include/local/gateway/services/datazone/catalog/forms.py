"""Metadata forms of assets and data products, and the types that assets have."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from include.local.gateway.services.datazone.catalog.context import invalid

COMMON_FORM = "AssetCommonDetailsForm"
SCHEMA_FORMS = {
    "amazon.datazone.GlueTableAssetType": "GlueTableForm",
    "amazon.datazone.GlueViewAssetType": "GlueViewForm",
    "amazon.datazone.RedshiftTableAssetType": "RedshiftTableForm",
    "amazon.datazone.RedshiftViewAssetType": "RedshiftViewForm",
}
"""The form with the columns, by type of asset; a revision has to have it."""

_SYSTEM_FORMS = {
    COMMON_FORM: "amazon.datazone.AssetCommonDetailsFormType",
    "ColumnBusinessMetadataForm": "amazon.datazone.ColumnBusinessMetadataFormType",
    "DataSourceReferenceForm": "amazon.datazone.DataSourceReferenceFormType",
    **{form: f"amazon.datazone.{form}Type" for form in SCHEMA_FORMS.values()},
}


def stored_forms(given: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Read forms as a request has them.

    :param given: forms with ``formName``, ``typeIdentifier``, ``typeRevision`` and ``content``.
    :returns: the same as an answer has them.
    :raises AwsError: ``ValidationException`` when one comes twice, is no JSON or has no type.
    """
    forms: dict[str, dict[str, Any]] = {}
    for form in given:
        name = form["formName"]
        if name in forms:
            raise invalid(f"Form {name!r} is given twice")
        kind = form.get("typeIdentifier") or _SYSTEM_FORMS.get(name)
        if kind is None:
            raise invalid(f"Form {name!r} has no typeIdentifier")
        content = form.get("content", "{}")
        try:
            is_object = isinstance(json.loads(content), dict)
        except ValueError:
            is_object = False
        if not is_object:
            raise invalid(f"The content of form {name!r} is not a JSON object")
        forms[name] = {
            "formName": name,
            "typeName": kind,
            "typeRevision": form.get("typeRevision", "1"),
            "content": content,
        }
    return list(forms.values())


def form_content(entity: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Read a form.

    :param entity: an asset or a data product.
    :param name: name of the form.
    :returns: its content, empty when it has no such form.
    """
    for form in entity.get("formsOutput", ()):
        if form["formName"] == name:
            content: dict[str, Any] = json.loads(form["content"])
            return content
    return {}


def require_schema_form(asset_type: str, forms: Iterable[Mapping[str, Any]]) -> None:
    """Check that an asset of a table has the form with its columns.

    :param asset_type: its type.
    :param forms: its forms.
    :raises AwsError: ``ValidationException`` when the form is missing.
    """
    needed = SCHEMA_FORMS.get(asset_type)
    if needed is not None and needed not in {form["formName"] for form in forms}:
        raise invalid(f"An asset of type {asset_type} needs the form {needed}")


def column_names(asset: Mapping[str, Any]) -> list[str] | None:
    """List the columns of an asset.

    :param asset: the asset.
    :returns: their names; None for an asset that is no table.
    """
    name = SCHEMA_FORMS.get(asset["typeIdentifier"])
    if name is None:
        return None
    columns = form_content(asset, name).get("columns", [])
    return [column["columnName"] for column in columns]
