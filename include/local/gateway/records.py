"""What a service keeps of each thing that it runs: a dataclass in a file of its own."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

_FILE = "record.json"


class Record(Protocol):
    """A dataclass whose members can be written as JSON."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    id: str
    region: str
    created: float


Kept = TypeVar("Kept", bound=Record)


class Records(Generic[Kept]):
    """All records of one kind: a directory for each.

    :param directory: where they are kept.
    :param kind: their dataclass.
    """

    def __init__(self, directory: Path, kind: type[Kept]) -> None:
        self._directory = directory
        self.lock = threading.RLock()
        self._records: dict[str, Kept] = {}
        for path in sorted(directory.glob(f"*/{_FILE}")):
            record = kind(**json.loads(path.read_text()))
            self._records[record.id] = record

    def folder(self, record: Kept, *names: str) -> Path:
        """Name a directory of a record.

        :param record: the record.
        :param names: parts of the path below.
        :returns: the directory, which exists.
        """
        folder = self._directory.joinpath(record.id, *names)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def save(self, record: Kept) -> None:
        """Keep a record as it is now.

        :param record: the record.
        """
        with self.lock:
            self._records[record.id] = record
            path = self.folder(record) / _FILE
            temporary = path.with_suffix(".new")
            temporary.write_text(json.dumps(asdict(record), indent=2))
            temporary.replace(path)

    def find(self, region: str, record_id: str) -> Kept | None:
        """Find a record.

        :param region: its Region.
        :param record_id: its id.
        :returns: the record, None when there is none.
        """
        record = self._records.get(record_id)
        return record if record is not None and record.region == region else None

    def of_region(self, region: str) -> list[Kept]:
        """List records.

        :param region: their Region.
        :returns: the records, the latest first.
        """
        with self.lock:
            found = [record for record in self._records.values() if record.region == region]
        return sorted(found, key=lambda record: record.created, reverse=True)


def plain(request: Mapping[str, Any]) -> Any:
    """Copy the parameters of a request so that they can be kept.

    :param request: the parameters.
    :returns: the same as JSON has it.
    """
    return json.loads(json.dumps(dict(request), default=str))


def page(
    found: Sequence[Any], member: str, parameters: Mapping[str, Any], most: int
) -> dict[str, Any]:
    """Cut a page out of a list.

    :param found: the whole list.
    :param member: what the answer calls it.
    :param parameters: those of the request, with ``nextToken`` and ``maxResults`` if it has them.
    :param most: items on a page, and the most that a request can ask for.
    :returns: the page, and ``nextToken`` if there are more.
    """
    start = int(parameters.get("nextToken") or 0)
    end = start + min(int(parameters.get("maxResults") or most), most)
    more = {"nextToken": str(end)} if end < len(found) else {}
    return {member: found[start:end], **more}
