"""Files are what their manifest promises, or reading them fails."""

import base64
import gzip
import hashlib
import io

import pytest

from updraft.dynamodb.data_files import ChecksumStream, DataFile, read_records
from updraft.dynamodb.formats import ItemFormatError, create_format

FORMAT = create_format("DYNAMODB_JSON", {"id": "S"})
CONTENT = b"".join(FORMAT.encode({"id": {"S": str(n)}} for n in range(10_000)))
MD5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
OTHER_MD5 = base64.b64encode(bytes(16)).decode()
URI = "s3://b/data/x.json.gz"


def _read(file, content=CONTENT):
    return list(read_records(file, io.BytesIO(content), FORMAT))


def test_a_file_that_is_what_it_should_be():
    assert len(_read(DataFile(URI, md5=MD5, item_count=10_000))) == 10_000
    assert len(_read(DataFile(URI))) == 10_000


def test_another_file_of_the_same_form_is_refused_at_its_end():
    file = DataFile(URI, md5=OTHER_MD5)
    records = []

    with pytest.raises(ItemFormatError) as error:
        records.extend(read_records(file, io.BytesIO(CONTENT), FORMAT))

    assert str(error.value).startswith(
        f"{URI}: its MD5 is {MD5}, its manifest promises {OTHER_MD5}"
    )
    assert len(records) == 10_000


def test_bytes_behind_the_content_count():
    with pytest.raises(ItemFormatError, match="its MD5 is"):
        _read(DataFile(URI, md5=MD5), CONTENT + bytes(8))


@pytest.mark.parametrize("suffix", ["NONE", "GZIP", "ZSTD"])
def test_every_compression_is_read_to_its_end(suffix):
    item_format = create_format("ION", {}, {"compression": suffix})
    content = b"".join(item_format.encode([{"id": {"S": "a"}}]))
    file = DataFile(f"s3://b/f{item_format.file_suffix}", md5=OTHER_MD5)

    with pytest.raises(ItemFormatError, match="its MD5 is"):
        list(read_records(file, io.BytesIO(content), item_format))


def test_a_file_with_fewer_items_is_refused():
    with pytest.raises(ItemFormatError, match="holds 10,000 records, its manifest promises 10,001"):
        _read(DataFile(URI, item_count=10_001))


def test_rejected_records_count_as_records():
    content = gzip.compress(b'{"Item":{}}\nno item\n')

    assert len(_read(DataFile(URI, item_count=2), content)) == 2


def test_a_truncated_file_is_named_with_its_line():
    with pytest.raises(ItemFormatError, match=r"x\.json\.gz, line \d+: .*breaks off"):
        _read(DataFile(URI, item_count=10_000), CONTENT[:-100])
    with pytest.raises(ItemFormatError, match="its MD5 is"):
        _read(DataFile(URI, md5=MD5), CONTENT[:-100])


def test_jumping_to_where_one_is_keeps_the_check_and_elsewhere_ends_it():
    checked = ChecksumStream(io.BytesIO(b"abc"), OTHER_MD5, URI)
    checked.read(1)
    checked.seek(1)
    with pytest.raises(ItemFormatError):
        checked.read()

    jumped = ChecksumStream(io.BytesIO(b"abc"), OTHER_MD5, URI)
    assert jumped.seek(1) == 1
    assert (jumped.read(), jumped.tell()) == (b"bc", 3)
