"""Tells the format of files by their names."""

from collections.abc import Iterable

from updraft.dynamodb.data_files import DataFile

_FORMATS_BY_SUFFIX = {
    ".parquet": "PARQUET",
    ".csv": "CSV",
    ".ion": "ION",
    ".jsonl": "DYNAMODB_JSON_LINES",
    ".json": "DYNAMODB_JSON",
}
_COMPRESSION_SUFFIXES = (".gz", ".zst", ".bz2", ".deflate")


def format_of_name(uri: str) -> str | None:
    """Tell the format of a file by its name.

    :param uri: URI of the file.
    :returns: name of the format, ``None`` when the name does not tell.
    """
    name = uri.rpartition("/")[2].lower()
    for suffix in _COMPRESSION_SUFFIXES:
        name = name.removesuffix(suffix)
    for suffix, format_name in _FORMATS_BY_SUFFIX.items():
        if name.endswith(suffix):
            return format_name
    return None


def common_format(files: Iterable[DataFile]) -> str | None:
    """Tell the format of several files by their names.

    :param files: the files.
    :returns: name of the format, ``None`` when the names do not tell, or not the same.
    """
    formats = {format_of_name(file.uri) for file in files}
    return formats.pop() if len(formats) == 1 else None
