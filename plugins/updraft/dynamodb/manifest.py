"""The ``manifest`` object of a legacy export, version 3.

Its presence says that the export is complete: the legacy tool wrote it after all data files, and
its import reads only the files named in it (package ``dynamodb.tools`` of
https://github.com/awslabs/emr-dynamodb-connector).
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from updraft.dynamodb.formats.base import ItemFormatError

MANIFEST = "manifest"
"""Name of the object below the prefix of the export."""

METADATA_PREFIX = "updraft-"
"""What the keys of the user metadata begin with that Updraft notes at a manifest."""

_NAME = "DynamoDB-export"
_VERSION = 3
_S3_SCHEME = re.compile("^s3[an]://")


def render_manifest(urls: Iterable[str]) -> bytes:
    """Write a manifest, line for line as the legacy tool laid it out.

    :param urls: ``s3://`` URL of every data file.
    :returns: the manifest, UTF-8.
    """
    header = json.dumps({"name": _NAME, "version": _VERSION}, separators=(",", ":"))[:-1]
    entries = ",\n".join(
        json.dumps({"url": url, "mandatory": True}, ensure_ascii=False, separators=(",", ":"))
        for url in urls
    )
    return f'{header},\n"entries": [\n{entries}\n]}}'.encode()


def parse_manifest(content: bytes, source: str) -> list[str]:
    """Read a manifest.

    :param content: the object's bytes.
    :param source: its URL for error messages.
    :returns: URLs of the data files, ``s3n://`` and ``s3a://`` rewritten to ``s3://`` as the
        legacy import did.
    :raises ItemFormatError: when it is no manifest of version 3, or names a file twice.
    """
    try:
        manifest = json.loads(content)
    except ValueError as error:
        raise ItemFormatError(f"{source}: the manifest is no JSON: {error}") from error
    version = manifest.get("version") if isinstance(manifest, dict) else None
    if version != _VERSION:
        raise ItemFormatError(
            f"{source}: the manifest has version {version!r}; only version {_VERSION} can be read"
        )
    try:
        urls = [str(_S3_SCHEME.sub("s3://", entry["url"])) for entry in manifest["entries"]]
    except (KeyError, TypeError) as error:
        raise ItemFormatError(
            f"{source}: the manifest lacks its list 'entries' of objects with a 'url'"
        ) from error
    twice = next((url for url, count in Counter(urls).items() if count > 1), None)
    if twice is not None:
        raise ItemFormatError(f"{source}: the manifest names {twice} twice")
    return urls


def manifest_details(metadata: Mapping[str, str]) -> dict[str, str]:
    """Pick what Updraft has noted at a manifest.

    :param metadata: its user metadata, keys in lower case.
    :returns: the notes by name.
    """
    return {
        key.removeprefix(METADATA_PREFIX): value
        for key, value in metadata.items()
        if key.startswith(METADATA_PREFIX)
    }
