"""Writes rows of Amazon Redshift to files in S3."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.choices import require_choice
from updraft.compat import Context
from updraft.dynamodb.service_errors import explained
from updraft.errors import UpdraftError
from updraft.hooks.s3 import s3_client
from updraft.operators.redshift_load_base import RedshiftLoadOperator
from updraft.operators.redshift_statement_calls import FinishedStatements
from updraft.operators.template_arguments import given, truth
from updraft.redshift.copy_statement import whole_number
from updraft.redshift.credentials import iam_role_clause
from updraft.redshift.identifiers import parse_columns, parse_schema, parse_table
from updraft.redshift.single_statements import query
from updraft.redshift.statement import RedshiftStatement
from updraft.redshift.unload_statement import UnloadOptions, table_query, unload_sql, unload_target
from updraft.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from updraft.operators.redshift_load_lineage import LoadLineage

FAIL, REPLACE, REPLACE_PARTITIONS = "fail", "replace", "replace_partitions"
_WRITTEN = """
SELECT unloaded_rows, unloaded_files_count, unloaded_files_size FROM sys_unload_history
WHERE query_id = :query
"""


class RedshiftUnloadOperator(RedshiftLoadOperator):
    """Write the rows of a query or table to files in S3, once.

    A retry finds the UNLOAD of an earlier attempt, and writes again only what failed. An UNLOAD
    that fails leaves files behind; so ``if_exists`` says what happens to files in the folder:

    - ``fail``: the task fails as long as there are any, those of a failed attempt included.
    - ``replace``: all of them are deleted first, so that the folder has nothing but the rows of
      this UNLOAD.
    - ``replace_partitions``: with ``partition_by``, those of the partitions that get rows are
      deleted; other partitions stay.

    :param query: the query. Give it or ``table``. (templated)
    :param table: the table, ``table`` or ``schema.table``. (templated)
    :param schema: its schema, if the name has none; by default ``public``. (templated)
    :param columns: columns of the table to write; by default all. (templated)
    :param s3_uri: the folder, ``s3://bucket/folder``. (templated)
    :param iam_role: ARN of the role by which Redshift writes, several for a chain of roles, or
        ``default`` for that of the cluster. (templated)
    :param if_exists: what becomes of files that are there. (templated)
    :param file_format: ``csv``, ``tsv``, ``text``, ``json`` or ``parquet``. (templated)
    :param compression: ``gzip``, ``bzip2`` or ``zstd``; by default none. (templated)
    :param delimiter: the character between fields. (templated)
    :param header: whether each file begins with the names of the columns. (templated)
    :param null_as: text that stands for NULL.
    :param add_quotes: for text: whether fields stand in quotes.
    :param escape: for text: whether special characters get a backslash.
    :param parallel: whether each slice writes files of its own. (templated)
    :param max_file_size: longest file in MB, 5 to 6200. (templated)
    :param manifest: ``none``, ``files`` or ``verbose``. (templated)
    :param partition_by: columns whose values become folders. (templated)
    :param include_partition_columns: whether they stay in the files. (templated)
    :param extension: what file names end with.
    :param target_region: region of the bucket, if it is not that of the cluster. (templated)
    :param kwargs: as of
        :class:`~updraft.operators.redshift_statements_base.RedshiftStatementsOperator`.
    """

    template_fields: Sequence[str] = tuple(
        dict.fromkeys(
            (
                *RedshiftLoadOperator.template_fields,
                *aws_template_fields(
                    *("query", "table", "schema", "columns", "s3_uri", "iam_role", "if_exists"),
                    *("file_format", "compression", "delimiter", "header", "parallel"),
                    *("max_file_size", "manifest", "partition_by", "include_partition_columns"),
                    "target_region",
                ),
            )
        )
    )
    template_fields_renderers = {"query": "sql"}  # noqa: RUF012 - Airflow's way

    def __init__(
        self,
        *,
        s3_uri: str,
        query: str | None = None,
        table: str | None = None,
        schema: str | None = None,
        columns: Sequence[str] | str | None = None,
        iam_role: str | None = None,
        if_exists: str = FAIL,
        file_format: str = "csv",
        compression: str | None = None,
        delimiter: str | None = None,
        header: bool | str = False,
        null_as: str | None = None,
        add_quotes: bool = False,
        escape: bool = False,
        parallel: bool | str = True,
        max_file_size: int | str = 0,
        manifest: str = "none",
        partition_by: Sequence[str] | str | None = None,
        include_partition_columns: bool | str = False,
        extension: str | None = None,
        target_region: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.s3_uri = s3_uri
        self.query = query
        self.table = table
        self.schema = schema
        self.columns = columns
        self.iam_role = iam_role
        self.if_exists = if_exists
        self.file_format = file_format
        self.compression = compression
        self.delimiter = delimiter
        self.header = header
        self.null_as = null_as
        self.add_quotes = add_quotes
        self.escape = escape
        self.parallel = parallel
        self.max_file_size = max_file_size
        self.manifest = manifest
        self.partition_by = partition_by
        self.include_partition_columns = include_partition_columns
        self.extension = extension
        self.target_region = target_region

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong, which no retry can mend.
        """
        super().check()
        require_choice("if_exists", self.if_exists, (FAIL, REPLACE, REPLACE_PARTITIONS))
        if self.if_exists == REPLACE_PARTITIONS and not self._options().partition_by:
            raise UpdraftError("if_exists: replace_partitions needs partition_by")
        self._sql()

    def identity(self) -> object:
        """Say what is written where."""
        return ["unload", self._sql(), self.if_exists]

    def statements(self, context: Context) -> Sequence[RedshiftStatement]:
        """Look at the folder, and write the statement.

        :param context: context of the task instance.
        :returns: the statement.
        :raises UpdraftError: when there are files that must not be replaced.
        """
        del context
        if self.if_exists == FAIL:
            self._refuse_files()
        elif self.if_exists == REPLACE and self._options().partition_by:
            self._delete_files()  # CLEANPATH leaves partitions alone that get no rows
        return [RedshiftStatement(self._sql())]

    def finished(self, context: Context, run: FinishedStatements) -> dict[str, Any]:
        """Count rows and files.

        :param context: context of the task instance.
        :param run: how the statement went.
        :returns: ``statement_id``, ``query_id``, ``s3_uri`` and the numbers ``rows``, ``files`` and
            ``bytes``; those that Redshift does not tell are ``None``.
        """
        del context
        [outcome] = run.outcomes
        found = self.rows(_WRITTEN, {"query": outcome.query_id})
        told = found[0] if found else {}
        rows = told.get("unloaded_rows")
        result = {
            "statement_id": run.id,
            "query_id": outcome.query_id,
            "s3_uri": self._target(),
            "rows": rows if rows is not None else outcome.rows if outcome.rows >= 0 else None,
            "files": told.get("unloaded_files_count"),
            "bytes": told.get("unloaded_files_size"),
        }
        self.log.info("Unloaded: %s", result)
        self.remember_lineage(lambda: self._described(run, result))
        return result

    def declared_lineage(self, region: str) -> "OperatorLineage[Any, Any] | None":
        """Name the tables of the query and the folder.

        :param region: the region of the database.
        :returns: the lineage.
        :raises UpdraftError: when an argument is wrong.
        :raises ImportError: when OpenLineage is not installed.
        """
        from updraft.operators.redshift_lineage import declared  # noqa: PLC0415 - optional

        return declared(self._sql(), self.place, region)

    def _query(self) -> str:
        text, name = given(self.query), given(self.table)
        if (text is None) == (name is None):
            raise UpdraftError("give either query or table")
        columns = parse_columns("columns", self.columns)
        if text is not None:
            if columns:
                raise UpdraftError("columns: is for a table; a query names its own")
            return query("query", text)
        schema = parse_schema("schema", given(self.schema))
        return table_query(parse_table("table", name, schema), columns)

    def _target(self) -> str:
        return unload_target("s3_uri", self.s3_uri)

    def _sql(self) -> str:
        role = iam_role_clause("iam_role", given(self.iam_role))
        clean = self.if_exists != FAIL
        return unload_sql(self._query(), self._target(), role, self._options(), clean=clean)

    def _options(self) -> UnloadOptions:
        return UnloadOptions(
            file_format=self.file_format,
            compression=given(self.compression),
            delimiter=given(self.delimiter),
            header=truth("header", self.header),
            null_as=self.null_as,
            add_quotes=self.add_quotes,
            escape=self.escape,
            parallel=truth("parallel", self.parallel),
            max_file_size=whole_number("max_file_size", self.max_file_size or 0),
            manifest=self.manifest,
            partition_by=parse_columns("partition_by", self.partition_by),
            include_partition_columns=truth(
                "include_partition_columns", self.include_partition_columns
            ),
            extension=given(self.extension),
            region=given(self.target_region),
        )

    def _files(self) -> tuple[Any, str, Any]:
        bucket, prefix = parse_s3_uri(self._target())
        client = s3_client(**self._hook_parameters)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return client, bucket, pages

    def _refuse_files(self) -> None:
        _, _, pages = self._files()
        with explained("s3:ListBucket", self._target()):
            first = next((one["Key"] for page in pages for one in page.get("Contents", ())), None)
        if first is not None:
            raise UpdraftError(
                f"s3_uri: {self._target()} has files, such as {first!r}. They may be another "
                "UNLOAD's, or those of an attempt that failed: delete them, take another folder, "
                "or set if_exists to replace"
            )

    def _delete_files(self) -> None:
        client, bucket, pages = self._files()
        with explained("s3:DeleteObject", self._target()):
            for page in pages:
                keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
                if not keys:
                    continue
                self.kill_switch.check()
                answer = client.delete_objects(Bucket=bucket, Delete={"Objects": keys})
                for error in answer.get("Errors", ()):
                    raise UpdraftError(
                        f"s3://{bucket}/{error.get('Key')} could not be deleted: "
                        f"{error.get('Code')}: {error.get('Message')}"
                    )
                self.log.info("Deleted %d files in %s", len(keys), self._target())

    def _described(self, run: FinishedStatements, result: dict[str, Any]) -> "LoadLineage":
        from updraft.operators.redshift_load_lineage import (  # noqa: PLC0415 - optional
            unload_lineage,
        )

        return unload_lineage(self, self._target(), run, result)
