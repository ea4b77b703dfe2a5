"""COPY: loads files of the local S3, or a table of DynamoDB.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
"""

import bz2
import gzip
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import zstandard
from botocore.exceptions import ClientError

from include.local.gateway.services.redshift_engine.execution import Connection, Outcome
from include.local.gateway.services.redshift_engine.field_values import (
    FieldError,
    FieldReader,
    TargetColumn,
)
from include.local.gateway.services.redshift_engine.load_options import CopyCommand, read_copy
from include.local.gateway.services.redshift_engine.statement import Statement, read_name
from include.local.gateway.services.redshift_engine.storage import Bucket, Surroundings
from include.local.gateway.services.redshift_engine.structured_files import (
    read_avro,
    read_columnar,
    read_json,
    read_paths,
)
from include.local.gateway.services.redshift_engine.text_files import Line, read_text
from include.local.gateway.services.redshift_engine.tokens import SqlError

_FAILED = "Load into table '{table}' failed.  Check 'stl_load_errors' system table for details."


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to load.

    :param bucket: where it is.
    :param key: its key.
    """

    bucket: Bucket
    key: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class _Table:
    """The table that is loaded.

    :param oid: PostgreSQL's number of it.
    :param name: its name without the schema.
    :param columns: the columns that are loaded, in the order of the fields.
    """

    oid: int
    name: str
    columns: list[TargetColumn]


class Loader:
    """Executes COPY.

    :param surroundings: what the warehouse has around it.
    :param notes: a connection of the owner of the catalog, for errors that outlive a rollback.
    """

    def __init__(self, surroundings: Surroundings, notes: psycopg.Connection) -> None:
        self._surroundings = surroundings
        self._notes = notes

    def __call__(self, connection: Connection, statement: Statement) -> Outcome:
        """Load.

        :param connection: the connection, in a transaction.
        :param statement: the COPY.
        :returns: an outcome without rows.
        :raises SqlError: when it can't be loaded.
        """
        command = read_copy(statement.nodes, read_name)
        self._surroundings.authorize(command.parameters.roles, command.parameters.keys)
        connection.lock(command.table)
        table = _table(connection.connection, command)
        load = _Load(self._surroundings, self._notes, connection, command, table)
        return load.run()


class _Load:
    """One COPY."""

    def __init__(
        self,
        surroundings: Surroundings,
        notes: psycopg.Connection,
        connection: Connection,
        command: CopyCommand,
        table: _Table,
    ) -> None:
        self._surroundings = surroundings
        self._notes = notes
        self._connection = connection
        self._command = command
        self._parameters = command.parameters
        self._table = table
        self._reader = FieldReader(command.parameters)
        self._errors = 0
        self._limit = max(1, command.parameters.count("maxerror", 0))
        self._started = datetime.now(UTC).replace(tzinfo=None)
        self._lines: dict[str, int] = {}
        self._paths: list[list[str | int]] | None = None

    def run(self) -> Outcome:
        names = ", ".join('"' + one.name.replace('"', '""') + '"' for one in self._table.columns)
        text = f"COPY {self._command.table} ({names}) FROM STDIN"
        count = 0
        rows = self._rows()
        if self._parameters.has("noload"):
            count = sum(1 for _ in rows)
        else:
            with (
                psycopg.ClientCursor(self._connection.connection) as cursor,
                cursor.copy(text.encode()) as copy,
            ):
                for row in rows:
                    copy.write_row(row)
                    count += 1
        self._connection.connection.execute(
            "SELECT set_config('updraft.last_copy_count', %s, false), "
            "set_config('updraft.last_copy_id', %s, false)",
            [str(count), str(self._connection.query_id)],
        )
        self._note_files()
        return Outcome(count=count)

    def _rows(self) -> Iterator[list[str | None]]:
        if self._command.source.startswith("dynamodb://"):
            yield from self._of_table()
            return
        self._paths = self._read_paths()
        for source in self._sources():
            body = self._unpacked(source)
            self._lines[source.uri] = 0
            for line in self._take_apart(body):
                self._lines[source.uri] += 1
                row = self._row(line, source.uri)
                if row is not None:
                    yield row

    def _row(self, line: Line, uri: str) -> list[str | None] | None:
        try:
            if line.error is not None:
                raise line.error
            fields = self._fitted(line)
            return [
                self._reader.value(column, field, typed=line.typed)
                for column, field in zip(self._table.columns, fields, strict=True)
            ]
        except FieldError as error:
            self._errors += 1
            self._note(error, line, uri)
            if self._errors >= self._limit and not self._parameters.has("ignoreallerrors"):
                raise SqlError(_FAILED.format(table=self._table.name)) from None
            return None

    def _fitted(self, line: Line) -> Sequence[str | None]:
        wanted, given = len(self._table.columns), len(line.fields)
        if given > wanted:
            raise FieldError(1202, "Extra column(s) found", self._table.columns[-1])
        if given < wanted:
            if self._parameters.has("fillrecord"):
                missing = self._table.columns[given:]
                return [*line.fields, *(None if not one.is_text else "" for one in missing)]
            column = self._table.columns[given - 1]
            raise FieldError(1214, "Delimiter not found", column, str(line.fields[-1]))
        return line.fields

    def _take_apart(self, body: bytes) -> Iterator[Line]:
        columns, parameters = self._table.columns, self._parameters
        for kind in ("parquet", "orc"):
            if parameters.has(kind):
                return read_columnar(body, columns, kind)
        if parameters.has("avro"):
            return read_avro(body, columns, self._paths)
        if parameters.has("json"):
            how = parameters.text("json", "auto")
            whole = how == "noshred"
            if whole and (len(columns) != 1 or columns[0].kind != "jsonb"):
                raise SqlError("JSON 'noshred' needs a table with one column of the type SUPER")
            ignore_case = how == "auto ignorecase"
            return read_json(body, columns, self._paths, ignore_case=ignore_case, whole=whole)
        return read_text(body, parameters)

    def _read_paths(self) -> list[list[str | int]] | None:
        for name in ("json", "avro"):
            how = self._parameters.text(name, "auto")
            if self._parameters.has(name) and how not in {"auto", "auto ignorecase", "noshred"}:
                bucket = Bucket(self._surroundings, how, self._region)
                paths = read_paths(bucket.read(bucket.prefix))
                if len(paths) != len(self._table.columns):
                    raise SqlError(
                        "Number of jsonpaths and the number of columns should match. JSONPath "
                        f"size: {len(paths)}, Number of columns in table or column list: "
                        f"{len(self._table.columns)}"
                    )
                return paths
        return None

    @property
    def _region(self) -> str | None:
        return self._parameters.text("region", "") or None

    def _sources(self) -> list[_Source]:
        bucket = Bucket(self._surroundings, self._command.source, self._region)
        if self._parameters.has("manifest"):
            return self._listed(bucket)
        found = [_Source(bucket, key) for key in bucket.list() if not key.endswith("/")]
        if not found:
            raise SqlError(f"The specified S3 prefix '{bucket.prefix}' does not exist")
        return found

    def _listed(self, bucket: Bucket) -> list[_Source]:
        if not bucket.exists(bucket.prefix):
            raise SqlError(f"The specified S3 prefix '{bucket.prefix}' does not exist")
        try:
            entries = json.loads(bucket.read(bucket.prefix))["entries"]
            files = [(str(one["url"]), bool(one.get("mandatory", False))) for one in entries]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            uri = self._command.source
            raise SqlError(f"Manifest file {uri} is not in the correct format: {error}") from error
        found = []
        for url, mandatory in files:
            place = Bucket(self._surroundings, url, self._region)
            if place.exists(place.prefix):
                found.append(_Source(place, place.prefix))
            elif mandatory:
                raise SqlError(
                    "S3ServiceException:The specified key does not exist.,Status 404,Error "
                    f"NoSuchKey (mandatory file {url} of the manifest)"
                )
        if not found:
            raise SqlError("None of the files of the manifest exists")
        return found

    def _unpacked(self, source: _Source) -> bytes:
        body = source.bucket.read(source.key)
        try:
            if self._parameters.has("gzip"):
                return gzip.decompress(body)
            if self._parameters.has("bzip2"):
                return bz2.decompress(body)
            if self._parameters.has("zstd"):
                with zstandard.ZstdDecompressor().stream_reader(
                    body, read_across_frames=True
                ) as reader:
                    return reader.read()
        except (OSError, EOFError, ValueError, zstandard.ZstdError) as error:
            raise SqlError(f"The file {source.uri} can't be decompressed: {error}") from error
        return body

    def _of_table(self) -> Iterator[list[str | None]]:
        """Read a table of DynamoDB no faster than READRATIO allows."""
        name = self._command.source.removeprefix("dynamodb://")
        if not self._parameters.has("readratio"):
            raise SqlError("READRATIO is required when data is copied from DynamoDB")
        ratio = self._parameters.count("readratio", 0)
        if not 0 < ratio <= 200:  # noqa: PLR2004 - percent, as COPY takes it
            raise SqlError("READRATIO must be a whole number between 1 and 200")
        client = self._surroundings.client("dynamodb", self._region)
        request: dict[str, Any] = {"TableName": name, "ReturnConsumedCapacity": "TOTAL"}
        try:
            table = client.describe_table(TableName=name)["Table"]
            units = table.get("ProvisionedThroughput", {}).get("ReadCapacityUnits", 0)
            while True:
                began = time.monotonic()
                page = client.scan(**request)
                for number, item in enumerate(page["Items"], start=1):
                    row = self._row(self._item(number, item), self._command.source)
                    if row is not None:
                        yield row
                if "LastEvaluatedKey" not in page:
                    return
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
                used = page.get("ConsumedCapacity", {}).get("CapacityUnits", 0)
                if units:
                    spare = used / (units * ratio / 100) - (time.monotonic() - began)
                    time.sleep(max(0.0, spare))
        except ClientError as error:
            message = error.response["Error"].get("Message")
            raise SqlError(f"DynamoDB table {name} can't be read: {message}") from error

    def _item(self, number: int, item: dict[str, Any]) -> Line:
        """Take the attributes with the names of the columns, in whatever case."""
        given = {attribute.lower(): value for attribute, value in item.items()}
        fields: list[str | None] = []
        for column in self._table.columns:
            [(kind, value)] = given.get(column.name, {"NULL": True}).items()
            if kind in {"S", "N"}:
                fields.append(str(value))
            elif kind == "NULL":
                fields.append(None)
            else:
                reason = "Only attributes with scalar STRING and NUMBER data types are supported"
                return Line(number, str(item), error=FieldError(1216, reason, column, str(value)))
        return Line(number, str(item), fields, typed=True)

    def _note(self, error: FieldError, line: Line, uri: str) -> None:
        column = error.column
        length = "" if column is None or column.length is None else str(column.length)
        if column is not None and column.kind == "numeric" and length:
            length = f"{length}, {column.scale}"
        self._notes.execute(
            "INSERT INTO pg_catalog.stl_load_errors VALUES (%s, 0, %s, %s, %s, %s, %s, %s, %s, %s, "
            "%s, %s, %s, %s, %s, %s, 0, 0, -1)",
            [
                100,
                self._table.oid,
                self._started,
                self._connection.connection.info.backend_pid,
                self._connection.query_id,
                uri[:256],
                line.number,
                "" if column is None else column.name[:127],
                "" if column is None else column.kind[:10],
                length[:10],
                error.position,
                _printable(line.text, 1024),
                _printable(error.value, 1024),
                error.code,
                error.reason[:100],
            ],
        )

    def _note_files(self) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        kinds = ("csv", "json", "avro", "parquet", "orc")
        kind = next((name for name in kinds if self._parameters.has(name)), "text")
        for uri, lines in self._lines.items():
            self._notes.execute(
                "INSERT INTO pg_catalog.stl_load_commits VALUES "
                "(100, %s, 0, %s, %s, 0, %s, %s, %s, 1, %s, 0, 0)",
                [
                    self._connection.query_id,
                    self._table.name[:256],
                    uri[:256],
                    lines,
                    self._errors,
                    now,
                    kind,
                ],
            )


def _printable(text: str, most: int) -> str:
    clean = text.encode(errors="surrogateescape").decode(errors="replace").replace("\0", "")
    return clean[:most]


def _table(connection: psycopg.Connection, command: CopyCommand) -> _Table:
    row = connection.execute(
        "SELECT oid::int8, relname, relkind FROM pg_class WHERE oid = %s::regclass", [command.table]
    ).fetchone()
    assert row is not None  # noqa: S101 - regclass fails for what is not there
    if row[2] != "r":
        raise SqlError(f'cannot copy to view "{row[1]}"')
    rows = connection.execute(
        "SELECT a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity, "
        "b.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "LEFT JOIN pg_type b ON b.oid = t.typbasetype "
        "WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        [row[0]],
    ).fetchall()
    known: dict[str, TargetColumn] = {}
    identities: set[str] = set()
    for name, kind, modifier, required, identity, base in rows:
        length, scale = _size(kind, modifier)
        known[name] = TargetColumn(name, base or kind, length, scale, required)
        if identity:
            identities.add(name)
    explicit = command.parameters.has("explicit_ids")
    names = command.columns
    if names is None:
        names = [name for name in known if explicit or name not in identities]
    for name in names:
        if name not in known:
            raise SqlError(f'column "{name}" of relation "{row[1]}" does not exist')
        if name in identities and not explicit:
            raise SqlError("Cannot insert an explicit value into an identity column without "
                           "EXPLICIT_IDS")  # fmt: skip
    if len(set(names)) < len(names):
        raise SqlError("A column is named more than once in the column list")
    return _Table(int(row[0]), str(row[1]), [known[name] for name in names])


def _size(kind: str, modifier: int) -> tuple[int | None, int]:
    if modifier < 0:
        return None, 0
    if kind == "numeric":
        return (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    if kind in {"varchar", "bpchar"}:
        return modifier - 4, 0
    return None, 0
