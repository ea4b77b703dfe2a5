"""Copies objects within S3; takes the place of CopyActivity between two S3DataNodes."""

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.aws.s3_copy import copy_object
from updraft.compat import Context
from updraft.errors import ArgumentError, UpdraftError
from updraft.operators.copy_base import (
    CopyOperator,
    files_below,
    is_directory,
    location,
    require_object,
    uri_of,
)
from updraft.operators.copy_formats import is_gzip, row_format
from updraft.operators.template_arguments import given
from updraft.s3_uri import S3Uri
from updraft.text_formats.byte_streams import UnreadableFileError, encoded
from updraft.text_formats.row_format import RowError, RowFormat, Value

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GZIP_SUFFIX = ".gz"


@dataclass
class _Copied:
    """How much was copied; the rows are counted only where there are rows."""

    size: int = 0
    rows: int | None = None


class CopyS3ToS3Operator(CopyOperator):
    """Copy one object, or all of a directory, within S3.

    In AWS Data Pipeline that is a CopyActivity whose input and output are S3DataNodes. With the
    same format and compression on both sides, S3 copies by itself and nothing is read, whatever
    the size. Otherwise the files go through the worker, in constant memory.

    The provider's ``S3CopyObjectOperator`` and ``S3CopyPrefixOperator`` do the first in one call
    for each object, which S3 refuses above 5 GB, and one object after the other. For one small
    object as it is, take the former.

    Each object appears when it is complete. Their keys depend on those of the source alone, so that
    a retry replaces what an earlier attempt has copied. Other objects of the target stay.

    :param source_s3_uri: an object, ``filePath``; with a slash at its end a directory,
        ``directoryPath``. (templated)
    :param dest_s3_uri: an object; with a slash at its end a directory, where objects keep their
        names. A directory can be copied only to a directory. (templated)
    :param source_format: ``csv``, ``tsv``, ``custom`` or ``regex`` if the format is to change; it
        is copied as it is if neither format is given. (templated)
    :param source_format_options: options of the format, see
        :func:`updraft.text_formats.named_formats.named_format`. (templated)
    :param dest_format: as ``source_format``. (templated)
    :param dest_format_options: as ``source_format_options``. (templated)
    :param source_compression: ``none`` or ``gzip``. (templated)
    :param dest_compression: ``none`` or ``gzip``. If it is another one, objects of a directory get
        or lose ``.gz`` at the end of their names. (templated)
    :param max_concurrency: number of objects that S3 copies at the same time.
    :param kwargs: as of :class:`updraft.operators.copy_base.CopyOperator`.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "source_s3_uri",
        "dest_s3_uri",
        "source_format",
        "source_format_options",
        "dest_format",
        "dest_format_options",
        "source_compression",
        "dest_compression",
    )

    def __init__(
        self,
        *,
        source_s3_uri: str,
        dest_s3_uri: str,
        source_format: str | None = None,
        source_format_options: Mapping[str, Any] | str | None = None,
        dest_format: str | None = None,
        dest_format_options: Mapping[str, Any] | str | None = None,
        source_compression: str | None = "none",
        dest_compression: str | None = "none",
        max_concurrency: int = 8,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_s3_uri = source_s3_uri
        self.dest_s3_uri = dest_s3_uri
        self.source_format = source_format
        self.source_format_options = source_format_options
        self.dest_format = dest_format
        self.dest_format_options = dest_format_options
        self.source_compression = source_compression
        self.dest_compression = dest_compression
        self.max_concurrency = max_concurrency

    def copy(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - as the base has it
        """Copy the objects.

        :param context: context of the task instance.
        :returns: numbers of ``files``, ``bytes`` written and ``rows``, the last ``None`` if files
            were copied as they are.
        :raises UpdraftError: when it was not possible.
        """
        formats = self._formats()
        unpack = is_gzip("source_compression", self.source_compression)
        pack = is_gzip("dest_compression", self.dest_compression)
        if not isinstance(self.max_concurrency, int) or self.max_concurrency < 1:
            raise ArgumentError(
                f"max_concurrency: {self.max_concurrency!r} is not a whole number above 0"
            )
        self._check_places()
        client = self.client()
        pairs = self._pairs(client, unpack=unpack, pack=pack)
        if formats is None and unpack == pack:
            copied = self._copy_in_s3(client, pairs)
        else:
            copied = self._copy_through_worker(client, pairs, formats, unpack=unpack, pack=pack)
        self.log.info("Copied %s objects, %s bytes", f"{len(pairs):,}", f"{copied.size:,}")
        self.remember_lineage(lambda: self._described(len(pairs), copied))
        return {"files": len(pairs), "bytes": copied.size, "rows": copied.rows}

    def places(self) -> tuple[str | None, str | None]:
        """Say where files are read and written."""
        return self.source_s3_uri, self.dest_s3_uri

    def _formats(self) -> tuple[RowFormat, RowFormat] | None:
        """Make the two formats, ``None`` if they are the same."""
        source, target = given(self.source_format), given(self.dest_format)
        if (source is None) != (target is None):
            raise ArgumentError("source_format, dest_format: only one of them is given")
        if source is None or target is None:
            return None
        formats = (
            row_format("source_format", source, self.source_format_options),
            row_format("dest_format", target, self.dest_format_options),
        )
        return None if formats[0] == formats[1] else formats

    def _check_places(self) -> None:
        source = location("source_s3_uri", self.source_s3_uri)
        target = location("dest_s3_uri", self.dest_s3_uri)
        if is_directory(source) and not is_directory(target):
            raise ArgumentError(
                f"dest_s3_uri: {self.dest_s3_uri!r} is one object and {self.source_s3_uri!r} a "
                "directory; a directory has a slash at its end"
            )
        if source.bucket != target.bucket:
            return
        if source == _target(source, target):
            raise ArgumentError(f"dest_s3_uri: {self.dest_s3_uri!r} is where the source is already")
        if is_directory(source) and (
            target.key.startswith(source.key) or source.key.startswith(target.key)
        ):
            raise ArgumentError(
                f"dest_s3_uri: of {self.source_s3_uri!r} and {self.dest_s3_uri!r} one is within "
                "the other; a retry would copy copies"
            )

    def _pairs(self, client: "S3Client", *, unpack: bool, pack: bool) -> list[tuple[S3Uri, S3Uri]]:
        """Find what is copied and where it goes, before anything is written."""
        source = location("source_s3_uri", self.source_s3_uri)
        target = location("dest_s3_uri", self.dest_s3_uri)
        if not is_directory(source):
            require_object(client, "source_s3_uri", source)
            return [(source, _renamed(source, target, unpack=unpack, pack=pack))]
        taken: dict[str, S3Uri] = {}
        pairs = []
        for file in files_below(client, "source_s3_uri", self.source_s3_uri):
            name = file.key.removeprefix(source.key)
            key = target.key + _name(name, unpack=unpack, pack=pack)
            if key in taken:
                raise UpdraftError(
                    f"source_s3_uri: {uri_of(taken[key])} and {uri_of(file)} would both become "
                    f"{uri_of(S3Uri(target.bucket, key))}"
                )
            taken[key] = file
            pairs.append((file, S3Uri(target.bucket, key)))
        return pairs

    def _copy_in_s3(self, client: "S3Client", pairs: Sequence[tuple[S3Uri, S3Uri]]) -> _Copied:
        copied = _Copied()
        watch = self.kill_switch.check
        with ThreadPoolExecutor(min(self.max_concurrency, len(pairs))) as pool:
            try:
                copies = [
                    pool.submit(copy_object, client, source, target, watch=watch)
                    for source, target in pairs
                ]
                for one in as_completed(copies):
                    copied.size += one.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return copied

    def _copy_through_worker(
        self,
        client: "S3Client",
        pairs: Sequence[tuple[S3Uri, S3Uri]],
        formats: tuple[RowFormat, RowFormat] | None,
        *,
        unpack: bool,
        pack: bool,
    ) -> _Copied:
        copied = _Copied(rows=None if formats is None else 0)
        for source, target in pairs:
            if formats is None:
                pieces = self.pieces(client, source, unpack)
                with closing(pieces):
                    copied.size += self.upload(client, target, pieces, pack)
                continue
            rows = self._rows(client, source, formats[0], copied, unpack=unpack)
            with closing(rows):
                try:
                    text = encoded(formats[1].write(rows))
                    copied.size += self.upload(client, target, text, pack)
                except (RowError, UnreadableFileError) as error:
                    if str(error).startswith("s3://"):
                        raise
                    raise RowError(f"{uri_of(source)}: {error}") from error
        return copied

    def _rows(
        self, client: "S3Client", source: S3Uri, form: RowFormat, copied: _Copied, *, unpack: bool
    ) -> Generator[tuple[Value, ...], None, None]:
        for record in self.records(client, source, form, unpack):
            copied.rows = (copied.rows or 0) + 1
            yield record.values

    def _described(self, files: int, copied: _Copied) -> Any:
        from updraft.operators import copy_lineage as lineage  # noqa: PLC0415 - optional

        amount = lineage.Amount(rows=copied.rows, size=copied.size, files=files)
        return lineage.files_lineage(self.source_s3_uri, self.dest_s3_uri, amount)


def _target(source: S3Uri, target: S3Uri) -> S3Uri:
    """Say where a file goes that is copied to a file or directory."""
    if is_directory(source) or not is_directory(target):
        return target
    return S3Uri(target.bucket, target.key + source.key.rpartition("/")[2])


def _renamed(source: S3Uri, target: S3Uri, *, unpack: bool, pack: bool) -> S3Uri:
    place = _target(source, target)
    if not is_directory(target):
        return place
    return S3Uri(place.bucket, _name(place.key, unpack=unpack, pack=pack))


def _name(name: str, *, unpack: bool, pack: bool) -> str:
    if unpack and not pack:
        return name.removesuffix(_GZIP_SUFFIX) or name
    if pack and not unpack and not name.endswith(_GZIP_SUFFIX):
        return f"{name}{_GZIP_SUFFIX}"
    return name
