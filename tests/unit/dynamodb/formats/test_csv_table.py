"""CSV files: readable as they are, and nothing is lost."""

import csv
import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.dynamodb.formats.strategies import (
    EVERY_TYPE,
    KEY_TYPES,
    decode,
    decoded_items,
    encode,
    item_lists,
    only_rejection,
    round_trip,
)
from updraft.dynamodb.formats import ItemFormatError, create_format

FORMAT = create_format("CSV", {"id": "S", "range": "N"})
ITEM = {"id": {"S": "a"}, "range": {"N": "1.50"}}


def test_what_a_file_looks_like():
    items = [
        {"id": {"S": "a"}, "range": {"N": "1.50"}, "text": {"S": 'say "hi", you'}, "n": {"N": "1"}},
        {"id": {"S": '{"S":1}'}, "range": {"N": "2"}, "text": {"S": ""}, "b": {"BOOL": True}},
    ]

    assert encode(FORMAT, items).decode().split("\n") == [
        "id,range,text,n,b,_other_attributes",
        'a,1.50,"say ""hi"", you","{""N"":""1""}",,',
        '"{""S"":""{\\""S\\"":1}""}",2,"{""S"":""""}",,"{""BOOL"":true}",',
        "",
    ]


def test_attributes_that_come_late_go_to_the_last_column():
    items = [ITEM] * 1_000 + [ITEM | {"late": {"SS": ["x"]}}]
    rows = list(csv.reader(io.StringIO(encode(FORMAT, items).decode())))

    assert rows[0] == ["id", "range", "_other_attributes"]
    assert rows[-1] == ["a", "1.50", '{"late":{"SS":["x"]}}']
    assert decoded_items(FORMAT, encode(FORMAT, items)) == items


def test_values_as_attribute_names_do_not_make_columns_without_end():
    items = [ITEM | {f"{n}-{m}": {"S": "x"} for m in range(10)} for n in range(1_000)]
    content = encode(FORMAT, items)

    assert len(content.split(b"\n")[0].split(b",")) == 1_001
    assert decoded_items(FORMAT, content) == items


def test_declared_columns_hold_plain_values():
    types = {"n": "N", "flag": "BOOL", "bin": "B"}
    item = ITEM | {"n": {"N": "1e5"}, "flag": {"BOOL": False}, "bin": {"B": "AP8="}}
    odd = ITEM | {"n": {"S": "1"}, "flag": {"NULL": True}, "bin": {"B": ""}}
    typed = create_format("CSV", KEY_TYPES, {"attribute_types": types})
    content = encode(typed, [item, odd])

    assert content.decode().split("\n")[1] == "a,1.50,1e5,false,AP8=,"
    assert decoded_items(typed, content) == [item, odd]


@given(item_lists, st.sampled_from(",;|\t :'\x00"))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip_with_options(items, delimiter):
    types = {"a": "N", "b": "B", "c": "BOOL"}

    assert round_trip("CSV", items, delimiter=delimiter, attribute_types=types) == items


def test_an_attribute_outside_given_columns_is_an_error():
    given_columns = create_format("CSV", KEY_TYPES, {"columns": ["id", "range", "a"]})

    assert encode(given_columns, [ITEM]) == b"id,range,a\na,1.50,\n"
    with pytest.raises(ItemFormatError, match="'b', which is not among the columns"):
        encode(given_columns, [ITEM, ITEM | {"b": {"S": "x"}}])


def test_files_for_the_native_import_are_read():
    content = b'id,range,name,price\r\na,1,Jo,5\r\nb,2.5,,\r\n\r\nc,3,"two\r\nlines",{"a":1}\r\n'

    assert [record[:3] for record in decode(FORMAT, content)] == [
        (
            2,
            {"id": {"S": "a"}, "range": {"N": "1"}, "name": {"S": "Jo"}, "price": {"S": "5"}},
            False,
        ),
        (3, {"id": {"S": "b"}, "range": {"N": "2.5"}}, False),
        (
            5,
            {
                "id": {"S": "c"},
                "range": {"N": "3"},
                "name": {"S": "two\r\nlines"},
                "price": {"S": '{"a":1}'},
            },
            False,
        ),
    ]


