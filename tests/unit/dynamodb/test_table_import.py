"""Imports that fail anywhere, and the retry that has to end with the same table."""

import io
import json
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.dynamodb import block_ledger
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import Content
from updraft.dynamodb.formats import ItemFormatError, create_format
from updraft.dynamodb.import_ledger import ImportLedger
from updraft.dynamodb.import_totals import ChangedExportError, ExportTotals
from updraft.dynamodb.item_writer import WriteOutcome
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.rejected_records import RejectedRecords
from updraft.dynamodb.table import TableDescription
from updraft.dynamodb.table_import import RejectedRecordError, TableImport
from updraft.errors import UpdraftError

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
TABLE = TableDescription(ARN, {"id": "S"}, 100, 100, 0, 0, "id-1")


class Files:
    """Files in memory."""

    def __init__(self, *contents):
        self.contents = {f"s3://bucket/in/{n}": content for n, content in enumerate(contents)}
        self.opened = []

    @property
    def listed(self):
        return [DataFile(uri, len(content)) for uri, content in self.contents.items()]

    def open(self, file):
        self.opened.append(file.uri)
        return io.BytesIO(self.contents[file.uri])


class Folder:
    """A prefix whose objects are in memory."""

    uri = "s3://bucket/notes"

    def __init__(self):
        self.files = {}

    def read(self, name):
        return Content(self.files[name], {}) if name in self.files else None

    def upload(self, name, content):
        self.files[name] = content.read()


class Table:
    """A table in memory that refuses some items, and fails for good at a given batch."""

    replaces = True

    def __init__(self, refused=(), fail_at=None):
        self.items = {}
        self.refused = set(refused)
        self.fail_at = fail_at
        self.batches = 0
        self.lock = threading.Lock()

    def write(self, batch):
        with self.lock:
            if self.batches == self.fail_at:
                raise UpdraftError("the table burnt down")
            self.batches += 1
            refused = {}
            for write in batch:
                if write.key[0] in self.refused:
                    refused[write.key] = "not this one"
                else:
                    self.items[write.key[0]] = write.item
        return WriteOutcome(frozenset(), refused)


@pytest.fixture(autouse=True, scope="module")
def _small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_ledger, "_SAVE_INTERVAL", 0.0)
        yield


def _import(
    files, table, notes, *, rejected=None, attempt=1, threads=3, cancellation=None, items=None
):
    return TableImport(
        table=TABLE,
        files=files.listed,
        item_files=files,
        item_format=create_format("DYNAMODB_JSON_LINES", TABLE.key_types),
        writer=table,
        threads=threads,
        block_records=40,
        ledger=ImportLedger(notes, "id", attempt),
        rejected_records=RejectedRecords(rejected, "id") if rejected else None,
        totals=None if items is None else ExportTotals("s3://bucket/in/manifest", items, 0, 0),
        cancellation=cancellation or Cancellation(),
        progress=Progress(parts="files"),
    )


def _content(*records):
    lines = [json.dumps(record) if isinstance(record, dict) else record for record in records]
    return "".join(f"{line}\n" for line in lines).encode()


def _item(key, version):
    return {"id": {"S": str(key)}, "version": {"N": str(version)}}


def _expected(files):
    table = {}
    for content in files.contents.values():
        for line in content.splitlines():
            item = json.loads(line)
            table[item["id"]["S"]] = item
    return table


@settings(max_examples=40, deadline=None)
@given(
    keys=st.lists(st.lists(st.integers(0, 60), max_size=200), max_size=4),
    fail_at=st.integers(0, 20),
    threads=st.integers(1, 4),
)
def test_after_a_failure_anywhere_a_retry_makes_the_table_whole(keys, fail_at, threads):
    version = iter(range(10_000))
    files = Files(*(_content(*(_item(key, next(version)) for key in file)) for file in keys))
    table, notes = Table(fail_at=fail_at), Folder()
    try:
        result = _import(files, table, notes, threads=threads).run()
    except UpdraftError:
        table.fail_at = None
        result = _import(files, table, notes, attempt=2, threads=threads).run()

    assert table.items == _expected(files)
    assert result.items + result.superseded == sum(map(len, keys))
    assert result.files == len(keys)


def test_a_retry_writes_only_what_is_not_done():
    files = Files(*(_content(*(_item(f"{file}-{n}", n) for n in range(200))) for file in range(3)))
    table, notes = Table(fail_at=15), Folder()
    with pytest.raises(UpdraftError, match="the table burnt down"):
        _import(files, table, notes).run()
    state = json.loads(notes.files["_updraft/import_id.json"])
    assert state["counts"]["items"] >= 200
    table.items.clear()

    result = _import(files, Table(), notes, attempt=2).run()

    assert result.items == 600
    assert files.opened.count("s3://bucket/in/0") == 1
    assert not state["complete"]
    assert json.loads(notes.files["_updraft/import_id.json"])["complete"]


def test_a_complete_import_is_not_made_again():
    files, notes = Files(_content(_item(1, 1))), Folder()
    first = _import(files, Table(), notes).run()
    table = Table()

    second = _import(files, table, notes, attempt=2).run()
    assert second == replace(first, already_imported=True)
    assert not first.already_imported
    assert table.batches == 0


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (1, "attempt 1 of this run has imported everything. To import again, clear the task, or"),
        (
            1_795_410_909,
            "the command of 2026-11-23 05:15:09 UTC has imported everything. To import again, add "
            "--again",
        ),
    ],
)
def test_whoever_repeats_an_import_is_told_how_to_make_it_again(attempt, message, caplog):
    files, notes = Files(_content(_item(1, 1))), Folder()
    _import(files, Table(), notes, attempt=attempt).run()
    _import(files, Table(), notes, attempt=attempt + 1).run()

    assert f"Nothing is written: {message}" in caplog.text


