r"""Keeps a Delta table equal to a database table, from the changes that Debezium has written to S3.

Reads Debezium's JSON as Confluent's S3 sink writes it, one object per line, with or without the
envelope ``{"schema": …, "payload": …}``; with a job bookmark, only files that no finished run has
read. The newest change of each key is merged into the table.

**Order.** Changes of one key are ordered by their position in the source's log: MySQL: number of
the binlog file, ``pos``, ``row``; PostgreSQL: last commit of ``sequence``, ``lsn``; SQL Server and
Db2: ``commit_lsn``, ``change_lsn``, ``event_serial_no``; Oracle: ``commit_scn``, ``scn``,
``rs_id``, ``ssn``; by ``source.ts_ms`` only if there is none. At the same position a row that a
snapshot read comes before a change. Then follow ``ts_ms`` and the start offset in the name of the
file (``<topic>+<partition>+<offset>.json``). What is equal in all of these within one run is
ordered by a digest of its text, so that a repeated run decides alike. A log that has begun anew
makes its positions worthless; a run that notices fails before anything is written.

**Exactly once.** Each row keeps the place in that order of the change that made it, in the column
``_cdc_position``. A change is applied only if it is newer, so a run may be repeated in part or as a
whole, and files may come twice or late. A row without a place, of a table that was there before, is
older than any change. A deleted row leaves its key and the place of its deletion
in a second table, ``<table_uri>_deleted``, which is written before the row goes: a change older
than the deletion never brings the row back, a newer one does. Deleting a key that is not there
only leaves that note. Nothing removes these notes.

**Columns.** An integer becomes BIGINT, another number DOUBLE, an object or array its JSON as
STRING; the envelope's schema and ``--columns`` know better. New columns are added; a column that
is no longer written becomes null with the next change of its row. Logical types of Debezium, such
as days since 1970, stay as they are written.

Arguments: ``--source_uri``, ``--table_uri``, ``--key_columns id,part``, ``--database`` and
``--table``; optionally ``--columns '{"price": "DECIMAL(10,2)"}'`` and ``--bad_records_uri``, a
prefix for lines that are no change, which go below it to the id of the run; without it such a line
fails the run before anything is written.

.. seealso:: https://debezium.io/documentation/reference/stable/connectors/mysql.html#mysql-events
.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

POSITION = "_cdc_position"
CHANGE = (
    "struct<problem:string, origin:string, op:string, key:string, log:string, moment:bigint, "
    "position:string, rank:string, row:map<string,string>, types:map<string,string>>"
)

_BIGINT, _BOOLEAN, _DOUBLE, _LONG_INTEGER, _STRING = (
    "BIGINT",
    "BOOLEAN",
    "DOUBLE",
    "DECIMAL(38,0)",
    "STRING",
)
_ENVELOPE_TYPES = {
    **dict.fromkeys(("int8", "int16", "int32", "int64"), _BIGINT),
    **dict.fromkeys(("float", "float32", "double", "float64"), _DOUBLE),
    "boolean": _BOOLEAN,
}
_DECLARABLE = re.compile(r"BIGINT|BOOLEAN|DATE|DECIMAL\(\d+,\d+\)|DOUBLE|INT|STRING|TIMESTAMP")
_NUMBERS = {_BIGINT, _DOUBLE, _LONG_INTEGER}
_ACCEPTED = {
    "DATE": (_STRING,),
    "FLOAT": (_BIGINT, _DOUBLE),
    "INT": (_BIGINT,),
    "SMALLINT": (_BIGINT,),
    "TIMESTAMP": (_STRING,),
    "TINYINT": (_BIGINT,),
    _DOUBLE: (_BIGINT,),
    _LONG_INTEGER: (_BIGINT,),
}
_OPERATIONS = frozenset("crud")
_UNAVAILABLE = "__debezium_unavailable_value"
_OFFSET = re.compile(r"\+\d+\+(\d+)\.[^/]*$")
_BAD_NAME = re.compile(r"[ ,;{}()\n\t=`]")  # what a Delta column cannot have in its name
_LONG = range(-(2**63), 2**63)
_SHOWN = 5
_READ, _STREAMED = "r", "s"  # a row of a snapshot comes before a change at the same position
_LONGEST_STATEMENT = 3_600_000  # ms; MySQL's ts_ms is when a statement began, not its commit
_LINE, _FILE = "col0", "source_file"


class BadInputError(Exception):
    """Changes, arguments or table do not fit together; the text says where."""


def read_change(line: str, file: str, keys: Sequence[str]) -> dict[str, Any] | None:
    """Read one line of a file.

    :param line: the line.
    :param file: name of its file.
    :param keys: names of the key columns.
    :returns: the fields of :data:`CHANGE`: ``problem`` alone if it is no change; None for the null
        that follows a deletion in a compacted topic, and for an empty line.
    """
    try:
        return _change(line, file, keys)
    except (AttributeError, BadInputError, LookupError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        return {"problem": f"{file}: {reason}"}


def _change(line: str, file: str, keys: Sequence[str]) -> dict[str, Any] | None:
    event = json.loads(line, parse_float=Decimal) if line and line.strip() else None
    schema: Mapping[str, Any] = {}
    if isinstance(event, dict) and "payload" in event:
        schema, event = event.get("schema") or {}, event["payload"]
    if event is None:
        return None
    operation, source = event["op"], event["source"]
    if operation not in _OPERATIONS:
        raise BadInputError(
            f"op is {operation!r}, which is none of c, d, r, u; a table that was truncated in the "
            "source has to be loaded anew"
        )
    side = "before" if operation == "d" else "after"
    values = event[side]
    if not isinstance(values, dict):
        raise BadInputError(f"op is {operation!r}, but {side!r} holds no row")
    empty = [key for key in keys if values.get(key) is None]
    if empty:
        raise BadInputError(f"the key {', '.join(empty)} is null or missing in {side!r}")
    if operation == "d":
        values = {key: values[key] for key in keys}
    if _UNAVAILABLE in values.values():
        raise BadInputError(
            "a value was not in the source's log; set REPLICA IDENTITY FULL for the table"
        )
    row, types = {}, _envelope_types(schema, side, values)
    for name, value in values.items():
        if value is not None:
            row[name], inferred = _text_and_type(value)
            types.setdefault(name, inferred)
    moment = int(source["ts_ms"])
    log, places = _log_position(source, moment)
    position = _position(log, places, moment, file, streamed=operation != "r")
    return {
        "origin": "/".join(
            str(source[part]) for part in ("db", "schema", "table") if source.get(part)
        ),
        "op": operation,
        "key": json.dumps([row[key] for key in keys]),
        "log": log,
        "moment": moment,
        "position": position,
        "rank": f"{position}|{hashlib.sha256(line.encode()).hexdigest()}",
        "row": row,
        "types": types,
    }


def _text_and_type(value: Any) -> tuple[str, str]:
    if isinstance(value, str):
        return value, _STRING
    if isinstance(value, bool):
        return str(value).lower(), _BOOLEAN
    if isinstance(value, int):
        return str(value), _BIGINT if value in _LONG else _LONG_INTEGER
    if isinstance(value, (Decimal, float)):
        return str(value), _DOUBLE
    return json.dumps(value, default=float, ensure_ascii=False), _STRING


def _envelope_types(
    schema: Mapping[str, Any], side: str, values: Mapping[str, Any]
) -> dict[str, str]:
    return {
        column["field"]: _ENVELOPE_TYPES.get(column["type"], _STRING)
        for part in schema.get("fields", ())
        if part.get("field") == side
        for column in part.get("fields", ())
        if column["field"] in values
    }


def _log_position(source: Mapping[str, Any], moment: int) -> tuple[str, list[int]]:
    """Find the position of a change in the log of the source, in the order of commits.

    ``ts_ms`` does not have that order: in MySQL an UPDATE that waits for a lock commits after
    statements that began later.

    :returns: what kind of log it is, and the position.
    """
    if source.get("file"):
        number = source["file"].rpartition(".")[2]
        return "binlog", [int(number), int(source["pos"]), int(source.get("row") or 0)]
    if source.get("lsn") is not None:
        # The position of a change is before that of its commit; the commit before it is in order.
        lsn = int(source["lsn"])
        commit_before = json.loads(source.get("sequence") or "[null]")[0]
        return "lsn", [lsn if commit_before is None else int(commit_before), lsn]
    commit = source.get("commit_lsn") or source.get("change_lsn")
    if commit:
        change, serial = source.get("change_lsn") or "0", source.get("event_serial_no") or 0
        return "commit_lsn", [_hexadecimal(commit), _hexadecimal(change), int(serial)]
    if source.get("scn"):
        scn, record = int(source["scn"]), source.get("rs_id") or "0"
        commit = int(source.get("commit_scn") or scn)
        return "scn", [commit, scn, _hexadecimal(record), int(source.get("ssn") or 0)]
    return "ts_ms", [moment]


def _hexadecimal(text: str) -> int:
    """Read parts of fixed widths, such as ``00000027:00000758:0003`` or ``0x73.00000be8.0010``."""
    return int(text.strip().replace(":", "").replace(".", ""), 16)


def _position(log: str, places: Sequence[int], moment: int, file: str, *, streamed: bool) -> str:
    """Write the place of a change so that texts compare as the places do."""
    offset = _OFFSET.search(file)
    parts = [
        *map(_sortable, places),
        _STREAMED if streamed else _READ,
        _sortable(moment),
        _sortable(int(offset[1]) if offset else 0),
    ]
    return f"{log}:{'-'.join(parts)}"


def _sortable(number: int) -> str:
    """Put the number of digits before a number: texts then compare as numbers do."""
    if number < 0:
        raise BadInputError(f"{number} is no position")
    return f"{len(str(number)):02d}{number}"


def moment_of(position: str) -> int:
    """Read ``ts_ms`` from a position.

    :param position: as in the column ``_cdc_position``.
    :returns: milliseconds since 1970.
    """
    return int(position.split("-")[-2][2:])


def column_types(
    present: Mapping[str, str],
    declared: Mapping[str, str],
    observed: Iterable[tuple[str, str]],
    keys: Sequence[str],
) -> dict[str, str]:
    """Choose the types of all columns.

    :param present: types of the columns that the table has.
    :param declared: types that were asked for.
    :param observed: names of columns with the types of their values.
    :param keys: names of the key columns.
    :returns: types by column: those of the table first, then the keys, then the others by name.
    :raises BadInputError: when values do not fit into a column, or a name cannot be that of one.
    """
    seen: dict[str, set[str]] = {}
    for name, kind in observed:
        seen.setdefault(name, set()).add(kind)
    types = dict(present)
    for name in (*keys, *sorted(seen)):
        if name not in types:
            types[name] = declared.get(name) or _common_type(seen.get(name, {_STRING}))
    _check_names(types)
    for name, kinds in seen.items():
        misfits = sorted(kind for kind in kinds if not _fits(kind, types[name]))
        if misfits:
            raise BadInputError(
                f"column {name!r} is {types[name]}, and there are values of type "
                f"{', '.join(misfits)}; --columns gives a new column another type, the type of a "
                "column that the table has already cannot change"
            )
    return types


def _common_type(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {_BIGINT, _DOUBLE}:
        return _DOUBLE
    return _LONG_INTEGER if kinds == {_BIGINT, _LONG_INTEGER} else _STRING


def _fits(kind: str, column: str) -> bool:
    if column in {kind, _STRING}:
        return True
    if column.startswith("DECIMAL") and column != _LONG_INTEGER:
        return kind in _NUMBERS
    return kind in _ACCEPTED.get(column, ())


def _check_names(names: Iterable[str]) -> None:
    known: dict[str, str] = {}
    for name in names:
        other = known.setdefault(name.lower(), name)
        if other != name or not name or _BAD_NAME.search(name):
            same = f"; Spark cannot tell it from {other!r}" if other != name else ""
            raise BadInputError(f"{name!r} cannot be the name of a column{same}")


def parse_columns(text: str) -> dict[str, str]:
    """Read ``--columns``.

    :param text: types by column, as JSON.
    :returns: the types in capitals.
    :raises BadInputError: when it is something else.
    """
    try:
        types = {
            name: str(kind).upper().replace(" ", "") for name, kind in json.loads(text).items()
        }
    except (AttributeError, ValueError) as error:
        raise BadInputError(f"--columns is no JSON object of types by column: {text!r}") from error
    for name, kind in types.items():
        if not _DECLARABLE.fullmatch(kind):
            raise BadInputError(
                f"--columns: the type of {name!r}, {kind}, is none of {_DECLARABLE.pattern}"
            )
    return types


class Target(NamedTuple):
    """The table that is kept.

    :param uri: ``s3://`` URI of its directory.
    :param keys: names of its key columns.
    :param declared: types that were asked for, by column.
    """

    uri: str
    keys: Sequence[str]
    declared: Mapping[str, str]

    @property
    def deleted_uri(self) -> str:
        """URI of the table of deleted keys."""
        return f"{self.uri}_deleted"


def upsert(
    spark: SparkSession, lines: DataFrame, target: Target, bad_uri: str | None
) -> dict[str, int]:
    """Merge changes into the table.

    :param spark: the session.
    :param lines: lines and the names of their files.
    :param target: the table.
    :param bad_uri: prefix of this run for lines that are no change, if they are to be passed over.
    :returns: numbers of changes, of keys that they are about, and of lines that are no change.
    :raises BadInputError: when lines are no change, do not fit the table, or are of a log that has
        begun anew.
    """
    keys = tuple(target.keys)
    spark.udf.register("read_change", lambda line, file: read_change(line, file, keys), CHANGE)
    lines.createOrReplaceTempView("cdc_lines")
    columns = f"`{_LINE}` AS line, `{_FILE}` AS file"
    parsed = spark.sql(
        f"SELECT change.*, line, file FROM "  # noqa: S608 - names are ours
        f"(SELECT read_change(`{_LINE}`, `{_FILE}`) AS change, {columns} FROM cdc_lines)"
    ).cache()
    parsed.createOrReplaceTempView("cdc_parsed")
    bad = _set_aside(spark, bad_uri)
    changes = spark.sql("SELECT count(op) FROM cdc_parsed").first()[0]
    if not changes:
        return {"changes": 0, "keys": 0, "bad_records": bad}
    _require_one_origin(spark)
    present, deleted = (_present_types(spark, uri) for uri in (target.uri, target.deleted_uri))
    _require_one_log(
        spark,
        [
            uri
            for uri, types in ((target.uri, present), (target.deleted_uri, deleted))
            if POSITION in types
        ],
    )
    observed = spark.sql(
        "SELECT DISTINCT name, kind FROM (SELECT explode(types) AS (name, kind) FROM cdc_parsed)"
    )
    types = column_types(
        {name: kind for name, kind in present.items() if name != POSITION},
        target.declared,
        [(row["name"], row["kind"]) for row in observed.collect()],
        keys,
    )
    _make_newest(spark, types)
    count: int = spark.sql("SELECT count(*) FROM cdc_newest").first()[0]
    _add_columns(spark, target.uri, present, types)
    _add_columns(spark, target.deleted_uri, deleted, {key: types[key] for key in keys})
    _merge(spark, target, types)
    return {"changes": changes, "keys": count, "bad_records": bad}


def _set_aside(spark: SparkSession, bad_uri: str | None) -> int:
    bad = spark.sql("SELECT problem, file, line FROM cdc_parsed WHERE problem IS NOT NULL")
    count: int = bad.count()
    if not count:
        return 0
    if bad_uri is None:
        shown = "; ".join(sorted(row["problem"] for row in bad.limit(_SHOWN).collect()))
        raise BadInputError(
            f"{count} lines are no change, such as: {shown}. --bad_records_uri passes over them "
            "and keeps them there"
        )
    bad.write.mode("overwrite").json(bad_uri)  # of this run: nothing that others set aside
    return count


def _require_one_origin(spark: SparkSession) -> None:
    origins = spark.sql("SELECT DISTINCT origin FROM cdc_parsed WHERE op IS NOT NULL").collect()
    if len(origins) > 1:
        names = ", ".join(sorted(row["origin"] for row in origins))
        raise BadInputError(
            f"the files hold changes of several tables: {names}; give each its prefix"
        )


def _require_one_log(spark: SparkSession, written: Sequence[str]) -> None:
    """Refuse positions that cannot be compared.

    After a reset or a failover the log of the source may begin at lower positions. What it says
    then is younger than the newest change, and comes before it. Rows of a snapshot say nothing
    about this: they are read long after the position that they have.

    :param written: URIs of the tables that have positions.
    """
    streamed = f"CASE WHEN {{0}} LIKE '%-{_STREAMED}-%' THEN {{0}} END"
    found = [
        spark.sql(
            f"SELECT max({column}), max({streamed.format(column)}) FROM {table}"  # noqa: S608 - ours
        ).first()
        for column, table in [
            ("position", "cdc_parsed"),
            *((POSITION, f"delta.`{uri}`") for uri in written),
        ]
    ]
    logs = {row["log"] for row in spark.sql("SELECT DISTINCT log FROM cdc_parsed").collect()}
    logs = {*logs, *(highest.partition(":")[0] for highest, _ in found if highest)} - {None}
    if len(logs) > 1:
        raise BadInputError(
            f"the changes, and those in the table, are ordered by {' and '.join(sorted(logs))}, "
            "which cannot be compared; load the table anew"
        )
    newest = max(position or "" for _, position in found)
    if not newest:
        return
    lower = (
        f"SELECT position FROM cdc_parsed WHERE op <> 'r' AND position < '{newest}' "  # noqa: S608
        f"AND moment > {moment_of(newest) + _LONGEST_STATEMENT}"
    )
    count, example = spark.sql(f"SELECT count(*), max(position) FROM ({lower})").first()  # noqa: S608
    if count:
        raise BadInputError(
            f"{count} changes, such as that at {example}, come in the log of the source before "
            f"that at {newest}, but were made more than an hour after it: the log has begun anew "
            "or is another server's, and the table has to be loaded anew"
        )


def _present_types(spark: SparkSession, uri: str) -> dict[str, str]:
    """Read the types of the columns of a table; none if it is not there yet."""
    from pyspark.errors import AnalysisException  # noqa: PLC0415 - tests of the rest do without Spark

    try:
        fields = spark.read.format("delta").load(uri).schema.fields
    except AnalysisException:
        return {}  # any other cause shows when the table is written
    return {field.name: field.dataType.simpleString().upper() for field in fields}


def _add_columns(
    spark: SparkSession, uri: str, present: Mapping[str, str], types: Mapping[str, str]
) -> None:
    """Make the table, or add the columns that it lacks, by appending no rows."""
    wanted = {**types, POSITION: _STRING}
    if set(wanted) - set(present):
        schema = ", ".join(f"{_quoted(name)} {kind}" for name, kind in wanted.items())
        empty = spark.createDataFrame([], schema)  # type: ignore[type-var]
        empty.write.format("delta").mode("append").option("mergeSchema", "true").save(uri)


def _make_newest(spark: SparkSession, types: Mapping[str, str]) -> None:
    """Define the view ``cdc_newest`` with the newest change of each key.

    :raises BadInputError: when a value is none of its column's type.
    """
    newest = (
        "SELECT max_by(struct(op, position, row), rank) AS newest FROM cdc_parsed "
        "WHERE op IS NOT NULL GROUP BY key"
    )
    texts = {name: f"newest.row['{_escaped(name)}']" for name in types}
    for name, kind in types.items():
        wrong = f"{texts[name]} IS NOT NULL AND TRY_CAST({texts[name]} AS {kind}) IS NULL"
        if kind not in {_BIGINT, _BOOLEAN, _DOUBLE, _STRING}:
            found = spark.sql(f"SELECT {texts[name]} FROM ({newest}) WHERE {wrong} LIMIT 1").first()  # noqa: S608
            if found is not None:
                raise BadInputError(f"column {name!r} is {kind}, and {found[0]!r} is none")
    columns = [
        f"TRY_CAST({texts[name]} AS {kind}) AS {_quoted(name)}" for name, kind in types.items()
    ]
    spark.sql(
        f"SELECT newest.op AS _cdc_op, newest.position AS {POSITION}, {', '.join(columns)} "  # noqa: S608
        f"FROM ({newest})"
    ).createOrReplaceTempView("cdc_newest")


def _merge(spark: SparkSession, target: Target, types: Mapping[str, str]) -> None:
    same = " AND ".join(f"t.{_quoted(key)} = s.{_quoted(key)}" for key in target.keys)
    noted = ", ".join([*map(_quoted, target.keys), POSITION])
    spark.sql(
        f"MERGE INTO delta.`{target.deleted_uri}` AS t "  # noqa: S608
        f"USING (SELECT {noted} FROM cdc_newest WHERE _cdc_op = 'd') AS s ON {same} "
        f"WHEN MATCHED AND s.{POSITION} > t.{POSITION} THEN UPDATE SET {POSITION} = s.{POSITION} "
        f"WHEN NOT MATCHED THEN INSERT ({noted}) VALUES "
        f"({', '.join(f's.{_quoted(key)}' for key in target.keys)}, s.{POSITION})"
    ).collect()
    names = [*map(_quoted, types), POSITION]
    joined = " AND ".join(f"d.{_quoted(key)} = s.{_quoted(key)}" for key in target.keys)
    living = (
        f"SELECT s.* FROM cdc_newest AS s LEFT JOIN delta.`{target.deleted_uri}` AS d ON {joined} "  # noqa: S608
        f"WHERE d.{POSITION} IS NULL OR s.{POSITION} > d.{POSITION} "
        f"OR (s._cdc_op = 'd' AND s.{POSITION} = d.{POSITION})"
    )
    place = f"COALESCE(t.{POSITION}, '')"  # none: a row that no change has made
    spark.sql(
        f"MERGE INTO delta.`{target.uri}` AS t USING ({living}) AS s ON {same} "  # noqa: S608
        f"WHEN MATCHED AND s._cdc_op = 'd' AND s.{POSITION} >= {place} THEN DELETE "
        f"WHEN MATCHED AND s._cdc_op <> 'd' AND s.{POSITION} > {place} THEN UPDATE SET "
        f"{', '.join(f'{name} = s.{name}' for name in names)} "
        f"WHEN NOT MATCHED AND s._cdc_op <> 'd' THEN INSERT ({', '.join(names)}) "
        f"VALUES ({', '.join(f's.{name}' for name in names)})"
    ).collect()


def _quoted(name: str) -> str:
    return f"`{name}`"


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def register_table(glue: Any, spark: SparkSession, uri: str, database: str, table: str) -> None:
    """Make the table's entry in the Data Catalog, or bring its columns up to date.

    :param glue: client for Glue.
    :param spark: the session.
    :param uri: URI of the table.
    :param database: its database, which exists.
    :param table: its name.
    """
    fields = spark.read.format("delta").load(uri).schema.fields
    wanted = {
        "Name": table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "classification": "delta",
            "spark.sql.sources.provider": "delta",
            "table_type": "DELTA",
        },
        "StorageDescriptor": {
            "Columns": [
                {"Name": f.name.lower(), "Type": f.dataType.simpleString()} for f in fields
            ],
            "Location": f"{uri}/",
            "InputFormat": "org.apache.hadoop.mapred.SequenceFileInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"path": f"{uri}/", "serialization.format": "1"},
            },
        },
    }
    try:
        present = glue.get_table(DatabaseName=database, Name=table)["Table"]
    except glue.exceptions.EntityNotFoundException:
        glue.create_table(DatabaseName=database, TableInput=wanted)
        return
    storage = present["StorageDescriptor"]
    if storage.get("Location", "").rstrip("/") != uri:
        raise BadInputError(f"{database}.{table} is another table, at {storage.get('Location')}")
    columns = [{"Name": c["Name"], "Type": c.get("Type")} for c in storage["Columns"]]
    if columns != wanted["StorageDescriptor"]["Columns"]:
        glue.update_table(DatabaseName=database, TableInput=wanted)


def main() -> None:
    """Run the job."""
    import boto3  # noqa: PLC0415 - what only a run needs; the rest is plain Python
    from awsglue.context import GlueContext  # noqa: PLC0415
    from awsglue.job import Job  # noqa: PLC0415
    from awsglue.utils import getResolvedOptions  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    names = ["JOB_NAME", "source_uri", "table_uri", "key_columns", "database", "table"]
    names += [name for name in ("columns", "bad_records_uri") if f"--{name}" in sys.argv]
    arguments = getResolvedOptions(sys.argv, names)
    keys = [key.strip() for key in arguments["key_columns"].split(",") if key.strip()]
    if not keys:
        raise BadInputError("--key_columns names no column")
    source, uri = arguments["source_uri"], arguments["table_uri"].rstrip("/")
    target = Target(uri, keys, parse_columns(arguments.get("columns") or "{}"))
    spark = SparkSession.builder.getOrCreate()
    context = GlueContext(getattr(spark, "sparkContext", None))  # Spark Connect has none
    job = Job(context)
    job.init(arguments["JOB_NAME"], arguments)
    # JSON allows no raw control character, so a line is one column, and no quotes are taken off.
    lines = context.create_dynamic_frame.from_options(
        connection_type="s3",
        connection_options={"paths": [source], "recurse": True},
        format="csv",
        format_options={
            "attachFilename": _FILE,
            "quoteChar": -1,
            "separator": "\x01",
            "withHeader": False,
        },
        transformation_ctx=f"changes_{hashlib.sha256(source.encode()).hexdigest()[:16]}",
    ).toDF()
    bad_uri = None
    if arguments.get("bad_records_uri"):
        bad_uri = f"{arguments['bad_records_uri'].rstrip('/')}/{arguments['JOB_RUN_ID']}"
    done = {"changes": 0, "keys": 0, "bad_records": 0}
    if _LINE in lines.columns:  # without new files a frame has no columns
        done = upsert(spark, lines, target, bad_uri)
    if done["changes"]:
        register_table(boto3.client("glue"), spark, uri, arguments["database"], arguments["table"])
    job.commit()
    print(json.dumps(done))  # noqa: T201 - the log of the run


if __name__ == "__main__":
    main()
