"""What an export leaves behind, whatever happens to it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from updraft.dynamodb import worker_threads
from updraft.dynamodb.attempt import Attempt, DestinationOccupiedError
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.destination import Content, StoredObject
from updraft.dynamodb.export import TableExport
from updraft.dynamodb.formats.data_pipeline import DataPipelineFormat
from updraft.dynamodb.manifest import parse_manifest
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import ScanPage
from updraft.dynamodb.segment_export import MAXIMUM_THREADS, SegmentExport
from updraft.errors import UpdraftError

RUN = "0e9d5a5e-55aa-5b2c-8c1c-0d6f5a0b7f11"
ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"


class Table:
    """Pages of numbered items; it can fail or wait at one of them."""

    def __init__(self, items, segments=2, page=10, at=None):
        self.items, self.segments, self.page = items, segments, page
        self.at = at or (lambda number: None)
        self.scans = 0
        self.scanned = []

    def pages(self, segment, total_segments):
        self.scans += 1
        self.scanned.append(segment)
        mine = list(range(segment, self.items, total_segments))
        for start in range(0, len(mine), self.page):
            numbers = mine[start : start + self.page]
            self.at(numbers[0])
            yield ScanPage([{"n": {"N": str(number)}} for number in numbers], None)
        yield ScanPage([], None)


class Folder:
    """A prefix whose objects are in memory, with the order of the calls."""

    uri = "s3://bucket/prefix"

    def __init__(self, **objects):
        self.files = objects
        self.tags = {}
        self.calls = []
        self.refuse = None
        self.uploads = []

    def objects(self, name_prefix=""):
        for name in sorted(self.files):
            if name.startswith(name_prefix):
                yield StoredObject(name, len(self.files[name]))

    def read(self, name):
        return Content(self.files[name], self.tags.get(name, {})) if name in self.files else None

    def upload(self, name, content):
        if self.refuse:
            raise self.refuse
        self.files[name] = b"".join(iter(lambda: content.read(64), b""))
        self.calls.append(("upload", name))

    def create(self, name, content, metadata):
        if name in self.files:
            return False
        self.files[name], self.tags[name] = content, dict(metadata)
        self.calls.append(("create", name))
        return True

    def delete(self, names):
        for name in names:
            self.files.pop(name, None)
            self.calls.append(("delete", name))

    def abort_uploads(self, name_prefix):
        self.calls.append(("abort", name_prefix))
        mine = [name for name in self.uploads if name.startswith(name_prefix)]
        self.uploads = [name for name in self.uploads if name not in mine]
        return len(mine)


class SmallFiles(DataPipelineFormat):
    maximum_items_per_file = 7


def _export(table, folder, *, run=RUN, cancellation=None, arn=ARN, attempt=1):
    item_format = SmallFiles({}, {})
    this_attempt = Attempt(folder, run, attempt, table_arn=arn, item_format=item_format.name)
    cancellation = cancellation or Cancellation()
    progress = Progress()
    segments = SegmentExport(
        this_attempt,
        table_arn=arn,
        source=table,
        item_format=item_format,
        destination=folder,
        cancellation=cancellation,
        progress=progress,
    )
    return TableExport(
        this_attempt,
        table_arn=arn,
        total_segments=table.segments,
        item_format=item_format.name,
        runner=segments,
        cancellation=cancellation,
        progress=progress,
    )


def _numbers(folder):
    urls = parse_manifest(folder.files["manifest"], "manifest")
    names = [url.removeprefix("s3://bucket/prefix/") for url in urls]
    assert sorted([*names, "manifest"]) == sorted(folder.files)
    lines = [line for name in names for line in folder.files[name].splitlines()]
    return sorted(int(json.loads(line)["n"]["n"]) for line in lines)


@pytest.mark.parametrize("items", [0, 1, 7, 14, 15, 100])
def test_every_item_is_in_exactly_one_file_of_the_manifest(items):
    folder = Folder()
    result = _export(Table(items), folder).run()

    assert _numbers(folder) == list(range(items))
    data = [content for name, content in folder.files.items() if name != "manifest"]
    assert all(1 <= content.count(b"\n") <= 7 for content in data)
    assert result.items == items
    assert result.files == len(data)
    assert result.bytes == sum(map(len, data))
    assert result.manifest == "s3://bucket/prefix/manifest"
    assert result.table_arn == ARN


def test_names_are_those_of_run_attempt_segment_and_part():
    folder = Folder()
    _export(Table(20), folder, attempt=3).run()

    assert sorted(folder.files) == sorted(
        [f"{RUN}_3_{segment:05d}_{part:05d}" for segment in (0, 1) for part in (0, 1)]
        + ["manifest"]
    )


def test_the_manifest_comes_after_everything_else():
    folder = Folder()
    _export(Table(20), folder).run()

    after = folder.calls[folder.calls.index(("create", "manifest")) + 1 :]
    assert {call for call, _ in after} == {"abort", "delete"}
    assert _numbers(folder) == list(range(20))


def test_what_earlier_attempts_left_goes_when_the_manifest_is_there_and_no_sooner():
    names = [f"{RUN}_1_00001_00099", f"{RUN}_2_00000_00000"]
    folder = Folder(**dict.fromkeys(names, b"stale"))
    folder.uploads = [f"{RUN}_{attempt}_00001_00000" for attempt in (1, 2, 4)]
    _export(Table(20), folder, attempt=3).run()

    after = folder.calls[folder.calls.index(("create", "manifest")) :]
    deleted = [name for call, name in after if call == "delete"]
    assert [name for name in deleted if not name.startswith("_updraft/")] == names
    assert folder.uploads == []
    assert _numbers(folder) == list(range(20))


def test_a_file_under_a_name_of_this_very_attempt_is_no_part_of_the_result():
    folder = Folder(**{f"{RUN}_1_00001_00099": b"of a deleted run of the same name"})
    _export(Table(20), folder).run()

    assert _numbers(folder) == list(range(20))


def test_a_second_attempt_after_completion_adopts_the_result():
    folder = Folder()
    first = _export(Table(20), folder).run()
    before = dict(folder.files)
    table = Table(20)

    assert _export(table, folder, attempt=2).run() == replace(first, already_exported=True)
    assert not first.already_exported
    assert table.scans == 0
    assert folder.files == before


def test_a_result_is_adopted_without_what_a_third_attempt_left():
    folder = Folder()
    first = _export(Table(20), folder, attempt=2).run()
    folder.files[f"{RUN}_1_00000_00000"] = b"of a worker that was killed"

    assert _export(Table(20), folder, attempt=3).run() == replace(first, already_exported=True)
    assert _numbers(folder) == list(range(20))


def test_a_second_attempt_does_not_adopt_files_that_have_changed():
    folder = Folder()
    _export(Table(20), folder).run()
    del folder.files[f"{RUN}_1_00000_00000"]

    _export(Table(20), folder, attempt=2).run()

    assert _numbers(folder) == list(range(20))


@pytest.mark.parametrize(
    "name", ["manifest", "other-file", "sub/folder", f"{RUN}_1", f"{RUN}_1_00000_00000.tmp-1"]
)
def test_what_somebody_else_wrote_is_left_alone(name):
    folder = Folder(**{name: b"theirs"})

    with pytest.raises(
        DestinationOccupiedError, match=f"s3://bucket/prefix already holds '{name}'"
    ):
        _export(Table(20), folder).run()
    assert folder.files == {name: b"theirs"}
    assert folder.calls == []


@pytest.mark.parametrize(
    "other", [{"run": "7c5e1dd0-0000-5000-8000-000000000000"}, {"arn": ARN + "-2"}]
)
def test_a_complete_export_of_another_run_or_table_is_left_alone(other):
    folder = Folder()
    _export(Table(20), folder, **other).run()
    before = dict(folder.files)

    with pytest.raises(DestinationOccupiedError):
        _export(Table(20), folder).run()
    assert folder.files == before


def test_the_marker_of_an_empty_folder_is_no_obstacle():
    folder = Folder(**{"": b""})
    _export(Table(5), folder).run()

    assert "manifest" in folder.files


def _assert_only_finished_segments(folder):
    checkpoints = [name for name in folder.files if name.startswith("_updraft/")]
    finished = [json.loads(folder.files[name])["sizes"] for name in checkpoints]
    files = [name for sizes in finished for name in sizes]
    assert sorted([*checkpoints, *files]) == sorted(folder.files)


def _fail_at(number):
    def look(first):
        if first == number:
            raise UpdraftError("the table burnt down")

    return look


def test_a_failing_segment_stops_the_others_and_nothing_unfinished_remains():
    folder = Folder()

    with pytest.raises(UpdraftError, match="the table burnt down"):
        _export(Table(1000, at=_fail_at(41)), folder).run()
    _assert_only_finished_segments(folder)


def _meanwhile(start, other):
    """Let another attempt run while this one is at the page that begins with an item."""

    def look(first):
        if first == start:
            other()

    return look


def test_a_lost_attempt_that_fails_late_spoils_nothing_of_its_retry():
    folder = Folder()

    def fail():
        with pytest.raises(UpdraftError, match="the table burnt down"):
            _export(Table(1000, at=_fail_at(41)), folder, attempt=1).run()

    _export(Table(1000, at=_meanwhile(900, fail)), folder, attempt=2).run()

    assert _numbers(folder) == list(range(1000))


@pytest.mark.parametrize(("outer", "inner"), [(1, 2), (2, 1)])
def test_of_two_attempts_that_finish_the_later_returns_the_result_of_the_other(outer, inner):
    folder = Folder()
    results = []
    finish = _meanwhile(40, lambda: results.append(_export(Table(90), folder, attempt=inner).run()))

    result = _export(Table(100, at=finish), folder, attempt=outer).run()

    assert results == [result]
    # A segment that the outer attempt had finished by then is part of the inner one's result.
    assert set(range(90)) <= set(_numbers(folder)) <= set(range(100))


def test_what_attempts_of_any_number_left_goes_when_the_manifest_is_there():
    """A run that was deleted and made again counts its attempts from one."""
    folder = Folder(**{f"{RUN}_3_00000_00000": b"of a run of the same name"})
    folder.uploads = [f"{RUN}_3_00000_00001"]
    _export(Table(20), folder, attempt=1).run()

    assert folder.uploads == []
    assert _numbers(folder) == list(range(20))


def test_an_attempt_whose_files_are_removed_returns_the_result_of_the_other():
    folder = Folder()
    results = []
    finish = _meanwhile(90, lambda: results.append(_export(Table(100), folder, attempt=1).run()))

    assert _export(Table(100, segments=1, at=finish), folder, attempt=2).run() == results[0]
    assert _numbers(folder) == list(range(100))


def test_two_processes_that_count_the_same_attempt_destroy_no_manifest():
    folder = Folder()
    done = []

    def finish():
        if not done:
            done.append(_export(Table(100, segments=1), folder).run())

    with pytest.raises(UpdraftError, match="something else writes or deletes there"):
        _export(Table(101, segments=1, at=_meanwhile(90, finish)), folder).run()
    assert "manifest" in folder.files


@pytest.mark.parametrize("change", [lambda files, name: files.pop(name), dict.__setitem__])
def test_no_manifest_names_files_that_are_not_as_they_were_written(change):
    folder = Folder()
    name = f"{RUN}_1_00000_00000"
    arguments = (name,) if change is not dict.__setitem__ else (name, b"other")
    spoil = _meanwhile(90, lambda: change(folder.files, *arguments))

    with pytest.raises(UpdraftError, match="something else writes or deletes there"):
        _export(Table(100, segments=1, at=spoil), folder).run()
    assert folder.files == {}


def test_a_manifest_whose_answer_was_lost_counts():
    folder = Folder()
    create = folder.create

    def lose_answer(*arguments):
        created = create(*arguments)
        if arguments[0] == "manifest":
            raise UpdraftError("connection reset")
        return created

    folder.create = lose_answer

    assert _export(Table(20), folder).run().items == 20
    assert _numbers(folder) == list(range(20))


def test_uploads_that_cannot_be_aborted_do_not_keep_the_files():
    folder = Folder()

    def fail(first):
        if first == 41:
            folder.abort_uploads = refuse
            raise UpdraftError("the table burnt down")

    def refuse(name_prefix):
        raise UpdraftError("slow down")

    with pytest.raises(UpdraftError, match="the table burnt down"):
        _export(Table(1000, at=fail), folder).run()
    _assert_only_finished_segments(folder)


def test_a_result_stands_whatever_becomes_of_the_tidying():
    folder = Folder(**{f"{RUN}_1_00000_00000": b"stale"})

    def refuse(names):
        if names:
            raise UpdraftError("no permission")

    folder.delete = refuse

    assert _export(Table(20), folder, attempt=2).run().items == 20


def test_no_more_threads_and_tasks_than_are_needed_exist(monkeypatch):
    submitted = []

    class Executor(ThreadPoolExecutor):
        def submit(self, *arguments):
            submitted.append(arguments)
            return super().submit(*arguments)

    monkeypatch.setattr(worker_threads, "ThreadPoolExecutor", Executor)
    folder = Folder()
    _export(Table(500, segments=1000), folder).run()

    assert len(submitted) == MAXIMUM_THREADS
    assert _numbers(folder) == list(range(500))


def test_the_cause_is_reported_and_not_its_echo():
    cancellation = Cancellation()
    met = threading.Barrier(2)

    def look(first):
        if first in (0, 1):
            met.wait(5)
        if first == 1:
            raise UpdraftError("the cause")
        if first > 1:
            cancellation.check()

    with pytest.raises(UpdraftError, match="the cause"):
        _export(Table(100_000, at=look), Folder(), cancellation=cancellation).run()


def test_an_upload_that_is_refused_leaves_nothing():
    folder = Folder()
    folder.refuse = UpdraftError("no permission")

    with pytest.raises(UpdraftError, match="no permission"):
        _export(Table(20), folder).run()
    assert folder.files == {}


def test_a_stopped_export_leaves_nothing():
    folder, cancellation = Folder(), Cancellation()

    def look(first):
        if first == 40:
            cancellation.cancel()

    with pytest.raises(CancelledError):
        _export(Table(1000, at=look), folder, cancellation=cancellation).run()
    _assert_only_finished_segments(folder)


def test_a_failed_attempt_adopts_what_another_has_completed():
    folder = Folder()
    results = []

    def look(first):
        if first == 0:
            results.append(_export(Table(20), folder, attempt=2).run())
            raise UpdraftError("connection lost")

    assert _export(Table(20, at=look), folder).run() == results[0]
    assert _numbers(folder) == list(range(20))


def test_a_failed_attempt_tells_its_error_even_if_it_cannot_look_for_another():
    folder = Folder()

    def look(first):
        if first == 0:
            folder.files["strange"] = b"of somebody else"
            raise UpdraftError("connection lost")

    with pytest.raises(UpdraftError, match="connection lost"):
        _export(Table(20, at=look), folder).run()


def test_a_stopped_attempt_stays_stopped_whatever_another_has_completed():
    folder = Folder()
    cancellation = Cancellation()

    def look(first):
        if first == 0:
            _export(Table(20), folder, attempt=2).run()
            cancellation.cancel()

    with pytest.raises(CancelledError):
        _export(Table(20, at=look), folder, cancellation=cancellation).run()
    assert _numbers(folder) == list(range(20))


def test_the_next_attempt_succeeds_after_a_failure():
    folder = Folder()
    with pytest.raises(UpdraftError):
        _export(Table(1000, at=_fail_at(40)), folder).run()

    _export(Table(1000), folder, attempt=2).run()

    assert _numbers(folder) == list(range(1000))


def test_attributes_that_were_seen():
    export = _export(Table(20), Folder())
    export.run()

    assert export.attributes == {"n": ["N"]}


def _unfinished(folder, **arguments):
    """Let an attempt finish segment 1 of 2 and fail in segment 0."""
    finished = threading.Event()
    create = folder.create

    def note(name, *rest):
        created = create(name, *rest)
        if name.endswith("/00001.json"):
            finished.set()
        return created

    folder.create = note

    def fail(first):
        if first == 40:
            assert finished.wait(5)
            raise UpdraftError("the table burnt down")

    with pytest.raises(UpdraftError, match="the table burnt down"):
        _export(Table(100, at=fail), folder, **arguments).run()
    folder.create = create


def test_a_finished_segment_survives_the_failure_of_another():
    folder = Folder()
    _unfinished(folder)

    data = {name for name in folder.files if not name.startswith("_updraft/")}
    assert data == {f"{RUN}_1_00001_{part:05d}" for part in range(8)}
    assert f"_updraft/{RUN}/00001.json" in folder.files


def test_a_retry_reads_only_unfinished_segments():
    folder = Folder()
    _unfinished(folder)
    table = Table(100)

    export = _export(table, folder, attempt=2)
    result = export.run()

    assert table.scanned == [0]
    assert result.items == 100
    assert _numbers(folder) == list(range(100))
    assert export.attributes == {"n": ["N"]}


def test_a_retry_keeps_to_the_number_of_segments():
    folder = Folder()
    _unfinished(folder)
    table = Table(100, segments=5)  # the table has grown meanwhile

    _export(table, folder, attempt=2).run()

    assert table.scanned == [0]
    assert _numbers(folder) == list(range(100))


def test_a_finished_segment_whose_file_is_gone_is_read_again():
    folder = Folder()
    _unfinished(folder)
    del folder.files[f"{RUN}_1_00001_00003"]
    table = Table(100)

    _export(table, folder, attempt=2).run()

    assert sorted(table.scanned) == [0, 1]
    assert _numbers(folder) == list(range(100))


def test_finished_segments_of_another_table_are_read_again():
    folder = Folder()
    _unfinished(folder, arn=ARN + "-2")
    table = Table(100)

    _export(table, folder, attempt=2).run()

    assert sorted(table.scanned) == [0, 1]
    assert _numbers(folder) == list(range(100))


def test_a_damaged_checkpoint_is_ignored():
    folder = Folder()
    _unfinished(folder)
    folder.files[f"_updraft/{RUN}/00001.json"] = b"{"
    table = Table(100)

    _export(table, folder, attempt=2).run()

    assert sorted(table.scanned) == [0, 1]
    assert _numbers(folder) == list(range(100))


def test_a_lost_attempt_does_not_take_back_what_its_retry_has_taken_over():
    folder = Folder()
    _unfinished(folder)

    # The lost attempt 1 is still there: it fails again while attempt 2 goes on with its segment.
    def fail():
        lost = Attempt(folder, RUN, 1, table_arn=ARN, item_format="DATA_PIPELINE")
        lost.clean_up()

    _export(Table(100, at=_meanwhile(50, fail)), folder, attempt=2).run()
    fail()

    assert _numbers(folder) == list(range(100))


def test_the_receipt_of_an_import_is_no_obstacle():
    receipt = {"_updraft/import_5f0c.json": b"{}"}
    folder = Folder(**receipt)
    result = _export(Table(5), folder).run()

    assert result.items == 5
    assert receipt.items() <= folder.files.items()