def test_files_that_hold_less_than_their_export_wrote_are_no_success():
    files, notes = Files(_content(*(_item(n, n) for n in range(90)))), Folder()
    for attempt in (1, 2):
        with pytest.raises(
            ChangedExportError, match=r"in/manifest: .* wrote 91 items, but .* hold 90 records"
        ):
            _import(files, Table(), notes, attempt=attempt, items=91).run()
    table = Table()
    files.contents["s3://bucket/in/0"] = files.contents["s3://bucket/in/0"].replace(b"7", b"8")

    result = _import(files, table, notes, attempt=3, items=90).run()

    assert (result.items + result.superseded, table.items) == (90, _expected(files))


@settings(max_examples=20, deadline=None)
@given(fail_at=st.integers(0, 8), missing=st.integers(0, 1))
def test_records_of_all_attempts_count_as_what_the_export_wrote(fail_at, missing):
    records = [_item(n % 50, n) if n % 7 else "no item" for n in range(150)]
    files, notes, rejected = Files(_content(*records)), Folder(), Folder()
    table = Table(fail_at=fail_at)
    arguments = {"rejected": rejected, "items": 150 + missing}
    try:
        result = _import(files, table, notes, **arguments).run()
    except UpdraftError:
        table.fail_at = None
        result = _import(files, table, notes, attempt=2, **arguments).run()

    kept = [
        json.loads(line) for content in rejected.files.values() for line in content.splitlines()
    ]
    of_the_manifest = [entry for entry in kept if entry["file"] == "s3://bucket/in/manifest"]
    assert len(of_the_manifest) == missing
    assert result.rejected == len(kept) == 22 + missing


def test_other_files_are_imported_from_the_beginning():
    notes = Folder()
    _import(Files(_content(_item(1, 1))), Table(), notes).run()
    table = Table()
    _import(Files(_content(_item(1, 1), _item(2, 2))), table, notes, attempt=2).run()

    assert set(table.items) == {"1", "2"}


def test_the_first_record_that_is_none_stops_the_import():
    files = Files(_content(_item(1, 1), "no item", _item(2, 2)))

    with pytest.raises(RejectedRecordError, match=r"s3://bucket/in/0.*\b2\b"):
        _import(files, Table(), Folder()).run()


def test_an_item_that_dynamodb_refuses_stops_the_import():
    files = Files(_content(*(_item(n, n) for n in range(30))))

    with pytest.raises(RejectedRecordError, match="in/0, line 8: DynamoDB refuses the item"):
        _import(files, Table(refused=["7"]), Folder()).run()


@settings(max_examples=30, deadline=None)
@given(
    wrong=st.sets(st.integers(0, 149), max_size=60),
    refused=st.sets(st.integers(0, 149), max_size=10),
    fail_at=st.integers(0, 12),
)
def test_every_rejected_record_is_kept_once_whatever_fails(wrong, refused, fail_at):
    records = ["no item" if n in wrong else _item(n, n) for n in range(150)]
    files = Files(_content(*records[:70]), _content(*records[70:]))
    table = Table(refused=map(str, refused), fail_at=fail_at)
    notes, rejected = Folder(), Folder()
    try:
        result = _import(files, table, notes, rejected=rejected).run()
    except UpdraftError:
        table.fail_at = None
        result = _import(files, table, notes, rejected=rejected, attempt=2).run()

    kept = [
        json.loads(line) for content in rejected.files.values() for line in content.splitlines()
    ]
    places = sorted((entry["file"], entry["position"]) for entry in kept)
    assert places == sorted(
        (f"s3://bucket/in/{n // 70 if n < 140 else 1}", (n if n < 70 else n - 70) + 1)
        for n in wrong | refused
    )
    assert result.rejected == len(wrong | refused)
    assert set(table.items) == {str(n) for n in range(150)} - {str(n) for n in wrong | refused}


def test_a_file_that_breaks_off_is_one_rejected_record():
    class Broken(Files):
        def open(self, file):
            stream = super().open(file)
            if file.uri.endswith("/0"):
                stream.readline = lambda *_: (_ for _ in ()).throw(ItemFormatError("broken"))
                stream.read = stream.readline
            return stream

    files = Broken(_content(_item(1, 1)), _content(_item(2, 2)))
    rejected, table = Folder(), Table()
    result = _import(files, table, Folder(), rejected=rejected).run()

    assert (result.rejected, set(table.items)) == (1, {"2"})
    with pytest.raises(ItemFormatError):
        _import(files, Table(), Folder()).run()


def test_a_stopped_import_notes_how_far_it_is():
    files = Files(_content(*(_item(n, n) for n in range(2_000))))
    cancellation, notes, table = Cancellation(), Folder(), Table()
    write = table.write

    def stop_later(batch):
        if table.batches == 30:
            cancellation.cancel()
        return write(batch)

    table.write = stop_later
    with pytest.raises(CancelledError):
        _import(files, table, notes, cancellation=cancellation).run()
    done = json.loads(notes.files["_updraft/import_id.json"])["counts"]["items"]
    result = _import(files, table, notes, attempt=2).run()

    assert 0 < done < 2_000
    assert result.items == 2_000
    assert len(table.items) == 2_000


def test_attributes_of_all_attempts_are_remembered():
    files = Files(
        _content(*({"id": {"S": str(n)}, f"a{n // 100}": {"N": "1"}} for n in range(400)))
    )
    table, notes = Table(fail_at=10), Folder()
    with pytest.raises(UpdraftError):
        _import(files, table, notes).run()
    table.fail_at = None
    second = _import(files, table, notes, attempt=2)
    second.run()

    assert set(second.attributes.types()) == {"id", "a0", "a1", "a2", "a3"}
