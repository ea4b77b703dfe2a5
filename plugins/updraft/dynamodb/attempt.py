"""The files of one attempt at an export, and how one of several attempts becomes the result.

Every name is a function of the export's identity, the attempt, the segment and the number of the
file within it. So files of others are recognised as such, and an attempt that lives on after it
was given up can spoil nothing: each writes files of its own, and the first to create the manifest
decides whose files count.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from updraft.dynamodb.destination import Destination
from updraft.dynamodb.manifest import MANIFEST, render_manifest
from updraft.errors import UpdraftError

log = logging.getLogger(__name__)

_METADATA_PREFIX = "updraft-"


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
    """

    manifest: str
    items: int
    bytes: int
    files: int
    table_arn: str


class Attempt:
    """One attempt at one export.

    :param destination: where the files go.
    :param export_id: identity of the export, the same in each attempt; it begins every file name.
    :param number: number of the attempt, higher than that of every earlier one.
    :param table_arn: ARN of the table, to recognise an earlier result as one of the same table.
    """

    def __init__(
        self, destination: Destination, export_id: str, number: int, table_arn: str
    ) -> None:
        self._destination = destination
        self._export_id = export_id
        self._number = number
        self._table_arn = table_arn
        self._name_of_export = re.compile(rf"{re.escape(export_id)}_\d+_\d{{5,}}_\d{{5,}}")

    def file_name(self, segment: int, part: int) -> str:
        """Name a data file.

        :param segment: number of the segment, from 0.
        :param part: number of the file within the segment, from 0.
        :returns: its name below the prefix.
        """
        return f"{self._name_prefix(self._number)}{segment:05d}_{part:05d}"

    def adopt(self) -> ExportResult | None:
        """Look for the result of another attempt.

        :returns: the result, ``None`` when there is none whose files are all there.
        :raises DestinationOccupiedError: when the prefix holds objects of somebody else.
        """
        # The manifest before the list: its files are older, so the list has them all.
        metadata = self._destination.metadata(MANIFEST)
        found: dict[str, int] = {}
        for name, size in self._destination.objects():
            if self._name_of_export.fullmatch(name):
                found[name] = size
            elif name != MANIFEST and (name or size):  # "" marks a folder made in the S3 console
                raise self._occupied(name)
        if metadata is None:
            return None
        details = _details(metadata)
        if (details.get("export"), details.get("table")) != (self._export_id, self._table_arn):
            raise self._occupied(MANIFEST)
        winner = int(details["attempt"])
        result = ExportResult(
            manifest=self._manifest_uri,
            items=int(details["items"]),
            bytes=int(details["bytes"]),
            files=int(details["files"]),
            table_arn=self._table_arn,
        )
        sizes = [size for name, size in found.items() if name.startswith(self._name_prefix(winner))]
        if (len(sizes), sum(sizes)) != (result.files, result.bytes):
            log.warning("%s is there, but its files have changed; exporting again", result.manifest)
            self._destination.delete([MANIFEST])
            return None
        log.info("%s was completed by attempt %d of this run", result.manifest, winner)
        self._remove_all_but(winner)
        return result

    def complete(self, sizes: Mapping[str, int], items: int) -> ExportResult:
        """Create the manifest, unless another attempt was faster; then its result is adopted.

        :param sizes: size in bytes of each file that this attempt wrote.
        :param items: number of items in them.
        :returns: the result that counts.
        :raises UpdraftError: when the files are no longer those that were written.
        """
        result = ExportResult(
            manifest=self._manifest_uri,
            items=items,
            bytes=sum(sizes.values()),
            files=len(sizes),
            table_arn=self._table_arn,
        )
        stored = dict(self._destination.objects(self._name_prefix(self._number)))
        if stored == sizes and self._create_manifest(sorted(sizes), result):
            self._remove_all_but(self._number)
            return result
        adopted = self.adopt()
        if adopted is None:
            raise UpdraftError(
                f"The files below {self._destination.uri} are not those that attempt "
                f"{self._number} wrote: something else writes or deletes there. Find out what, and "
                "run the task again."
            )
        return adopted

    def remove_own_files(self) -> None:
        """Remove the files and open uploads of this attempt.

        :raises UpdraftError: when that is not possible.
        """
        self._remove(self._number)

    def clean_up(self) -> None:
        """Remove what this attempt left when it failed, unless its manifest exists.

        What cannot be removed is logged: the error that led here says more than one about the
        cleaning.
        """
        try:
            details = _details(self._destination.metadata(MANIFEST) or {})
            own = (self._export_id, str(self._number))
            if (details.get("export"), details.get("attempt")) != own:
                self._remove(self._number)
        except UpdraftError as error:
            log.warning("Files of the failed attempt remain: %s", error)

    @property
    def _manifest_uri(self) -> str:
        return f"{self._destination.uri}/{MANIFEST}"

    def _name_prefix(self, attempt: int) -> str:
        return f"{self._export_id}_{attempt}_"

    def _occupied(self, name: str) -> DestinationOccupiedError:
        return DestinationOccupiedError(
            f"{self._destination.uri} already holds {name!r}, which this run did not write. Choose "
            "an empty prefix, such as one with the date of the run in it, or remove what is there."
        )

    def _create_manifest(self, names: list[str], result: ExportResult) -> bool:
        details = {
            "export": self._export_id,
            "attempt": self._number,
            "table": self._table_arn,
            "items": result.items,
            "bytes": result.bytes,
            "files": result.files,
        }
        return self._destination.create(
            MANIFEST,
            render_manifest(f"{self._destination.uri}/{name}" for name in names),
            {f"{_METADATA_PREFIX}{key}": str(value) for key, value in details.items()},
        )

    def _remove(self, attempt: int) -> None:
        prefix = self._name_prefix(attempt)
        try:
            aborted = self._destination.abort_uploads(prefix)
        finally:  # files are worth removing whatever became of the uploads
            names = [name for name, _ in self._destination.objects(prefix)]
            self._destination.delete(names)
        if aborted or names:
            log.info(
                "Attempt %d: aborted %d uploads, deleted %d files", attempt, aborted, len(names)
            )

    def _remove_all_but(self, winner: int) -> None:
        """Remove what this attempt and those before it left, now that a result exists.

        A later attempt may be going on; it will find the result and remove its files itself.
        """
        try:
            for attempt in range(self._number + 1):
                if attempt != winner:
                    self._remove(attempt)
        except UpdraftError as error:
            log.warning("Files that the manifest does not name remain: %s", error)


def _details(metadata: Mapping[str, str]) -> dict[str, str]:
    """Pick what Updraft has noted at a manifest."""
    return {
        key.removeprefix(_METADATA_PREFIX): value
        for key, value in metadata.items()
        if key.startswith(_METADATA_PREFIX)
    }
