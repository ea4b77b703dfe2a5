"""Writes the result of a query to S3; takes the place of CopyActivity from SqlDataNode to S3."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import ArgumentError, PermanentError
from updraft.hooks.sql import SqlDatabase, SqlSession, explained
from updraft.operators.copy_base import (
    CopyOperator,
    is_directory,
    location,
    query_parameters,
    uri_of,
)
from updraft.operators.copy_formats import is_gzip, row_format
from updraft.operators.template_arguments import given
from updraft.s3_uri import S3Uri
from updraft.text_formats.byte_streams import encoded
from updraft.text_formats.row_format import RowError, Value
from updraft.text_formats.sql_values import text_of

DEFAULT_BATCH_ROWS = 1000
_SUFFIXES = {"csv": ".csv", "tsv": ".tsv"}


class CopySqlToS3Operator(CopyOperator):
    r"""Write the result of a query to one object in S3, row by row.

    In AWS Data Pipeline that is a CopyActivity whose input is a SqlDataNode (or MySqlDataNode) with
    a ``selectQuery`` and whose output is an S3DataNode. The text is that of the legacy service:
    nothing is quoted, a backslash stands before separators, there is no line of names.

    The provider's ``SqlToS3Operator`` reads the whole result into a data frame, which takes its
    memory and its idea of types: a column of integers with a NULL becomes one of floats, decimals
    and times lose digits. Take it for Parquet or JSON of small results.

    The object appears when it is complete, and replaces the one before. A retry asks the database
    again and writes to the same key.

    :param query: the SELECT, ``selectQuery``. (templated)
    :param s3_uri: the object, ``filePath``; with a slash at its end a directory,
        ``directoryPath``, that gets an object ``part-00000.csv`` or so. (templated)
    :param sql_conn_id: Airflow connection of the database, of any type that ``common.sql``
        supports. (templated)
    :param sql_hook_params: further arguments of the connection's hook.
    :param parameters: values of the question marks in the query, in order; they are bound. With
        ``None``, question marks are what the database takes them for. (templated)
    :param file_format: ``csv``, ``tsv``, ``custom`` or ``regex``. (templated)
    :param file_format_options: options of the format, see
        :func:`updraft.text_formats.named_formats.named_format`. (templated)
    :param compression: ``none`` or ``gzip``. (templated)
    :param batch_rows: number of rows that are fetched at a time.
    :param kwargs: as of :class:`updraft.operators.copy_base.CopyOperator`.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "query",
        "s3_uri",
        "sql_conn_id",
        "parameters",
        "file_format",
        "file_format_options",
        "compression",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"query": "sql"}  # noqa: RUF012 - as Airflow declares it

    def __init__(
        self,
        *,
        query: str,
        s3_uri: str,
        sql_conn_id: str,
        sql_hook_params: Mapping[str, Any] | None = None,
        parameters: Sequence[object] | None = None,
        file_format: str = "csv",
        file_format_options: Mapping[str, Any] | str | None = None,
        compression: str | None = "none",
        batch_rows: int = DEFAULT_BATCH_ROWS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.query = query
        self.s3_uri = s3_uri
        self.sql_conn_id = sql_conn_id
        self.sql_hook_params = sql_hook_params
        self.parameters = parameters
        self.file_format = file_format
        self.file_format_options = file_format_options
        self.compression = compression
        self.batch_rows = batch_rows
        self._database: SqlDatabase | None = None

    def copy(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - as the base has it
        """Write the result of the query.

        :param context: context of the task instance.
        :returns: ``rows``, ``bytes`` and the ``s3_uri`` of the object, and the names of its
            ``columns``, which the file itself does not have.
        :raises UpdraftError: when it was not possible.
        """
        form = row_format("file_format", self.file_format, self.file_format_options)
        gzip = is_gzip("compression", self.compression)
        parameters = query_parameters("parameters", self.parameters)
        check_rows("batch_rows", self.batch_rows)
        if given(self.query) is None:
            raise ArgumentError("query: is empty")
        target = self._target(gzip=gzip)
        client = self.client()
        database = self._database = SqlDatabase(self.sql_conn_id, self.sql_hook_params)
        result = _Result(self.batch_rows)
        try:
            with database.session() as session:
                rows = result.rows(session, self.query, parameters)
                size = self.upload(client, target, encoded(form.write(rows)), gzip)
        except RowError as error:
            raise RowError(f"query: {error}") from error
        finally:
            self._database = None
        uri = uri_of(target)
        self.log.info("Wrote %s rows, %s bytes, to %s", f"{result.count:,}", f"{size:,}", uri)
        self.remember_lineage(lambda: self._described(database, uri, result, size))
        return {
            "rows": result.count,
            "bytes": size,
            "s3_uri": uri,
            "columns": result.columns,
        }

    def places(self) -> tuple[str | None, str | None]:
        """Say where files are read and written."""
        gzip = is_gzip("compression", self.compression)
        return None, uri_of(self._target(gzip=gzip))

    def on_kill(self) -> None:
        """End the query and leave the object as it was."""
        super().on_kill()
        if self._database is not None:
            self._database.cancel()

    def _target(self, *, gzip: bool) -> S3Uri:
        place = location("s3_uri", self.s3_uri)
        if not is_directory(place):
            return place
        suffix = _SUFFIXES.get(self.file_format.lower(), ".txt") + (".gz" if gzip else "")
        return S3Uri(place.bucket, f"{place.key}part-00000{suffix}")

    def _described(self, database: SqlDatabase, uri: str, result: "_Result", size: int) -> Any:
        from updraft.operators import copy_lineage as lineage  # noqa: PLC0415 - optional

        amount = lineage.Amount(rows=result.count, size=size, files=1)
        return lineage.query_lineage(
            database, self.query, uri, result.columns, amount, is_bound=bool(self.parameters)
        )


class _Result:
    """The rows of a query, as far as they have been fetched.

    :param batch_rows: number of rows that are fetched at a time.
    """

    def __init__(self, batch_rows: int) -> None:
        self._batch_rows = batch_rows
        self.columns: list[str] = []
        self.count = 0

    def rows(
        self, session: SqlSession, query: str, parameters: Sequence[object]
    ) -> Iterator[tuple[Value, ...]]:
        """Run the query.

        :param session: the connection to the database.
        :param query: the query.
        :param parameters: values of its question marks.
        :returns: its rows as texts.
        :raises UpdraftError: when the database refuses, or a value has no text.
        """
        with explained("query"):
            cursor = session.stream(query, parameters, self._batch_rows)
        with closing(cursor):
            while True:
                with explained("query"):
                    batch = cursor.fetchmany(self._batch_rows)
                self.columns = [str(column[0]) for column in cursor.description or ()]
                if not self.columns:
                    raise ArgumentError("query: gives no rows; it has to be a SELECT")
                if not batch:
                    return
                for row in batch:
                    self.count += 1
                    yield self._texts(row)

    def _texts(self, row: Sequence[object]) -> tuple[Value, ...]:
        values: list[Value] = []
        for name, value in zip(self.columns, row, strict=True):
            try:
                values.append(text_of(value))
            except PermanentError as error:
                raise RowError(f"column {name!r} of row {self.count:,}: {error}") from None
        return tuple(values)


def check_rows(argument: str, value: object) -> None:
    """Check a number of rows.

    :param argument: name of the argument, for the error message.
    :param value: the number.
    :raises ArgumentError: when it is no whole number above 0.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(f"{argument}: {value!r} is not a whole number of rows, such as 1000")
