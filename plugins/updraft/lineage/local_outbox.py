"""An outbox in a directory, for development and as the place of refuge when S3 is unreachable."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from updraft.lineage.outbox import EventKey, ObjectMissingError, Outbox, OutboxError

_BATCH = 100  # files that are open at the same time


class LocalOutbox(Outbox):
    """One file per object. Several processes may write and read at the same time.

    :param location: an absolute path or a ``file://`` URI of a directory, made when first
        written to.
    :raises OutboxError: when the location is neither.
    """

    def __init__(self, location: str | Path) -> None:
        self.directory = _directory(location)
        super().__init__(self.directory.as_uri())

    def write(self, name: str, body: bytes) -> None:
        """Store a file so that it survives a power cut and is never seen half written."""
        path = self.directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The leading dot hides the file from `names` until it has its final name.
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=".", suffix=".partial", delete=False
            ) as file:
                temporary = Path(file.name)
                try:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                    temporary.replace(path)
                except BaseException:
                    temporary.unlink(missing_ok=True)
                    raise
            _sync_directory(path.parent)
        except OSError as error:
            raise OutboxError(f"cannot write {path}: {error.strerror or error}") from error

    def put_events(self, events: Sequence[tuple[EventKey, bytes]]) -> None:
        """Store many files for the price of few: the disk is waited for once, for all of them."""
        for at in range(0, len(events), _BATCH):
            try:
                self._write_batch(events[at : at + _BATCH])
            except OSError as error:
                where = error.filename or self.directory
                raise OutboxError(f"cannot write {where}: {error.strerror or error}") from error

    def _write_batch(self, events: Sequence[tuple[EventKey, bytes]]) -> None:
        written: list[tuple[Path, Path, int]] = []
        try:
            for key, body in events:
                path = self.directory / str(key)
                if not written or path.parent != written[-1][1].parent:
                    path.parent.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                written.append((temporary, path, descriptor))
                with open(descriptor, "wb", closefd=False) as file:
                    file.write(body)
            for temporary, path, descriptor in written:
                os.fsync(descriptor)
                temporary.replace(path)
        finally:
            for temporary, _, descriptor in written:
                os.close(descriptor)
                temporary.unlink(missing_ok=True)
        for directory in {path.parent for _, path, _ in written}:
            _sync_directory(directory)

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        try:
            return (self.directory / name).read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissingError(f"there is no {name} in {self.uri}") from error
        except OSError as error:
            raise OutboxError(f"cannot read {error.filename}: {error.strerror}") from error

    def delete(self, name: str) -> None:
        """Remove a file if it is there."""
        try:
            (self.directory / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutboxError(f"cannot delete {error.filename}: {error.strerror}") from error

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Walk the directories in order, with the names of one directory in memory at a time."""
        yield from self._walk(self.directory / prefix, prefix, after)

    def _walk(self, directory: Path, prefix: str, after: str) -> Iterator[str]:
        try:
            with os.scandir(directory) as entries:
                # A directory sorts as S3 would sort the keys below it.
                found = sorted(
                    entry.name + "/" if entry.is_dir() else entry.name
                    for entry in entries
                    if not entry.name.startswith(".")
                )
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutboxError(f"cannot list {directory}: {error.strerror}") from error
        for entry_name in found:
            name = prefix + entry_name
            if entry_name.endswith("/"):
                if name > after or after.startswith(name):
                    yield from self._walk(directory / entry_name, name, after)
            elif name > after:
                yield name


def _directory(location: str | Path) -> Path:
    parts = urlsplit(str(location))
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        path = Path(unquote(parts.path))
    elif not parts.scheme:
        path = Path(location)
    else:
        path = Path()
    if not path.is_absolute():
        raise OutboxError(
            f"{str(location)!r} is not a directory for an outbox; give an absolute path or a "
            f"URI such as file:///var/lib/updraft/outbox"
        )
    return path


def _sync_directory(directory: Path) -> None:
    # Some file systems refuse to sync a directory; the file itself is safe by then.
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
