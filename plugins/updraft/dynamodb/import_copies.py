"""Finds the data files of an export that was copied.

Manifests name files by the place where the export wrote them. One that was copied together with
its files still names the originals, which may have changed or belong to somebody else by now: the
files beside the manifest are those that were asked for.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from updraft.dynamodb.counted_nouns import counted
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import StoredObject
from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.native_manifest import ExportSummary
from updraft.dynamodb.service_errors import ServiceError
from updraft.s3_uri import parse_s3_uri

log = logging.getLogger(__name__)


class ObjectLister(Protocol):
    """Lists objects."""

    def objects(self, uri: str) -> Iterable[StoredObject]:
        """List the objects below a prefix, in the order of their keys.

        :param uri: URI of the prefix, with or without a slash at its end.
        :returns: name relative to the prefix and size of each object.
        """


def sizes_of(lister: ObjectLister, uris: Iterable[str]) -> dict[str, int]:
    """Find the sizes of objects.

    :param lister: lists objects.
    :param uris: their URIs.
    :returns: size in bytes by URI, of objects in the same folders too; none of what is missing.
    """
    return {
        f"{folder}/{found.name}": found.size
        for folder in sorted({uri.rpartition("/")[0] for uri in uris})
        for found in lister.objects(folder)
    }


def places_beside(uris: Sequence[str], folder: str) -> tuple[str, dict[str, str]]:
    """Find out where the copies of files would be that a manifest names elsewhere.

    :param uris: URIs of the files.
    :param folder: URI of the folder of the manifest, without a slash at its end.
    :returns: URI of the folder that the original files have in common, and the URI of the copy by
        that of the original.
    """
    folders = [uri.split("/")[:-1] for uri in uris]
    common: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    original = "/".join(common)
    return original, {uri: folder + uri.removeprefix(original) for uri in uris}


def copied_files(
    lister: ObjectLister,
    files: Sequence[DataFile],
    places: Mapping[str, str],
    *,
    manifest: str,
    original: str,
) -> list[DataFile]:
    """Take the copies of files in place of the originals.

    :param lister: lists objects.
    :param files: the files as the manifest names them.
    :param places: URI of the copy by that of the original; others stay where they are.
    :param manifest: URI of the manifest.
    :param original: URI of the folder of the originals.
    :returns: the files with the URIs of the copies.
    :raises ItemFormatError: when a copy is missing.
    """
    folder = manifest.rpartition("/")[0]
    found = sizes_of(lister, places.values())
    missing = [original for original, copy in places.items() if copy not in found]
    moved = [replace(file, uri=places.get(file.uri, file.uri)) for file in files]
    if missing or len({file.uri for file in moved}) < len(moved):
        raise not_copied(lister, missing or list(places), manifest=manifest, original=original)
    log.info(
        "%s names files in %s/; it is a copy, and %s beside it in %s/ are read instead",
        manifest,
        original,
        counted(len(places), "file"),
        folder,
    )
    return moved


def copied_native_files(
    lister: ObjectLister, files: Sequence[DataFile], summary: ExportSummary, *, manifest: str
) -> list[DataFile]:
    """Take the data files of a native export from where its manifests were copied to.

    A full export has them in its own folder, an incremental one in ``data`` beside that.

    :param lister: lists objects.
    :param files: the files as the export names them.
    :param summary: what the export says about itself.
    :param manifest: URI of the ``manifest-summary.json``.
    :returns: the files with the URIs of the copies.
    :raises ItemFormatError: when a copy is missing.
    """
    bucket, key = parse_s3_uri(manifest)
    folder = key.rpartition("/")[0]
    original = summary.manifest_files_key.rpartition("/")[0]
    steps = [
        (_folder(original), _folder(folder)),
        (_folder(original.rpartition("/")[0]), _folder(folder.rpartition("/")[0])),
    ]
    written_to = f"s3://{summary.bucket or bucket}"
    originals, places = [], {}
    for file in files:
        data_key = parse_s3_uri(file.uri).key
        before, here = next(step for step in [*steps, ("", "")] if data_key.startswith(step[0]))
        originals.append(replace(file, uri=f"{written_to}/{data_key}"))
        places[originals[-1].uri] = f"s3://{bucket}/{here}{data_key.removeprefix(before)}"
    return copied_files(
        lister, originals, places, manifest=manifest, original=f"{written_to}/{original}"
    )


def _folder(key: str) -> str:
    return f"{key}/" if key else ""


def not_copied(
    lister: ObjectLister, missing: Sequence[str], *, manifest: str, original: str
) -> ItemFormatError:
    """Say that a manifest was copied without its files.

    :param lister: lists objects.
    :param missing: URIs of the files where the manifest says they are, at least one.
    :param manifest: URI of the manifest.
    :param original: URI of the folder of the originals.
    :returns: the error to raise.
    """
    folder = manifest.rpartition("/")[0]
    more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
    try:
        at_original = sizes_of(lister, missing)
    except ServiceError as error:
        advice = f"Copy them to {folder}/. (Whether they are still there is not known: {error})"
    else:
        if all(uri in at_original for uri in missing):
            advice = f"Import {original}/ instead, or copy the files to {folder}/."
        else:
            advice = f"They are not in {original}/ either: restore them, or export again."
    return ItemFormatError(
        f"{manifest} lies in {folder}/ but names files in {original}/, and {missing[0]}{more} has "
        f"no copy beside the manifest. {advice}"
    )
