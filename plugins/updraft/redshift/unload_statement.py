"""Writes UNLOAD statements.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from updraft.choices import choose, require_choice
from updraft.errors import UpdraftError
from updraft.redshift.copy_statement import character, region_option, whole_number
from updraft.redshift.identifiers import TableName, quoted
from updraft.redshift.literals import literal
from updraft.s3_uri import parse_s3_uri

FORMATS = {"csv": "CSV", "json": "JSON", "parquet": "PARQUET", "text": "TEXT", "tsv": "TEXT"}
COMPRESSIONS = ("gzip", "bzip2", "zstd")
_SMALLEST_FILE, _LARGEST_FILE = 5, 6200


@dataclass(frozen=True, slots=True)
class UnloadOptions:
    r"""What files an UNLOAD writes.

    :param file_format: one of :data:`FORMATS`.
    :param compression: one of :data:`COMPRESSIONS`, ``None`` for none; Parquet has its own.
    :param delimiter: the character between two fields; also as ``\t`` or ``\001``.
    :param header: whether the first line of each file has the names of the columns.
    :param null_as: text that stands for NULL.
    :param add_quotes: for text: whether fields stand in quotes.
    :param escape: for text: whether special characters get a backslash.
    :param parallel: whether each slice writes files of its own; otherwise one file after the other
        in the order of the query.
    :param max_file_size: longest file in MB, 5 to 6200; 0 for what Redshift takes.
    :param manifest: ``none``, ``files`` for a list of the files, ``verbose`` for one with columns
        and numbers of rows.
    :param partition_by: columns whose values become folders ``<column>=<value>/``.
    :param include_partition_columns: whether they stay in the files.
    :param extension: what file names end with.
    :param region: region of the bucket, if it is not that of the cluster.
    """

    file_format: str = "csv"
    compression: str | None = None
    delimiter: str | None = None
    header: bool = False
    null_as: str | None = None
    add_quotes: bool = False
    escape: bool = False
    parallel: bool = True
    max_file_size: int = 0
    manifest: str = "none"
    partition_by: tuple[str, ...] = ()
    include_partition_columns: bool = False
    extension: str | None = None
    region: str | None = None

    def clauses(self) -> list[str]:
        """Write the options.

        :returns: them.
        :raises UpdraftError: when one has a value that it can't have, or some exclude each other.
        """
        form = choose("file_format", self.file_format, FORMATS)
        self._check(form)
        delimiter = character("delimiter", self.delimiter)
        if self.file_format == "tsv" and delimiter is None:
            delimiter = "\t"
        region = region_option("region", self.region)
        clauses = [
            f"FORMAT AS {form}",
            self._partitions(),
            self._manifest(),
            "HEADER" if self.header else "",
            f"DELIMITER AS {literal(delimiter)}" if delimiter is not None else "",
            (self.compression or "").upper(),
            "ADDQUOTES" if self.add_quotes else "",
            "ESCAPE" if self.escape else "",
            f"NULL AS {literal(self.null_as)}" if self.null_as is not None else "",
            "" if self.parallel else "PARALLEL OFF",
            self._size(),
            region.sql if region else "",
            f"EXTENSION {literal(self.extension)}" if self.extension else "",
        ]
        return [clause for clause in clauses if clause]

    def _check(self, form: str) -> None:
        if self.compression is not None:
            require_choice("compression", self.compression, COMPRESSIONS)
        require_choice("manifest", self.manifest, ("none", "files", "verbose"))
        if form in {"PARQUET", "JSON"}:
            for name in ("delimiter", "header", "null_as", "add_quotes", "escape"):
                if getattr(self, name) not in {None, False}:
                    raise UpdraftError(f"{name}: is for text and CSV only, not for {form}")
        if form == "PARQUET" and self.compression is not None:
            raise UpdraftError("compression: Parquet has its own, leave it out")
        if form == "CSV" and (self.add_quotes or self.escape):
            raise UpdraftError("add_quotes, escape: are for text only; CSV has its own quotes")
        if self.include_partition_columns and not self.partition_by:
            raise UpdraftError("include_partition_columns: needs partition_by")
        if self.extension is not None and "/" in self.extension:
            raise UpdraftError(f"extension: {self.extension!r} has a slash")

    def _partitions(self) -> str:
        if not self.partition_by:
            return ""
        include = " INCLUDE" if self.include_partition_columns else ""
        return f"PARTITION BY ({', '.join(map(quoted, self.partition_by))}){include}"

    def _manifest(self) -> str:
        return {"none": "", "files": "MANIFEST", "verbose": "MANIFEST VERBOSE"}[self.manifest]

    def _size(self) -> str:
        size = whole_number("max_file_size", self.max_file_size or 0)
        if not size:
            return ""
        if not _SMALLEST_FILE <= size <= _LARGEST_FILE:
            raise UpdraftError(
                f"max_file_size: {size} is not from {_SMALLEST_FILE} to {_LARGEST_FILE} MB"
            )
        return f"MAXFILESIZE {size} MB"


def table_query(table: TableName, columns: Sequence[str] = ()) -> str:
    """Write the query for a table as a whole.

    :param table: the table.
    :param columns: the columns to write; none for all.
    :returns: the query.
    """
    return f"SELECT {', '.join(map(quoted, columns)) or '*'} FROM {table.sql}"  # noqa: S608 - names are quoted


def unload_target(argument: str, uri: object) -> str:
    """Check the folder that files are written to.

    :param argument: name of the argument, for the error message.
    :param uri: the URI.
    :returns: it, with a slash at its end.
    :raises UpdraftError: when it is none, or a whole bucket.
    """
    try:
        bucket, key = parse_s3_uri(str(uri))
    except UpdraftError as error:
        raise UpdraftError(f"{argument}: {error}") from None
    if not key.strip("/"):
        raise UpdraftError(f"{argument}: {uri!r} names a whole bucket; give a folder in it")
    return f"s3://{bucket}/{key.rstrip('/')}/"


def unload_sql(query: str, target: str, role: str, options: UnloadOptions, *, clean: bool) -> str:
    """Write an UNLOAD.

    :param query: the query.
    :param target: the folder, as :func:`unload_target` checked it.
    :param role: the role as SQL.
    :param options: what the files are like.
    :param clean: whether files that are there are removed first.
    :returns: the statement.
    :raises UpdraftError: when an option is wrong.
    """
    clauses = [*options.clauses(), *(["CLEANPATH"] if clean else [])]
    return f"UNLOAD ({literal(query)}) TO {literal(target)} {role} {' '.join(clauses)}"
