"""Tables and files that differ in known ways; the files are real ones."""

import gzip
import io
import json
import tempfile
import threading
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.comparison import TableComparison
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import StoredObject
from updraft.dynamodb.formats import create_format
from updraft.dynamodb.import_totals import ExportTotals
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import ScanPage
from updraft.dynamodb.service_errors import AccessDeniedError, ServiceError
from updraft.dynamodb.table import TableDescription

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
KEY_TYPES = {"id": "S", "at": "N"}
URI = "s3://bucket/export"


class Table:
    """Items in pages of three, segment s of n holding every n-th."""

    def __init__(self, items):
        self.items = items

    def pages(self, segment, total_segments):
        mine = self.items[segment::total_segments]
        for start in range(0, max(len(mine), 1), 3):
            yield ScanPage(mine[start : start + 3], None)


class Files:
    """Files by URI."""

    def __init__(self, contents):
        self.contents = contents
        self.open_files = 0

    def open(self, file):
        return io.BytesIO(self.contents[file.uri])


class Prefix:
    """Keeps what is uploaded."""

    uri = "s3://bucket/differences"

    def __init__(self):
        self.files = {}
        self.may_list = True

    def upload(self, name, content):
        self.files[name] = content.read()

    def objects(self, name_prefix):
        if self.may_list:
            return (StoredObject(n, len(c)) for n, c in self.files.items() if n == name_prefix)
        raise AccessDeniedError("s3:ListBucket is not permitted")


def _compare(
    table,
    files,
    *,
    format_name="DYNAMODB_JSON_LINES",
    partial=False,
    maximum=100,
    destination=None,
    cancellation=None,
    source=None,
    item_count=None,
    totals=None,
):
    """Compare items with files, the contents of which are given in order."""
    contents = {f"{URI}/{number}.jsonl": content for number, content in enumerate(files)}
    comparison = TableComparison(
        table=TableDescription(ARN, KEY_TYPES, 5, 5, len(table), 100),
        source=source or Table(table),
        total_segments=3,
        s3_uri=URI,
        files=[
            DataFile(uri, size=len(content), item_count=item_count)
            for uri, content in contents.items()
        ],
        item_files=Files(contents),
        item_format=create_format(format_name, KEY_TYPES),
        partial=partial,
        maximum_differences=maximum,
        differences_destination=destination,
        differences_name="differences_x.jsonl",
        totals=totals,
        cancellation=cancellation or Cancellation(),
        progress=Progress(),
    )
    return comparison.run()


def _lines(*items):
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def _key(number, text="x"):
    return {"id": {"S": text}, "at": {"N": str(number)}}


# --- a random table, and an export of it with random edits -------------------------------------

TEXTS = st.text(max_size=4)
NUMBERS = st.integers(-(10**20), 10**20).map(str)
VALUES = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"S": TEXTS}),
        st.fixed_dictionaries({"N": NUMBERS}),
        st.sampled_from([{"B": "QQ=="}, {"B": ""}, {"BS": ["QQ==", "QUI="]}]),
        st.sampled_from([{"BOOL": True}, {"BOOL": False}, {"NULL": True}]),
        st.fixed_dictionaries({"SS": st.lists(TEXTS, min_size=1, unique=True)}),
        st.fixed_dictionaries({"NS": st.lists(NUMBERS, min_size=1, unique=True)}),
    ),
    lambda values: st.one_of(
        st.fixed_dictionaries({"L": st.lists(values, max_size=3)}),
        st.fixed_dictionaries(
            {"M": st.dictionaries(st.text(min_size=1, max_size=3), values, max_size=3)}
        ),
    ),
    max_leaves=6,
)
ITEMS = st.dictionaries(
    st.tuples(st.text(min_size=1, max_size=3), st.integers(-5, 5)),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, min_size=1),
    max_size=12,
)


def _rewritten(value, draw):
    """Write the same value in another way."""
    ((type_key, content),) = value.items()
    match type_key:
        case "N":
            content = _rewritten_number(content, draw)
        case "NS":
            content = [_rewritten_number(number, draw) for number in draw(st.permutations(content))]
        case "SS" | "BS":
            content = draw(st.permutations(content))
        case "L":
            content = [_rewritten(member, draw) for member in content]
        case "M":
            names = draw(st.permutations(list(content)))
            content = {name: _rewritten(content[name], draw) for name in names}
    return {type_key: content}


