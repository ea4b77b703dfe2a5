"""Finds projects, data sources and assets by what people call them."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from updraft.datazone.service import DomainService
from updraft.errors import ArgumentError


def find_project(service: DomainService, reference: str) -> str:
    """Find a project.

    :param service: the domain.
    :param reference: its name or identifier.
    :returns: its identifier.
    :raises UpdraftError: when there is none, with the nearest name.
    """
    projects = list(service.pages("ListProjects", f"domain {service.domain_id}"))
    return _chosen(reference, projects, f"project of domain {service.domain_id}")


def find_data_source(service: DomainService, project_id: str, reference: str) -> str:
    """Find a data source.

    :param service: the domain.
    :param project_id: identifier of its project.
    :param reference: its name or identifier.
    :returns: its identifier.
    :raises UpdraftError: when there is none, with the nearest name.
    """
    found = service.pages("ListDataSources", f"project {project_id}", projectIdentifier=project_id)
    sources = [{**source, "id": source["dataSourceId"]} for source in found]
    return _chosen(reference, sources, f"data source of project {project_id}")


def matching_assets(reference: str, assets: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Find assets.

    :param reference: identifier, external identifier, or the end of that with dots for slashes.
    :param assets: items of Search.
    :returns: the asset with that identifier, else all whose external identifier ends so.
    """
    assets = list(assets)
    for member in ("identifier", "externalIdentifier"):
        exact = [asset for asset in assets if asset.get(member) == reference]
        if exact:
            return exact
    if not _is_dotted(reference):
        return []
    end = reference.replace(".", "/")
    ends = (f"/{end}", f":table/{end}", f":view/{end}")
    return [asset for asset in assets if asset.get("externalIdentifier", "").endswith(ends)]


def nearest(reference: str, names: Iterable[str]) -> str:
    """Suggest what may have been meant.

    :param reference: what was written.
    :param names: what there is.
    :returns: a clause for an error message, empty when nothing is near.
    """
    found = difflib.get_close_matches(reference, list(names), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def short_name(asset: Mapping[str, Any]) -> str:
    """Name an asset as a file would.

    :param asset: item of Search.
    :returns: ``database.table`` for a table of Glue, else its external identifier or its name.
    """
    external = str(asset.get("externalIdentifier", ""))
    _, separator, path = external.rpartition(":table/")
    if separator and ":glue:" in external:
        return path.replace("/", ".")
    return external or str(asset["name"])


def _chosen(reference: str, entries: Sequence[Mapping[str, Any]], what: str) -> str:
    by_id = [entry for entry in entries if entry["id"] == reference]
    found = by_id or [entry for entry in entries if entry["name"] == reference]
    if len(found) == 1:
        return str(found[0]["id"])
    if found:
        ids = ", ".join(str(entry["id"]) for entry in found)
        raise ArgumentError(f"{reference!r} is the name of more than one {what}: {ids}")
    hint = nearest(reference, (str(entry["name"]) for entry in entries))
    raise ArgumentError(f"There is no {what} that is called {reference!r}{hint or '.'}")


def _is_dotted(reference: str) -> bool:
    return "." in reference and "/" not in reference and ":" not in reference
