"""Objects of S3 as jobs need them: fetched before, written after."""

import gzip
import logging
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from include.local.gateway.clients import client

_LOG = logging.getLogger(__name__)
SCHEMES = frozenset({"s3", "s3a", "s3n"})


class FetchError(Exception):
    """An object that a job needs can't be read; the text says which and why."""


def is_s3(uri: str) -> bool:
    """Tell objects of S3 from files.

    :param uri: a URI or a path.
    :returns: whether it is one of S3, under any of the schemes that Hadoop has for it.
    """
    return urlsplit(uri).scheme in SCHEMES


def fetch(uri: str, folder: Path, endpoint_url: str, region: str) -> Path:
    """Copy an object into a directory, under the last part of its key.

    :param uri: ``s3://`` URI of the object.
    :param folder: the directory.
    :param endpoint_url: address of the gateway.
    :param region: Region that the request is signed for.
    :returns: the file.
    :raises FetchError: when it can't be read.
    """
    parts = urlsplit(uri.strip())
    path = folder / Path(parts.path).name
    s3: Any = client(endpoint_url, region, "s3")
    try:
        body = s3.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"]
        path.write_bytes(body.read())
    except (BotoCoreError, ClientError) as error:
        raise FetchError(f"{uri} cannot be read: {error}") from error
    return path


def interpreter(script: Path) -> list[str]:
    """Find what runs a script: what its first line says, else bash, as in a shell.

    :param script: the script.
    :returns: the program and its options.
    :raises OSError: when there is no such file.
    """
    with script.open("rb") as file:
        first = file.readline()
    line = first.removeprefix(b"#!").decode(errors="replace") if first.startswith(b"#!") else ""
    return shlex.split(line) or ["bash"]


def upload_logs(folder: Path, prefix: str, endpoint_url: str, region: str) -> None:
    """Copy logs to S3, compressed; a log that can't be written fails no job.

    :param folder: directory whose files are the logs.
    :param prefix: ``s3://`` URI that they go to, as ``<prefix>/<file>.gz``.
    :param endpoint_url: address of the gateway.
    :param region: Region that the requests are signed for.
    """
    parts = urlsplit(prefix.rstrip("/"))
    s3: Any = client(endpoint_url, region, "s3")
    for log in sorted(folder.iterdir()):
        key = f"{parts.path.lstrip('/')}/{log.name}.gz".lstrip("/")
        try:
            s3.put_object(Bucket=parts.netloc, Key=key, Body=gzip.compress(log.read_bytes()))
        except (BotoCoreError, ClientError) as error:
            _LOG.warning("The log s3://%s/%s can't be written: %s", parts.netloc, key, error)