def _rewritten_number(text, draw):
    return text + draw(st.sampled_from(["", ".0", ".000", "e0", "E+0"]))


def _changed(value, draw):
    """Change something somewhere inside a value."""
    ((type_key, content),) = value.items()
    if type_key in {"L", "M"} and content and draw(st.booleans()):
        inner = content.copy()
        places = range(len(content)) if type_key == "L" else list(content)
        place = draw(st.sampled_from(places))
        inner[place] = _changed(content[place], draw)
        return {type_key: inner}
    changed = {
        "S": lambda: {"S": content + "!"},
        "N": lambda: draw(st.sampled_from([{"N": str(Decimal(content) + 1)}, {"S": content}])),
        "B": lambda: {"B": "QkI="},
        "BOOL": lambda: {"BOOL": not content},
        "NULL": lambda: {"BOOL": True},
        "SS": lambda: {"SS": [*content, "one more"]},
        "NS": lambda: {"NS": [*content, "7" * 25]},
        "BS": lambda: {"BS": content[1:]},
        "L": lambda: {"L": [*content, {"NULL": True}]},
        "M": lambda: {"M": content | {"one more": {"S": ""}}},
    }
    return changed[type_key]()


def _item(key, attributes):
    return _key(key[1], key[0]) | attributes


@settings(max_examples=100, deadline=None)
@given(items=ITEMS, data=st.data())
def test_random_edits_are_found_exactly(items, data):
    draw = data.draw
    table, records, expected = [], [], []
    superseded = 0
    for key, attributes in items.items():
        edit = draw(st.sampled_from(["none", "rewrite", "change", "add", "drop", "supersede"]))
        exported = {name: _rewritten(value, draw) for name, value in attributes.items()}
        if edit == "change":
            name = draw(st.sampled_from(list(attributes)))
            how = draw(st.sampled_from(["inside", "missing", "added"]))
            if how == "inside":
                exported[name] = _changed(exported[name], draw)
            elif how == "missing":
                del exported[name]
            else:
                exported["one more"] = {"S": ""}
            expected.append(("different", key))
        elif edit == "supersede":
            superseded += 1
            records.append(_item(key, {"a": {"S": "of an earlier time"}}))
        elif edit in {"add", "drop"}:
            expected.append(("only_in_export" if edit == "add" else "only_in_table", key))
        if edit != "add":
            table.append(_item(key, attributes))
        if edit != "drop":
            records.append(dict(draw(st.permutations(list(_item(key, exported).items())))))
    cut = draw(st.integers(0, len(records)))
    table = draw(st.permutations(table))

    report = _compare(table, [_lines(*records[:cut]), _lines(*records[cut:])])

    found = [
        (difference["kind"], (difference["key"]["id"]["S"], int(difference["key"]["at"]["N"])))
        for difference in report.first_differences
    ]
    assert sorted(found) == sorted(expected)
    assert report.differences == len(expected)
    assert report.superseded == superseded
    assert report.equal == len(items) - len(expected)
    assert report.table_items == len(table)
    assert report.export_items + report.superseded == len(records)


# --- single cases -------------------------------------------------------------------------------


def test_says_where_each_difference_is():
    report = _compare(
        [_key(1), _key(2) | {"a": {"S": "secret"}}, _key(4)],
        [_lines(_key(1), _key(2) | {"a": {"S": "hidden"}}), _lines(_key("3.0"))],
    )

    assert sorted(report.first_differences, key=lambda found: found["key"]["at"]["N"]) == [
        {"kind": "different", "key": _key(2), "file": f"{URI}/0.jsonl", "position": 2},
        {"kind": "only_in_export", "key": _key(3), "file": f"{URI}/1.jsonl", "position": 1},
        {"kind": "only_in_table", "key": _key(4)},
    ]
    assert (report.equal, report.different, report.only_in_export, report.only_in_table) == (
        1,
        1,
        1,
        1,
    )
    summary = report.summary()
    assert "differ in 3 places" in summary
    assert '{"id": {"S": "x"}, "at": {"N": "2"}}' in summary
    assert "secret" not in summary
    assert "hidden" not in summary


def test_equal_sides():
    report = _compare([_key(1), _key(2)], [_lines(_key(2)), _lines(_key(1))])

    assert report.differences == 0
    assert report.summary() == f"{ARN} and {URI} hold the same 2 items"