def test_files_without_header_are_read_with_given_columns():
    given_columns = create_format("CSV", KEY_TYPES, {"columns": ["id", "range", "a"]})
    expected = [{"id": {"S": "x"}, "range": {"N": "1"}, "a": {"S": "y"}}]

    assert decoded_items(given_columns, b"x,1,y\n") == expected
    assert decoded_items(given_columns, b"id,range,a\nx,1,y\n") == expected
    assert decoded_items(given_columns, b"a,range,id\ny,1,x\n") == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("b,one,x", "attribute range: this is no number: 'one'"),
        ("b,1_000,x", "attribute range: this is no number"),
        ("b,1", r"the row has 2 cells for 3 columns: \['b', '1'\]"),
        ("b,1,x,y", "the row has 4 cells for 3 columns"),
        ('b,1,"{""N"":5}"', "attribute name: a number is text"),
        ('b,1,"{""N"":"', "attribute name: it is no JSON"),
        ('b,1,"x"y', "the row is no CSV"),
        ("b,1,\xff", "the row is no UTF-8"),
        ('b,1,"two\n\xff"', "the row is no UTF-8"),
    ],
)
def test_bad_rows_are_rejected_by_line_and_reading_goes_on(row, message):
    good = 'a,1,"two\nlines"\n'
    content = ("id,range,name\n" + good + row + "\n" + "c,1,z\n").encode("latin-1")
    records = decode(FORMAT, content)
    rejected = records[1]

    assert rejected.position == 4
    assert rejected.reason.startswith("s3://bucket/file.csv, line 4: ")
    assert re.search(message, rejected.reason)
    assert rejected.content
    assert records[-1].item == {"id": {"S": "c"}, "range": {"N": "1"}, "name": {"S": "z"}}


def test_a_boolean_and_a_binary_that_are_none_are_rejected():
    typed = create_format("CSV", {"id": "S"}, {"attribute_types": {"f": "BOOL", "b": "B"}})

    assert (
        "neither true nor false: 'yes'" in only_rejection(typed, b"id,f,b\na,,\nb,yes,\nc,,").reason
    )
    assert (
        "attribute b: this is no base64" in only_rejection(typed, b"id,f,b\na,,\nb,,*\nc,,").reason
    )


def test_repeated_attributes_are_rejected():
    content = b'id,range,_other_attributes\na,1,\nb,1,"{""id"":{""S"":""x""}}"\nc,1,\n'

    assert "_other_attributes repeats a column: 'id'" in only_rejection(FORMAT, content).reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id;range\n", "no column for the key attribute 'id'.*option delimiter"),
        ("id,Range\n", "attribute 'range'; is it 'Range'\\? It has \\['id', 'Range'\\]. Check"),
        ("v;w\n", "no column for the key attribute 'id'. It has \\['v;w'\\]. Check"),
        ("id,range,a,a\n", "names 'a' twice"),
        ("id,range,\n", "a column of the header has no name"),
        ("id,range\na,1\n" + '"' + "x" * 17_000_000, "line 3: .*16,777,216|line 3: .*no line end"),
        ("id,range\na,1\n" + '"' + "x\n" * 9_000_000, "line 3: .*closing quotation mark"),
    ],
)
def test_what_is_no_table_is_refused(content, message):
    with pytest.raises(ItemFormatError, match=message):
        decode(FORMAT, content.encode())


def test_a_quote_that_is_not_closed_is_rejected_at_its_line():
    records = decode(FORMAT, b'id,range\na,1\n"b,1\nc,1\n')

    assert records[-1].position == 3
    assert records[-1].content == b'"b,1\nc,1'
    assert "no CSV" in records[-1].reason


def test_reading_never_lowers_the_limit_of_the_process():
    before = csv.field_size_limit(500_000_000)
    try:
        assert round_trip("CSV", [EVERY_TYPE], {"text": "S"}) == [EVERY_TYPE]
        assert csv.field_size_limit() == 500_000_000
    finally:
        csv.field_size_limit(before)


def test_what_cannot_be_written_is_an_error():
    for item in ({"a": {"S": "\ud800"}}, {"a": {"S": 5}}, {"a": {}}, {"a": "x"}):
        with pytest.raises(ItemFormatError, match="not in the form"):
            encode(FORMAT, [ITEM | item])
