"""Tells ImportTable where the files of an import are and how they are written."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from updraft.choices import choose, unknown_choice
from updraft.dynamodb.import_files import ImportSource, ObjectReader, SourceKind
from updraft.dynamodb.import_source import find_import_source
from updraft.errors import ArgumentError, UpdraftError
from updraft.operators.dynamodb_import_engine import ImportRequest
from updraft.s3_uri import parse_s3_uri

_FORMATS = ("DYNAMODB_JSON", "ION", "CSV")
_COMPRESSIONS = {"NONE": "", "GZIP": ".gz", "ZSTD": ".zst"}
_OPTIONS = {"DYNAMODB_JSON": (), "ION": (), "CSV": ("delimiter", "header_list")}
_NAMED = 3  # objects in an error message


@dataclass(frozen=True)
class NativeImportSource:
    """The files of an import as ImportTable takes them.

    :param parameters: ``S3BucketSource``, ``InputFormat``, ``InputCompressionType`` and, for CSV,
        ``InputFormatOptions``.
    :param files: number of files.
    """

    parameters: Mapping[str, Any]
    files: int


def find_native_import_source(request: ImportRequest, reader: ObjectReader) -> NativeImportSource:
    """Find the files of an import.

    ImportTable reads every object whose key begins with a prefix, so the prefix must cover the
    files of the export and nothing else.

    :param request: what to import.
    :param reader: lists and reads objects.
    :returns: what to tell ImportTable.
    :raises UpdraftError: when ImportTable cannot read the files, or would read others too.
    """
    source = find_import_source(reader, request.s3_uri)
    uris = [file.uri for file in source.files]
    if not uris:
        raise UpdraftError(
            f"{source.uri} holds no items. ImportTable refuses that: create the table instead."
        )
    format_name = _format_name(request, source)
    bucket, prefix = _common_prefix(uris, reader)
    options = request.format_options
    for name in options:
        known = ("compression", *_OPTIONS[format_name])
        if name not in known:
            raise unknown_choice(
                f"option of the format {format_name} with the engine native", name, known
            )
    parameters: dict[str, Any] = {
        "S3BucketSource": {"S3Bucket": bucket, "S3KeyPrefix": prefix},
        "InputFormat": format_name,
        "InputCompressionType": _compression(uris, options.get("compression")),
    }
    if csv := _csv_options(options):
        parameters["InputFormatOptions"] = {"Csv": csv}
    return NativeImportSource(parameters, len(uris))


def _format_name(request: ImportRequest, source: ImportSource) -> str:
    name = request.import_format or source.format_name or "DYNAMODB_JSON"
    if source.summary is not None:
        if source.summary.incremental:
            raise ArgumentError(
                f"{source.uri} is an incremental export, which ImportTable does not take; "
                "engine='worker' applies it to an existing table"
            )
        if name != source.summary.format_name:
            raise ArgumentError(
                f"import_format: {name!r} contradicts {source.uri}, which says "
                f"{source.summary.format_name!r}; leave it out"
            )
    if name not in _FORMATS:
        raise ArgumentError(
            f"import_format: the engine native reads {', '.join(_FORMATS)}, not {name!r}; "
            "engine='worker' reads every format"
        )
    if name == "CSV" and source.kind is SourceKind.LEGACY_MANIFEST:
        raise ArgumentError(
            f"{source.uri} belongs to an export of Updraft, whose CSV files hold types that "
            "ImportTable would take for text; use engine='worker'"
        )
    return name


def _common_prefix(uris: Sequence[str], reader: ObjectReader) -> tuple[str, str]:
    """Find the prefix that the files' keys begin with, and no other object's."""
    places = [parse_s3_uri(uri) for uri in uris]
    bucket = places[0].bucket
    keys = {place.key for place in places}
    if any(place.bucket != bucket for place in places):
        raise ArgumentError(
            f"The files are in several buckets ({_listed({place.bucket for place in places})}), "
            "but ImportTable reads one; use engine='worker'"
        )
    common = posixpath.commonprefix(sorted(keys))
    folder = common[: common.rfind("/") + 1]
    below = {folder + entry.name for entry in reader.objects(f"s3://{bucket}/{folder}")}
    if below == keys and folder:
        return bucket, folder
    if others := {key for key in below if key.startswith(common)} - keys:
        raise UpdraftError(
            f"ImportTable reads every object whose key begins with a prefix, here {common!r} in "
            f"bucket {bucket!r}. Objects that belong to no file of the import begin with it too: "
            f"{_listed(others)}. Remove them, or use engine='worker'."
        )
    return bucket, common


def _compression(uris: Iterable[str], given: str | None) -> str:
    if given is not None:
        choose("compression", given, _COMPRESSIONS)
        return given
    found = {
        next((name for name, end in _COMPRESSIONS.items() if end and uri.endswith(end)), "NONE")
        for uri in uris
    }
    if len(found) > 1:
        raise ArgumentError(
            f"The files are compressed in several ways ({_listed(found)}), but ImportTable takes "
            "one; use engine='worker'"
        )
    return found.pop()


def _csv_options(options: Mapping[str, Any]) -> dict[str, Any]:
    csv: dict[str, Any] = {}
    if "delimiter" in options:
        csv["Delimiter"] = options["delimiter"]
    if "header_list" in options:
        csv["HeaderList"] = list(options["header_list"])
    return csv


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED:,} more" if len(ordered) > _NAMED else ""
    return ", ".join(repr(name) for name in ordered[:_NAMED]) + more