def test_an_empty_table_and_no_files():
    assert _compare([], []).differences == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"no item\n", "no item"),
        (b'{"id":{"S":"y"}}\n', "lacks the key attribute 'at'"),
        (b'{"id":{"S":"y"},"at":{"S":"1"}}\n', "the table's key has the type N"),
        (b'{"id":{"S":"y"},"at":{"N":"1e999999999"}}\n', "range"),
    ],
)
def test_what_is_no_item_is_a_difference_with_its_place(line, reason):
    report = _compare([_key(1), _key(2)], [_lines(_key(1)), line + _lines(_key(2))])

    (difference,) = report.first_differences
    assert difference["kind"] == "unreadable"
    assert difference["file"] == f"{URI}/1.jsonl"
    assert difference["position"] == 1
    assert reason in difference["reason"]
    assert (report.equal, report.unreadable, report.differences) == (2, 1, 1)
    assert (
        "1 record of the export is no item for the table; 2 items are equal. First: unreadable: "
        f"{URI}/1.jsonl, line 1: "
    ) in report.summary()


def test_the_place_of_a_difference_is_a_line():
    summary = _compare([], [_lines(_key(1), _key(2))]).summary()

    assert "2 items are only in the export; 0 items are equal." in summary
    assert f"({URI}/0.jsonl, line 2)" in summary


def test_an_estimate_is_not_what_a_complete_comparison_ends_with(caplog):
    with caplog.at_level("INFO", "updraft"):
        _compare([_key(1)], [_lines(_key(1)) + b"no item\n"])

    (last,) = [message for message in caplog.messages if "items in " in message][-1:]
    assert last.startswith("3 items in ")


def test_records_that_an_export_wrote_and_that_are_missing_are_a_difference():
    content = _lines(_key(1), _key(2))
    totals = ExportTotals(f"{URI}/manifest", items=3, bytes=len(content), files=1)
    report = _compare([_key(1), _key(2)], [content], totals=totals)

    assert (report.equal, report.unreadable, report.differences) == (2, 1, 1)
    assert f"{URI}/manifest: the export wrote 3 items, but its files hold 2 " in report.summary()


WRITTEN = [_key(1), {**_key(2), "text": {"S": "long"}}]


@pytest.mark.parametrize(
    ("now", "unreadable", "equal"),
    [
        pytest.param(_lines(*WRITTEN), 0, 2, id="as it was written"),
        pytest.param(_lines(WRITTEN[0]), 1, 1, id="without its last line"),
        pytest.param(_lines(*WRITTEN)[:-4], 2, 1, id="within its last line"),
        pytest.param(_lines(*WRITTEN).replace(b"long", b"lo"), 1, 1, id="with a shorter value"),
    ],
)
def test_a_shortened_file_is_named_as_in_an_import_and_compared(now, unreadable, equal):
    written = _lines(*WRITTEN)
    totals = ExportTotals(f"{URI}/manifest", items=2, bytes=len(written), files=1)
    report = _compare(WRITTEN, [now], totals=totals)

    assert (report.unreadable, report.equal) == (unreadable, equal)
    named = [found["reason"] for found in report.first_differences if "reason" in found]
    if unreadable:
        assert named[0] == totals.size_problem([DataFile(f"{URI}/0.jsonl", size=len(now))])
        assert named[0].startswith(f"{URI}/manifest: the export wrote {len(written)} bytes to 1 ")
        assert not any("but its files hold" in reason for reason in named)


def test_a_damaged_file_is_a_difference_and_the_others_are_compared():
    damaged = gzip.compress(_lines(*map(_key, range(1000, 3000))))[:-200]
    files = {f"{URI}/a.jsonl.gz": damaged, f"{URI}/b.jsonl": _lines(_key(1))}
    comparison = TableComparison(
        table=TableDescription(ARN, KEY_TYPES, 5, 5, 1, 100),
        source=Table([_key(1)]),
        total_segments=1,
        s3_uri=URI,
        files=[DataFile(uri) for uri in files],
        item_files=Files(files),
        item_format=create_format("DYNAMODB_JSON_LINES", KEY_TYPES),
        partial=False,
        maximum_differences=1,
        differences_destination=None,
        differences_name="",
        cancellation=Cancellation(),
        progress=Progress(),
    )

    report = comparison.run()

    (difference,) = report.first_differences
    assert difference["kind"] == "unreadable"
    assert difference["file"].endswith("a.jsonl.gz")
    assert report.unreadable == 1
    assert report.equal == 1


