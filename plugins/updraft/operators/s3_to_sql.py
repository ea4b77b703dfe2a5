"""Loads files of S3 into a database; takes the place of CopyActivity from S3 to SqlDataNode."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import ArgumentError
from updraft.hooks.sql import SqlDatabase, SqlSession, explained
from updraft.operators.copy_base import CopyOperator, files_below, location, uri_of
from updraft.operators.copy_formats import is_gzip, row_format
from updraft.operators.dynamodb_base import copy_identity, task_identity
from updraft.operators.sql_load_ledger import DEFAULT_TABLE, LoadLedger
from updraft.operators.sql_to_s3 import DEFAULT_BATCH_ROWS, check_rows
from updraft.operators.template_arguments import given
from updraft.operators.try_series import try_series
from updraft.redshift.identifiers import text_list
from updraft.s3_uri import S3Uri
from updraft.sql_parameters import positional_places
from updraft.text_formats.row_format import Record, RowError, RowFormat

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class CopyS3ToSqlOperator(CopyOperator):
    r"""Run an INSERT for each row of one or more files in S3, in one transaction.

    In AWS Data Pipeline that is a CopyActivity whose input is an S3DataNode and whose output is a
    SqlDataNode (or MySqlDataNode) with an ``insertQuery``. Values are bound, as texts or NULL, and
    become what the column is: never is a statement made of them.

    The provider's ``S3ToSqlOperator`` commits every thousand rows, so that a retry doubles what was
    committed, knows no INSERT but its own, and keeps the file on the worker's disk.

    All rows of all files are committed at once or not at all. In the same transaction the load
    leaves a row in ``ledger_table``: a retry that finds it loads nothing. Clearing the task makes
    it load anew.

    :param s3_uri: an object, ``filePath``; with a slash at its end a directory, ``directoryPath``,
        all of whose objects are loaded. (templated)
    :param sql_conn_id: Airflow connection of the database, of any type that ``common.sql``
        supports. (templated)
    :param insert_query: a statement with a question mark for each column of a row, ``insertQuery``.
        (templated)
    :param table: in place of ``insert_query``, the table that gets the rows; beside it, that which
        ``create_table_sql`` makes. (templated)
    :param columns: its columns in the order of those in the files; by default all of them.
        (templated)
    :param create_table_sql: is run first if ``table`` is given and is not there,
        ``createTableSql``. (templated)
    :param sql_hook_params: further arguments of the connection's hook.
    :param file_format: ``csv``, ``tsv``, ``custom`` or ``regex``. (templated)
    :param file_format_options: options of the format, see
        :func:`updraft.text_formats.named_formats.named_format`. (templated)
    :param compression: ``none`` or ``gzip``. (templated)
    :param batch_rows: number of rows that are sent at a time.
    :param ledger_table: the table in the same database that remembers loads; it is made if it is
        not there. ``None`` for none, then a retry after a lost COMMIT repeats the load. (templated)
    :param kwargs: as of :class:`updraft.operators.copy_base.CopyOperator`.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "s3_uri",
        "sql_conn_id",
        "insert_query",
        "table",
        "columns",
        "create_table_sql",
        "file_format",
        "file_format_options",
        "compression",
        "ledger_table",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"insert_query": "sql", "create_table_sql": "sql"}  # noqa: RUF012 - as Airflow declares it

    def __init__(
        self,
        *,
        s3_uri: str,
        sql_conn_id: str,
        insert_query: str | None = None,
        table: str | None = None,
        columns: Sequence[str] | str | None = None,
        create_table_sql: str | None = None,
        sql_hook_params: Mapping[str, Any] | None = None,
        file_format: str = "csv",
        file_format_options: Mapping[str, Any] | str | None = None,
        compression: str | None = "none",
        batch_rows: int = DEFAULT_BATCH_ROWS,
        ledger_table: str | None = DEFAULT_TABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.s3_uri = s3_uri
        self.sql_conn_id = sql_conn_id
        self.insert_query = insert_query
        self.table = table
        self.columns = columns
        self.create_table_sql = create_table_sql
        self.sql_hook_params = sql_hook_params
        self.file_format = file_format
        self.file_format_options = file_format_options
        self.compression = compression
        self.batch_rows = batch_rows
        self.ledger_table = ledger_table
        self._database: SqlDatabase | None = None

    def copy(self, context: Context) -> dict[str, Any]:
        """Load the files.

        :param context: context of the task instance.
        :returns: numbers of ``rows`` and ``files``, and whether an earlier attempt had loaded them,
            ``already_loaded``.
        :raises UpdraftError: when it was not possible; nothing was loaded then.
        """
        self._check()
        form = row_format("file_format", self.file_format, self.file_format_options)
        gzip = is_gzip("compression", self.compression)
        load_id = copy_identity(task_identity(context), try_series(context))
        client = self.client()
        database = self._database = SqlDatabase(self.sql_conn_id, self.sql_hook_params)
        try:
            with database.session() as session:
                ledger = self._ledger(session, load_id)
                before = ledger.find() if ledger is not None else None
                if before is not None:
                    self.log.info("An earlier attempt has loaded %s rows", f"{before:,}")
                    return {"rows": before, "files": None, "already_loaded": True}
                files = files_below(client, "s3_uri", self.s3_uri)
                self._create_table(session)
                if ledger is not None:
                    with explained(
                        f"ledger_table: the load {load_id} can't be entered; another attempt may "
                        "be loading just now"
                    ):
                        ledger.enter()
                records = self._all_records(client, files, form, gzip=gzip)
                statement, rows = self._load(session, records)
                with explained("the load can't be committed"):
                    if ledger is not None:
                        ledger.count(rows)
                    self.kill_switch.check()
                    session.commit()
        finally:
            self._database = None
        self.log.info("Loaded %s rows of %s files", f"{rows:,}", f"{len(files):,}")
        self.remember_lineage(lambda: self._described(database, statement, rows))
        return {"rows": rows, "files": len(files), "already_loaded": False}

    def places(self) -> tuple[str | None, str | None]:
        """Say where files are read and written."""
        return self.s3_uri, None

    def on_kill(self) -> None:
        """End what is running; nothing is committed any more."""
        super().on_kill()
        if self._database is not None:
            self._database.cancel()

    def _check(self) -> None:
        self.insert_query, self.table = given(self.insert_query), given(self.table)
        self.create_table_sql = given(self.create_table_sql)
        self.ledger_table = given(self.ledger_table)
        check_rows("batch_rows", self.batch_rows)
        location("s3_uri", self.s3_uri)
        if self.insert_query is None and self.table is None:
            raise ArgumentError("insert_query, table: one of them has to be given")
        if self.create_table_sql is not None and self.table is None:
            raise ArgumentError(
                "create_table_sql: needs table, the table that it makes where it is missing"
            )
        if self.insert_query is not None:
            if self.columns:
                raise ArgumentError("columns: insert_query names the columns itself")
            if self.table is not None and self.create_table_sql is None:
                raise ArgumentError(
                    "insert_query, table: exactly one of them has to be given, unless there is "
                    "create_table_sql"
                )
            if not positional_places(self.insert_query):
                raise ArgumentError(
                    f"insert_query: {self.insert_query!r} has no question marks for the columns of "
                    "a row. Those in strings, comments and quoted names don't count"
                )

    def _ledger(self, session: SqlSession, load_id: str) -> LoadLedger | None:
        if self.ledger_table is None:
            self.log.warning(
                "Without ledger_table, a retry can't tell whether an earlier attempt was committed"
            )
            return None
        return LoadLedger(session, session.table("ledger_table", self.ledger_table), load_id)

    def _create_table(self, session: SqlSession) -> None:
        if self.create_table_sql is None or self.table is None:
            return
        name = session.table("table", self.table)
        try:
            session.execute(f"SELECT 1 FROM {name} WHERE 1 = 0").close()  # noqa: S608 - its name is quoted
        except Exception:  # noqa: BLE001 - each driver has its own for a missing table
            session.rollback()
            with explained("create_table_sql"):
                session.execute(self.create_table_sql).close()
                session.commit()

    def _all_records(
        self, client: "S3Client", files: Sequence[S3Uri], form: RowFormat, *, gzip: bool
    ) -> Iterator[tuple[S3Uri, Record]]:
        for file in files:
            with closing(self.records(client, file, form, gzip)) as records:
                for record in records:
                    yield file, record

    def _load(
        self, session: SqlSession, records: Iterator[tuple[S3Uri, Record]]
    ) -> tuple[str, int]:
        """Send all rows.

        :returns: the statement with question marks, and the number of rows.
        """
        first = next(records, None)
        width = len(first[1].values) if first else 1
        sql = self.insert_query or self._insert(session, width)
        expected = len(positional_places(sql))
        statement = session.marked(sql)
        count = 0
        rows = itertools.chain([first] if first else [], records)
        while batch := list(itertools.islice(rows, self.batch_rows)):
            for file, record in batch:
                if len(record.values) != expected:
                    raise RowError(
                        f"{uri_of(file)}: record {record.number:,} has {len(record.values)} columns"
                        f", and the statement takes {expected}"
                    )
            (begin, start), (end, stop) = batch[0], batch[-1]
            with explained(
                f"{uri_of(begin)}, record {start.number:,}, to {uri_of(end)}, record "
                f"{stop.number:,}, can't be loaded"
            ):
                session.execute_many(statement, [record.values for _, record in batch])
            count += len(batch)
            self.kill_switch.check()
        return sql, count

    def _insert(self, session: SqlSession, width: int) -> str:
        """Make an INSERT of the names that were given."""
        table = session.table("table", self.table or "")
        names = [session.column("columns", one) for one in text_list("columns", self.columns)]
        listed = f" ({', '.join(names)})" if names else ""
        marks = ", ".join(["?"] * (len(names) or width))
        return f"INSERT INTO {table}{listed} VALUES ({marks})"  # noqa: S608 - names are quoted

    def _described(self, database: SqlDatabase, statement: str, rows: int) -> Any:
        from updraft.operators import copy_lineage as lineage  # noqa: PLC0415 - optional

        return lineage.insert_lineage(database, statement, self.s3_uri, lineage.Amount(rows=rows))
