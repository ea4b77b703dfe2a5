"""What an import remembers, and when it does not believe it."""

import pytest

from updraft.dynamodb.destination import Content
from updraft.dynamodb.import_ledger import (
    ImportCounts,
    ImportLedger,
    ImportState,
    SupersededError,
    fingerprint,
)
from updraft.dynamodb.service_errors import AccessDeniedError

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"


class Folder:
    uri = "s3://bucket/prefix"

    def __init__(self):
        self.files = {}
        self.uploads = 0

    def read(self, name):
        return Content(self.files[name], {}) if name in self.files else None

    def upload(self, name, content):
        self.uploads += 1
        self.files[name] = content.read()


def test_what_was_saved_is_loaded():
    folder = Folder()
    counts = ImportCounts(items=5, deleted=4, skipped=3, superseded=2, rejected=1)
    state = ImportState(table=ARN, source="s", attempt=1, file=3, records=15_000, counts=counts)
    ImportLedger(folder, "id", 1).save(state)

    assert ImportLedger(folder, "id", 2).load(ARN, "s") == state
    assert list(folder.files) == ["_updraft/import_id.json"]


def test_another_attempt_notes_its_number():
    folder = Folder()
    ledger = ImportLedger(folder, "id", 7)
    ledger.save(ImportState(table=ARN, source="s", attempt=1))

    assert ledger.load(ARN, "s").attempt == 7


def _complete(folder, series, attempt=1):
    state = ImportState(table=ARN, source="s", attempt=1, file=3, complete=True)
    ImportLedger(folder, "id", attempt, series).save(state)


@pytest.mark.parametrize(
    ("first", "second", "complete"),
    [("a", "a", True), ("a", "b", False), ("", "b", True), ("a", "", True)],
)
def test_an_import_that_is_complete_is_done_again_by_another_series_of_attempts_only(
    first, second, complete
):
    folder = Folder()
    _complete(folder, first)

    assert ImportLedger(folder, "id", 2, second).load(ARN, "s").complete is complete


def test_another_series_of_attempts_goes_on_with_what_is_not_complete():
    folder = Folder()
    ImportLedger(folder, "id", 1, "a").save(
        ImportState(table=ARN, source="s", attempt=1, file=3, series="a")
    )

    assert ImportLedger(folder, "id", 2, "b").load(ARN, "s").file == 3


def test_a_run_that_was_made_anew_takes_over_what_a_later_attempt_of_the_old_one_has_completed():
    folder = Folder()
    _complete(folder, "a", attempt=2)
    ledger = ImportLedger(folder, "id", 1, "b")

    ledger.save(ledger.load(ARN, "s").model_copy(update={"file": 2}))  # no SupersededError

    assert ImportLedger(folder, "id", 2, "b").load(ARN, "s").file == 2


def test_where_nothing_may_be_written_a_cleared_task_imports_again():
    folder = Folder()
    _complete(folder, "a")

    def refuse(name, content):
        raise AccessDeniedError("no")

    folder.upload = refuse

    assert not ImportLedger(folder, "id", 2, "b").load(ARN, "s").complete


@pytest.mark.parametrize(("arn", "source"), [(ARN + "2", "s"), (ARN, "other")])
def test_progress_on_another_table_or_other_files_does_not_count(arn, source):
    folder = Folder()
    ImportLedger(folder, "id", 1).save(
        ImportState(table=ARN, source="s", attempt=1, file=3, complete=True)
    )
    state = ImportLedger(folder, "id", 2).load(arn, source)

    assert (state.file, state.complete) == (0, False)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"table": 1}', b"\xff"])
def test_a_damaged_ledger_does_not_count(content):
    folder = Folder()
    folder.files["_updraft/import_id.json"] = content

    assert ImportLedger(folder, "id", 1).load(ARN, "s").file == 0


def test_a_place_that_may_not_be_written_is_tried_once(caplog):
    folder = Folder()

    def refuse(name, content):
        folder.uploads += 1
        raise AccessDeniedError("no permission")

    folder.upload = refuse
    ledger = ImportLedger(folder, "id", 1)
    for _ in range(3):
        ledger.save(ImportState(table=ARN, source="s", attempt=1))

    assert folder.uploads == 1
    assert "Set checkpoint_s3_uri to a prefix that may be read and written" in caplog.text


def test_a_place_that_may_not_be_read_is_no_obstacle(caplog):
    folder = Folder()

    def refuse(name):
        raise AccessDeniedError("no permission")

    folder.read = refuse
    ledger = ImportLedger(folder, "id", 1)

    assert ledger.load(ARN, "s").file == 0
    ledger.save(ImportState(table=ARN, source="s", attempt=1))
    assert folder.uploads == 0
    assert "A retry will import everything again" in caplog.text


def test_an_attempt_that_was_given_up_stops_when_a_later_one_goes_on():
    folder = Folder()
    ImportLedger(folder, "id", 2).save(ImportState(table=ARN, source="s", attempt=2))

    with pytest.raises(SupersededError, match="because attempt 2 of this run goes on"):
        ImportLedger(folder, "id", 1).save(ImportState(table=ARN, source="s", attempt=1))


def test_files_that_were_added_or_replaced_have_another_fingerprint():
    files = [("s3://b/1", 10), ("s3://b/2", None)]

    assert fingerprint(files) == fingerprint(list(files))
    assert fingerprint(files) != fingerprint(files[:1])
    assert fingerprint(files) != fingerprint([("s3://b/1", 11), files[1]])