def test_a_file_with_fewer_items_than_its_manifest_promises():
    report = _compare([_key(1), _key(2)], [_lines(_key(1))], item_count=2)

    unreadable, missing = report.first_differences
    assert "holds 1 records, its manifest promises 2" in unreadable["reason"]
    assert missing == {"kind": "only_in_table", "key": _key(2)}


def test_an_item_that_dynamodb_would_not_take_is_named_without_its_content():
    long = _key(2) | {"long": {"S": "x" * 410_000}}

    report = _compare([_key(1)], [_lines(_key(1), long)])

    (difference,) = report.first_differences
    assert difference["kind"] == "unreadable"
    assert "DynamoDB takes 409,600" in difference["reason"]
    assert len(difference["reason"]) < 200


def test_other_items_are_no_differences_of_a_part():
    report = _compare([_key(1), _key(2), _key(3)], [_lines(_key(1))], partial=True)

    assert (report.differences, report.first_differences) == (0, [])
    assert (report.equal, report.only_in_table, report.table_items) == (1, 2, 3)
    assert report.summary() == f"{ARN} and {URI} hold the same 1 item, 2 more are in the table"


def test_an_incremental_export():
    change = {"Metadata": {"WriteTimestampMicros": {"N": "1"}}}
    lines = _lines(
        change | {"Keys": _key(1), "NewImage": _key(1) | {"a": {"S": "new"}}},
        change | {"Keys": _key(2), "OldImage": _key(2)},
        change | {"Keys": _key(3), "OldImage": _key(3)},
    )
    table = [_key(1) | {"a": {"S": "new"}}, _key(3), _key(4)]

    report = _compare(table, [lines], format_name="DYNAMODB_JSON", partial=True)

    assert report.first_differences == [
        {"kind": "not_deleted", "key": _key(3), "file": f"{URI}/0.jsonl", "position": 3}
    ]
    assert (report.equal, report.deleted, report.not_deleted, report.only_in_table) == (1, 2, 1, 1)
    assert "although the export says that it is deleted" in report.summary()
    assert "only in the table" not in report.summary()


def test_all_differences_go_to_a_file_and_the_first_into_the_report():
    destination = Prefix()

    report = _compare(
        [], [b"bad\n", _lines(*map(_key, range(50)))], maximum=7, destination=destination
    )

    assert report.differences == 51
    assert len(report.first_differences) == 7
    assert report.differences_file == "s3://bucket/differences/differences_x.jsonl"
    (content,) = destination.files.values()
    listed = [json.loads(line) for line in content.splitlines()]
    assert listed[:7] == report.first_differences
    assert [line["kind"] for line in listed] == ["unreadable"] + ["only_in_export"] * 50
    assert sorted(int(line["key"]["at"]["N"]) for line in listed[1:]) == list(range(50))
    again = Prefix()
    _compare([], [b"bad\n", _lines(*map(_key, range(50)))], destination=again)
    assert again.files == destination.files


def test_without_differences_there_is_no_list():
    destination = Prefix()

    report = _compare([_key(1)], [_lines(_key(1))], destination=destination)

    assert report.differences_file is None
    assert destination.files == {}


@pytest.mark.parametrize("may_list", [True, False])
def test_a_list_without_differences_replaces_an_earlier_one(may_list):
    destination = Prefix()
    destination.files["differences_x.jsonl"] = b"of an earlier attempt"
    destination.may_list = may_list

    _compare([_key(1)], [_lines(_key(1))], destination=destination)

    assert destination.files == {"differences_x.jsonl": b""}


class EndlessTable:
    """A table that never ends."""

    def __init__(self):
        self.pages_read = 0

    def pages(self, segment, total_segments):
        while True:
            self.pages_read += 1
            yield ScanPage([_key(self.pages_read)], None)
            time.sleep(0.001)


def test_a_cancelled_comparison_ends_promptly_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.cancel)
    timer.start()
    started = time.monotonic()

    with pytest.raises(CancelledError):
        _compare([], [], source=EndlessTable(), cancellation=cancellation)

    assert time.monotonic() - started < 5
    assert list(tmp_path.iterdir()) == []
    timer.join()


class RefusedTable:
    """A table that may not be read."""

    def pages(self, segment, total_segments):
        raise ServiceError("dynamodb:Scan on table 'orders' is not permitted")
        yield


def test_a_table_that_cannot_be_read_is_an_error_and_no_difference():
    with pytest.raises(ServiceError, match="not permitted"):
        _compare([], [_lines(*map(_key, range(5000)))], source=RefusedTable())
