"""Reads files on S3 as Glue's sources do."""

import bz2
import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3

from awsglue.bookmark import BOOKMARK
from awsglue.refusal import refuse

_CONNECTION_OPTIONS = {"exclusions", "groupFiles", "groupSize", "paths", "recurse"}
_CSV_OPTIONS = {"attachFilename", "quoteChar", "separator", "withHeader"}
_OPEN = {".gz": gzip.decompress, ".bz2": bz2.decompress}


def read(
    spark: Any,
    connection_options: Mapping[str, Any],
    file_format: str,
    format_options: Mapping[str, Any],
    context: str,
) -> Any:
    """Read the files that no earlier run has read.

    :param spark: the session.
    :param connection_options: ``paths`` and ``recurse``; grouping of files changes nothing here.
    :param file_format: ``csv``, ``json`` or ``parquet``.
    :param format_options: options of the format.
    :param context: the ``transformation_ctx``.
    :returns: the frame; one without columns when there are no such files.
    """
    unknown = set(connection_options) - _CONNECTION_OPTIONS | (
        {"exclusions"} & set(connection_options)
    )
    if unknown:
        refuse(f"connection option {', '.join(sorted(unknown))}")
    recurse = bool(connection_options.get("recurse"))
    s3 = boto3.client("s3")
    versions: dict[str, str] = {}
    for path in connection_options["paths"]:
        versions.update(_list(s3, path, recurse=recurse))
    uris = BOOKMARK.only_new(context, versions)
    if not uris:
        return spark.range(0).drop("id")
    if file_format == "csv":
        return _csv(spark, s3, uris, format_options)
    if format_options:
        refuse(f"format option {', '.join(sorted(format_options))} of {file_format}")
    if file_format == "json":
        return spark.read.json(uris)
    if file_format == "parquet":
        return spark.read.parquet(*uris)
    return refuse(f"format {file_format}")


def _list(s3: Any, path: str, *, recurse: bool) -> Iterator[tuple[str, str]]:
    parts = urlsplit(path)
    prefix = parts.path.lstrip("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=parts.netloc, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", ()):
            key = entry["Key"]
            rest = key.removeprefix(prefix)
            if prefix and not prefix.endswith("/") and rest and not rest.startswith("/"):
                continue  # of a neighbour whose name begins alike
            name = key.rpartition("/")[2]
            hidden = not name or name.startswith(("_", "."))
            if hidden or (not recurse and "/" in rest.strip("/")):
                continue
            version = f"{entry['LastModified'].isoformat()} {entry['ETag']}"
            yield f"s3://{parts.netloc}/{key}", version


def _csv(spark: Any, s3: Any, uris: list[str], options: Mapping[str, Any]) -> Any:
    """Read CSV files through this process, which knows the name of each row's file."""
    unknown = set(options) - _CSV_OPTIONS
    if unknown:
        refuse(f"format option {', '.join(sorted(unknown))} of csv")
    quote = options.get("quoteChar", '"')
    reading: dict[str, Any] = {"delimiter": options.get("separator", ",")}
    reading |= {"quoting": csv.QUOTE_NONE} if quote == -1 else {"quotechar": quote}
    csv.field_size_limit(2**31 - 1)
    rows: list[tuple[str, ...]] = []
    header: list[str] | None = None
    for uri in uris:
        read_rows = list(csv.reader(_lines(s3, uri), **reading))
        if options.get("withHeader"):
            own, read_rows = read_rows[0] if read_rows else [], read_rows[1:]
            header = header or own
            if own != header:
                refuse("reading of CSV files with different headers")
        name = (uri,) if options.get("attachFilename") else ()
        rows += [(*row, *name) for row in read_rows if row]
    if not rows:
        return spark.range(0).drop("id")
    attached = [options["attachFilename"]] if options.get("attachFilename") else []
    width = max(map(len, rows)) - len(attached)
    if any(len(row) - len(attached) != width for row in rows):
        refuse("reading of CSV rows of different lengths")
    names = [*(header or [f"col{index}" for index in range(width)]), *attached]
    return spark.createDataFrame(rows, ", ".join(f"`{name}` string" for name in names))


def _lines(s3: Any, uri: str) -> Iterator[str]:
    parts = urlsplit(uri)
    key = uri.removeprefix(f"s3://{parts.netloc}/")
    content = s3.get_object(Bucket=parts.netloc, Key=key)["Body"].read()
    for suffix, decompress in _OPEN.items():
        if key.endswith(suffix):
            content = decompress(content)
    return iter(io.StringIO(content.decode(), newline="\n"))
