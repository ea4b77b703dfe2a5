"""The arguments of a load into Amazon Redshift, and what is read from them."""

from collections.abc import Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.errors import UpdraftError
from updraft.operators.redshift_load_base import RedshiftLoadOperator
from updraft.operators.template_arguments import given, truth
from updraft.redshift.copy_options import Option, check_options, parse_command_options
from updraft.redshift.copy_statement import (
    FileOptions,
    copy_sql,
    dynamodb_source,
    read_ratio,
    s3_source,
    whole_number,
)
from updraft.redshift.credentials import iam_role_clause
from updraft.redshift.identifiers import (
    TableName,
    parse_columns,
    parse_schema,
    parse_table,
    quoted,
)
from updraft.redshift.insert_modes import STAGING, Load, fill_from_table, insert_mode
from updraft.redshift.single_statements import query, table_definition

_READ_RATIO = "25"


class RedshiftCopyArguments(RedshiftLoadOperator):
    r"""The arguments of :class:`updraft.operators.redshift_copy.RedshiftCopyOperator`.

    :param table: the target, ``table`` or ``schema.table``. (templated)
    :param schema: its schema, if the name has none; by default ``public``. (templated)
    :param s3_uri: file, prefix or manifest to load. Give one of ``s3_uri``, ``dynamodb_table`` and
        ``source_table``. (templated)
    :param dynamodb_table: name of a table of DynamoDB to load. (templated)
    :param source_table: another table of the database to load, with columns in the same order.
        (templated)
    :param iam_role: ARN of the role by which Redshift reads S3 or DynamoDB, several for a chain of
        roles, or ``default`` for that of the cluster. (templated)
    :param insert_mode: what becomes of the rows that the target has. (templated)
    :param columns: the columns to load, in the order of the input; by default all. Needed if one
        of the table is an IDENTITY. (templated)
    :param primary_keys: columns by which rows are compared; by default the primary key of the
        table, and if it has none its distribution and sort keys. (templated)
    :param transform_sql: query over ``staging`` that gives the rows for the target. (templated)
    :param create_table_sql: CREATE TABLE for the target if there is none. (templated)
    :param file_format: ``csv``, ``tsv``, ``text``, ``json``, ``avro``, ``parquet`` or ``orc``; by
        default delimited text as the other options say. (templated)
    :param compression: ``gzip``, ``bzip2``, ``zstd`` or ``lzop``; by default none. (templated)
    :param delimiter: the character between fields. (templated)
    :param ignore_header: number of lines to leave out at the beginning of each file. (templated)
    :param null_as: text that stands for NULL.
    :param json_paths: URI of the paths for JSON and Avro, ``auto`` or ``auto ignorecase``.
        (templated)
    :param max_error: number of lines that may fail; the log shows them. (templated)
    :param date_format: how dates are written, or ``auto``.
    :param time_format: how times are written, or ``auto``.
    :param manifest: whether ``s3_uri`` is a manifest. (templated)
    :param source_region: region of the bucket or DynamoDB table, if it is not that of the cluster.
        (templated)
    :param read_ratio: per cent of the DynamoDB table's capacity to use, 1 to 200; by default 25.
        (templated)
    :param copy_options: further options of COPY as they are written there, such as
        ``["EMPTYASNULL", "DELIMITER ';'"]``, what ``commandOptions`` was. (templated)
    :param kwargs: as of
        :class:`~updraft.operators.redshift_statements_base.RedshiftStatementsOperator`.
    """

    template_fields: Sequence[str] = tuple(
        dict.fromkeys(
            (
                *RedshiftLoadOperator.template_fields,
                *aws_template_fields(
                    *("table", "schema", "s3_uri", "dynamodb_table", "source_table", "iam_role"),
                    *("insert_mode", "columns", "primary_keys", "transform_sql"),
                    *("create_table_sql", "file_format", "compression", "delimiter"),
                    *("ignore_header", "json_paths", "max_error", "manifest", "source_region"),
                    *("read_ratio", "copy_options"),
                ),
            )
        )
    )
    template_fields_renderers = {"transform_sql": "sql", "create_table_sql": "sql"}  # noqa: RUF012

    def __init__(
        self,
        *,
        table: str,
        schema: str | None = None,
        s3_uri: str | None = None,
        dynamodb_table: str | None = None,
        source_table: str | None = None,
        iam_role: str | None = None,
        insert_mode: str = "APPEND",
        columns: Sequence[str] | str | None = None,
        primary_keys: Sequence[str] | str | None = None,
        transform_sql: str | None = None,
        create_table_sql: str | None = None,
        file_format: str | None = None,
        compression: str | None = None,
        delimiter: str | None = None,
        ignore_header: int | str = 0,
        null_as: str | None = None,
        json_paths: str | None = None,
        max_error: int | str = 0,
        date_format: str | None = None,
        time_format: str | None = None,
        manifest: bool | str = False,
        source_region: str | None = None,
        read_ratio: int | str | None = None,
        copy_options: Sequence[str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.schema = schema
        self.s3_uri = s3_uri
        self.dynamodb_table = dynamodb_table
        self.source_table = source_table
        self.iam_role = iam_role
        self.insert_mode = insert_mode
        self.columns = columns
        self.primary_keys = primary_keys
        self.transform_sql = transform_sql
        self.create_table_sql = create_table_sql
        self.file_format = file_format
        self.compression = compression
        self.delimiter = delimiter
        self.ignore_header = ignore_header
        self.null_as = null_as
        self.json_paths = json_paths
        self.max_error = max_error
        self.date_format = date_format
        self.time_format = time_format
        self.manifest = manifest
        self.source_region = source_region
        self.read_ratio = read_ratio
        self.copy_options = copy_options

    def load(self) -> Load:
        """Read what is loaded.

        :returns: the target and what becomes of its rows.
        :raises UpdraftError: when an argument is wrong.
        """
        schema = parse_schema("schema", given(self.schema))
        table = parse_table("table", self.table, schema)
        if given(self.schema) and table.schema != schema:
            raise UpdraftError(f"table: {self.table!r} is not in schema {schema!r}")
        transformation, definition = given(self.transform_sql), given(self.create_table_sql)
        return Load(
            table,
            insert_mode("insert_mode", self.insert_mode),
            columns=parse_columns("columns", self.columns),
            primary_keys=parse_columns("primary_keys", self.primary_keys),
            transformation=query("transform_sql", transformation) if transformation else None,
            definition=(
                table_definition("create_table_sql", definition, table) if definition else None
            ),
        )

    def fill(self, load: Load) -> str:
        """Write the statement that fills the staging table.

        :param load: what is loaded.
        :returns: a COPY, or an INSERT from another table.
        :raises UpdraftError: when an argument is wrong.
        """
        source = self.other_table()
        if source is not None:
            given_here = [option.name for option in self.options()]
            if given_here:
                raise UpdraftError(f"{', '.join(given_here)}: is for files and DynamoDB only")
            return fill_from_table(source, load.columns)
        role = iam_role_clause("iam_role", given(self.iam_role))
        return copy_sql(quoted(STAGING), load.columns, self.source(), role, self.options())

    def source(self) -> str:
        """Say where files, or the table of DynamoDB, are.

        :returns: what stands behind FROM.
        :raises UpdraftError: when it is wrong.
        """
        table = given(self.dynamodb_table)
        if table is not None:
            return dynamodb_source("dynamodb_table", table)
        return s3_source("s3_uri", given(self.s3_uri))

    def other_table(self) -> TableName | None:
        """Read the table of the same database that is loaded.

        :returns: its name, ``None`` for another source.
        :raises UpdraftError: when there is not one source.
        """
        sources = [self.s3_uri, self.dynamodb_table, self.source_table]
        if sum(given(one) is not None for one in sources) != 1:
            raise UpdraftError("give one of s3_uri, dynamodb_table and source_table")
        name = given(self.source_table)
        schema = parse_schema("schema", given(self.schema))
        return None if name is None else parse_table("source_table", name, schema)

    def options(self) -> list[Option]:
        """Read the options of COPY.

        :returns: them.
        :raises UpdraftError: when one is wrong, or some exclude each other.
        """
        files = FileOptions(
            file_format=given(self.file_format),
            compression=given(self.compression),
            delimiter=given(self.delimiter),
            ignore_header=whole_number("ignore_header", self.ignore_header or 0),
            null_as=self.null_as,
            json_paths=given(self.json_paths),
            max_error=whole_number("max_error", self.max_error or 0),
            date_format=given(self.date_format),
            time_format=given(self.time_format),
            manifest=truth("manifest", self.manifest),
            region=given(self.source_region),
        )
        options = files.options()
        options += parse_command_options("copy_options", self.copy_options)
        from_dynamodb = given(self.dynamodb_table) is not None
        percent = given(str(self.read_ratio))
        if percent is None and from_dynamodb and all(one.name != "READRATIO" for one in options):
            percent = _READ_RATIO  # COPY has no default
        if percent is not None:
            options.append(read_ratio("read_ratio", percent))
        check_options(options, from_dynamodb=from_dynamodb)
        return options
