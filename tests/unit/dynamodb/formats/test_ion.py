"""Ion as DynamoDB's export writes it."""

import gzip
import re

import pytest

from tests.unit.dynamodb.formats.strategies import (
    EVERY_TYPE,
    decode,
    decoded_items,
    encode,
    only_rejection,
)
from updraft.dynamodb.formats import ItemFormatError, create_format

FORMAT = create_format("ION", {"id": "S"})
PLAIN = "s3://b/f.ion"


def test_types_are_annotated_as_in_the_documentation():
    content = gzip.decompress(encode(FORMAT, [EVERY_TYPE])).decode()

    assert content.startswith("$ion_1_0 {Item:{")
    assert content.count("\n") == 1
    for part in (
        'text:"x"',
        "binary:{{AP8=}}",
        'texts:$dynamodb_SS::["a"]',
        "numbers:$dynamodb_NS::[",
        "binaries:$dynamodb_BS::[{{eg==}}]",
        'map:{inner:""}',
        "flag:true",
        "nothing:null",
    ):
        assert part in content


def test_a_line_of_the_documentation_is_read():
    content = (
        b'$ion_1_0 {Item:{Authors:$dynamodb_SS::["Author1","Author2"],Dimensions:"8.5 x 11.0",'
        b'ISBN:"333-3333333333",Id:103.,InPublication:false,PageCount:6d2,Price:2d3,'
        b"Sizes:$dynamodb_NS::[1.5,2],Cover:{{AP8=}},Nothing:null,Text:null.string,"
        b'L:[1.,"x",{a:[]}]}}\n$ion_1_0\n'
    )

    (item,) = decoded_items(FORMAT, content, PLAIN)

    assert item == {
        "Authors": {"SS": ["Author1", "Author2"]},
        "Dimensions": {"S": "8.5 x 11.0"},
        "ISBN": {"S": "333-3333333333"},
        "Id": {"N": "103"},
        "InPublication": {"BOOL": False},
        "PageCount": {"N": "6E+2"},
        "Price": {"N": "2E+3"},
        "Sizes": {"NS": ["1.5", "2"]},
        "Cover": {"B": "AP8="},
        "Nothing": {"NULL": True},
        "Text": {"NULL": True},
        "L": {"L": [{"N": "1"}, {"S": "x"}, {"M": {"a": {"L": []}}}]},
    }


def test_records_of_an_incremental_export():
    lines = [
        '$ion_1_0 {Record:{Keys:{id:"a"},Metadata:{WriteTimestampMicros:1680109764000000.},'
        'OldImage:{id:"a"},NewImage:{id:"a",n:1.}}}',
        '$ion_1_0 {Record:{Keys:{id:"b"},Metadata:{WriteTimestampMicros:1.},OldImage:{id:"b"}}}',
    ]

    records = decode(FORMAT, "\n".join(lines).encode(), PLAIN)

    assert [(record.item, record.deleted) for record in records] == [
        ({"id": {"S": "a"}, "n": {"N": "1"}}, False),
        ({"id": {"S": "b"}}, True),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{Item:{id:sym}}", "attribute id: DynamoDB has no such type"),
        ("{Item:{id:1e0}}", "DynamoDB has no such type"),
        ("{Item:{m:{t:2020-01-01T}}}", r"attribute m\.t: DynamoDB has no such type"),
        ('{Item:{id:{{"clob"}}}}', "DynamoDB has no such type"),
        ('{Item:{id:foo::"x"}}', "DynamoDB has no such type"),
        ('{Item:{id:$dynamodb_XS::["x"]}}', "DynamoDB has no such type"),
        ("{Item:{l:[1,(a b)]}}", r"attribute l\[1\]: "),
        ('{Item:{id:$dynamodb_SS::["x",1]}}', "members of this set have the type S"),
        ('{Item:{id:"x",id:"y"}}', "names this twice: 'id'"),
        ('{Item:{id:"x"', "no Ion value"),
        ('{Item:{id:"\xff"}}', "no Ion value"),
        ('{Item:{id:"' + "x" * 10_000 + '\xff"}}', "no Ion value"),
        ("{Item:{}} {Item:{}}", "no Ion value"),
        ('{id:"x"}', "neither Item nor Record"),
        ('"x"', "expected a struct"),
        ("{Record:{Metadata:{}}}", "a record has Keys"),
        ('{Record:{Keys:{id:"a"},NewImage:{id:"b"}}}', "Keys differ"),
        ("{a:" * 100_000, "no Ion value"),
    ],
)
def test_bad_lines_are_rejected(line, message):
    good = b'$ion_1_0 {Item:{id:"x"}}\n'
    content = good + line.encode("latin-1") + b"\n" + good
    rejected = only_rejection(FORMAT, content, PLAIN)

    assert rejected.position == 2
    assert re.search(message, rejected.reason)
    assert len(rejected.reason) < 500


@pytest.mark.parametrize("length", [900, 1_100, 4_100, 16_500, 70_000, 395_000])
@pytest.mark.parametrize("piece", ["x", "é", "😀", "\\", '"', "\x00", "'", "\u2028", "}}{{", "/*"])
def test_long_texts_survive(length, piece):
    text = "<" + piece * (length // len(piece.encode())) + ">"
    item = {"id": {"S": text}, "s": {"SS": [text, "short"]}, "l": {"L": [{"S": text}]}}

    assert decoded_items(FORMAT, encode(FORMAT, [item])) == [item]


def test_long_texts_with_every_kind_of_escape_are_read():
    written = r"\x41\u00e9\U0001f600\ud83d\ude00\n\"\\" + "é"
    read = 'Aé😀😀\n"\\é'
    content = f'{{Item:{{id:"{written * 1_500}"}}}}'.encode()

    assert decoded_items(FORMAT, content, PLAIN) == [{"id": {"S": read * 1_500}}]


def test_what_cannot_be_written_is_an_error():
    for item in ({"a": {"N": "one"}}, {"a": {"X": "1"}}, {"a": {"S": "\ud800"}}, {"a": {"B": "*"}}):
        with pytest.raises(ItemFormatError, match="not in the form"):
            encode(FORMAT, [item])
