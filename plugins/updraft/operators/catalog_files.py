"""Reads the files that declare what is published, from S3 or the DAGs folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.configuration import conf

from updraft.datazone.declaration import Declaration
from updraft.datazone.declaration_file import read_declaration
from updraft.dynamodb.service_errors import explained
from updraft.errors import ArgumentError
from updraft.hooks.s3 import s3_client
from updraft.s3_uri import parse_s3_uri

_LARGEST = 1_000_000  # bytes
_SHOWN = 10


def load_declaration(file: str, hook_parameters: Mapping[str, Any]) -> Declaration:
    """Read a declaration.

    :param file: ``s3://bucket/key``, or a path below the DAGs folder.
    :param hook_parameters: connection, region, verification and botocore configuration.
    :returns: the declaration.
    :raises UpdraftError: when there is no such file, or it declares nothing that can be.
    """
    if not file:
        raise ArgumentError("file: it is missing")
    content = _from_s3(file, hook_parameters) if "://" in file else _from_folder(file)
    if len(content) > _LARGEST:
        raise ArgumentError(f"{file} has more than {_LARGEST} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{file} is not UTF-8: {error}") from None
    return read_declaration(text, file)


def _from_s3(file: str, hook_parameters: Mapping[str, Any]) -> bytes:
    bucket, key = parse_s3_uri(file)
    if not key or key.endswith("/"):
        raise ArgumentError(f"file: {file!r} names no object")
    client = s3_client(**hook_parameters)
    with explained("s3:GetObject", f"file {file}"):
        content: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read(_LARGEST + 1)
    return content


def _from_folder(file: str) -> bytes:
    folder = Path(str(conf.get("core", "dags_folder"))).resolve()
    try:
        path = (folder / file).resolve()
        if not path.is_relative_to(folder):
            raise ArgumentError(f"file: {file!r} is not below the DAGs folder {folder}")
        with path.open("rb") as opened:
            return opened.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        there = sorted(str(one.relative_to(folder)) for one in folder.rglob("*.y*ml"))
        named = f" There are: {', '.join(there[:_SHOWN])}." if there else ""
        raise ArgumentError(
            f"file: {file!r} can't be read from the DAGs folder: {reason}.{named}"
        ) from None
