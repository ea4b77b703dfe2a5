"""The files of one attempt at an export, and how the attempts together make one result.

Every name is a function of the export's identity, the attempt, the segment and the number of the
file within it. So files of others are recognised as such, and an attempt that lives on after it
was given up can spoil nothing: each writes files of its own, a segment counts as finished through
the first checkpoint, and the first to create the manifest decides whose files count.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from updraft.dynamodb.attempt_numbers import attempt_in_words
from updraft.dynamodb.attributes import ObservedAttributes
from updraft.dynamodb.destination import Destination
from updraft.dynamodb.manifest import (
    MANIFEST,
    METADATA_PREFIX,
    manifest_details,
    parse_manifest,
    render_manifest,
)
from updraft.dynamodb.segment_checkpoints import SegmentCheckpoint, SegmentCheckpoints
from updraft.errors import UpdraftError

log = logging.getLogger(__name__)

_MAXIMUM_ATTRIBUTES = 1200  # bytes; S3 takes 2 kB of metadata altogether
_IMPORT_RECEIPT = re.compile(r"_updraft/import_[^/]+")


class DestinationOccupiedError(UpdraftError):
    """The prefix already holds something that this export did not write."""


@dataclass(frozen=True)
class ExportResult:
    """What an export wrote.

    :param manifest: URI of the manifest.
    :param items: number of items.
    :param bytes: size of all data files in bytes.
    :param files: number of data files.
    :param table_arn: ARN of the table.
    :param already_exported: whether an earlier attempt has done all of it, so that this one read
        nothing.
    """

    manifest: str
    items: int
    bytes: int
    files: int
    table_arn: str
    already_exported: bool = False


class Attempt:
    """One attempt at one export.

    :param destination: where the files go.
    :param export_id: identity of the export, the same in each attempt; it begins every file name.
    :param number: number of the attempt, higher than that of every earlier one.
    :param table_arn: ARN of the table, to recognise an earlier result as one of the same table.
    :param item_format: identity of the format of the files, see
        :func:`updraft.dynamodb.formats.format_identity`.
    :param file_suffix: what the names of data files end with.
    """

    def __init__(
        self,
        destination: Destination,
        export_id: str,
        number: int,
        *,
        table_arn: str,
        item_format: str,
        file_suffix: str = "",
    ) -> None:
        self._destination = destination
        self._export_id = export_id
        self._number = number
        self._table_arn = table_arn
        self.item_format = item_format
        self._file_suffix = file_suffix
        self._data_file = re.compile(rf"{re.escape(export_id)}_\d+_\d{{5,}}_\d{{5,}}(\.[a-z.]+)?")
        self.checkpoints = SegmentCheckpoints(destination, export_id)
        self.attributes: Mapping[str, Sequence[str]] = {}
        """Type keys of the attributes in the files, by name, once there is a result; none if
        another attempt wrote it and they did not fit into the metadata of the manifest."""

    def file_name(self, segment: int, part: int) -> str:
        """Name a data file.

        :param segment: number of the segment, from 0.
        :param part: number of the file within the segment, from 0.
        :returns: its name below the prefix.
        """
        return f"{self._own_prefix}{segment:05d}_{part:05d}{self._file_suffix}"

    def adopt(self, *, clean: bool = True, discard: bool = False) -> ExportResult | None:
        """Look for the result of another attempt.

        :param clean: whether to remove what a result does not need.
        :param discard: whether to remove a manifest whose files have changed, to export again.
        :returns: the result, ``None`` when there is none whose files are all there.
        :raises DestinationOccupiedError: when the prefix holds objects of somebody else.
        """
        # The manifest before the list: its files are older, so the list has them all.
        manifest = self._destination.read(MANIFEST)
        found: dict[str, int] = {}
        for name, size in self._destination.objects():
            if self._data_file.fullmatch(name):
                found[name] = size
            elif not self._expected_beside_data(name, size):
                raise self._occupied(name)
        if manifest is None:
            return None
        details = manifest_details(manifest.metadata)
        found_copy = (details.get("export"), details.get("table"), details.get("format"))
        if found_copy != (self._export_id, self._table_arn, self.item_format):
            raise self._occupied(MANIFEST)
        result = ExportResult(
            manifest=self._manifest_uri,
            items=int(details["items"]),
            bytes=int(details["bytes"]),
            files=int(details["files"]),
            table_arn=self._table_arn,
        )
        named = self._names(manifest.body)
        sizes = [size for name, size in found.items() if name in named]
        if (len(sizes), sum(sizes)) != (result.files, result.bytes):
            log.warning("%s is there, but its files have changed", result.manifest)
            if discard:
                self._destination.delete([MANIFEST])
            return None
        completed_by = attempt_in_words(int(details["attempt"]))
        log.info("%s was completed by %s", result.manifest, completed_by)
        self.attributes = json.loads(details.get("attributes", "{}"))
        if clean:
            self._remove_superseded(named)
        return result

    def complete(self, segments: Iterable[SegmentCheckpoint]) -> ExportResult:
        """Create the manifest, unless another attempt was faster; then its result is adopted.

        :param segments: the finished segments that have files, whichever attempt wrote them.
        :returns: the result that counts.
        :raises UpdraftError: when the files are no longer those that were written.
        """
        sizes: dict[str, int] = {}
        items = 0
        observed = ObservedAttributes()
        for segment in segments:
            sizes |= segment.sizes
            items += segment.items
            observed.add_types(segment.attributes)
        self.attributes = observed.types()
        result = ExportResult(
            manifest=self._manifest_uri,
            items=items,
            bytes=sum(sizes.values()),
            files=len(sizes),
            table_arn=self._table_arn,
        )
        stored = dict(self._destination.objects(f"{self._export_id}_"))
        intact = all(stored.get(name) == size for name, size in sizes.items())
        if intact and self._create_manifest(sorted(sizes), result):
            self._remove_superseded(sizes)
            return result
        adopted = self.adopt()
        if adopted is None:
            raise UpdraftError(
                f"The files below {self._destination.uri} are not those that attempt "
                f"{self._number} wrote: something else writes or deletes there. Find out what, and "
                "run the task again."
            )
        return adopted

    def remove_unfinished(self) -> None:
        """Remove the files and open uploads of this attempt that no finished segment needs.

        :raises UpdraftError: when that is not possible.
        """
        # In this order: who creates the manifest removes the checkpoints afterwards.
        needed = {name for segment in self._finished() for name in segment.sizes}
        manifest = self._destination.read(MANIFEST)
        if manifest and manifest_details(manifest.metadata).get("export") == self._export_id:
            needed |= self._names(manifest.body)
        try:
            self._destination.abort_uploads(self._own_prefix)
        finally:  # files are worth removing whatever became of the uploads
            names = [
                name
                for name, _ in self._destination.objects(self._own_prefix)
                if name not in needed
            ]
            self._destination.delete(names)

    def clean_up(self) -> None:
        """Remove what this attempt left unfinished when it failed.

        What cannot be removed is logged: the error that led here says more than one about the
        cleaning.
        """
        try:
            self.remove_unfinished()
        except UpdraftError as error:
            log.warning("Files of the failed attempt remain: %s", error)

    @property
    def _own_prefix(self) -> str:
        return f"{self._export_id}_{self._number}_"

    @property
    def _manifest_uri(self) -> str:
        return f"{self._destination.uri}/{MANIFEST}"

    def _finished(self) -> Iterable[SegmentCheckpoint]:
        return self.checkpoints.load(self._table_arn, self.item_format).by_segment.values()

    def _expected_beside_data(self, name: str, size: int) -> bool:
        """Tell whether an object may be where the export goes.

        That is a manifest, a checkpoint, the receipt of an import from here, or the empty object
        of a folder that was made in the S3 console.
        """
        return (
            name == MANIFEST
            or self.checkpoints.owns(name)
            or _IMPORT_RECEIPT.fullmatch(name) is not None
            or (not size and (not name or name.endswith("/")))
        )

    def _occupied(self, name: str) -> DestinationOccupiedError:
        return DestinationOccupiedError(
            f"{self._destination.uri} already holds {name!r}, which this run did not write. Choose "
            "an empty prefix, such as one with the date of the run in it, or remove what is there."
        )

    def _create_manifest(self, names: list[str], result: ExportResult) -> bool:
        details: dict[str, object] = {
            "export": self._export_id,
            "attempt": self._number,
            "table": self._table_arn,
            "format": self.item_format,
            "items": result.items,
            "bytes": result.bytes,
            "files": result.files,
        }
        attributes = json.dumps(self.attributes, separators=(",", ":"))
        if len(attributes) <= _MAXIMUM_ATTRIBUTES:
            details["attributes"] = attributes
        return self._destination.create(
            MANIFEST,
            render_manifest(f"{self._destination.uri}/{name}" for name in names),
            {f"{METADATA_PREFIX}{key}": str(value) for key, value in details.items()},
        )

    def _names(self, manifest: bytes) -> set[str]:
        start = f"{self._destination.uri}/"
        urls = parse_manifest(manifest, self._manifest_uri)
        return {url.removeprefix(start) for url in urls}

    def _remove_superseded(self, needed: Iterable[str]) -> None:
        """Remove what all attempts left, now that a result exists.

        One that is still going on loses its files, finds the result and returns it.
        """
        kept = frozenset(needed)
        try:
            prefix = f"{self._export_id}_"
            self._destination.abort_uploads(prefix)
            self._destination.delete(
                name for name, _ in self._destination.objects(prefix) if name not in kept
            )
            self.checkpoints.remove()
        except UpdraftError as error:
            log.warning("Files that the manifest does not name remain: %s", error)
