"""What a crawl has found in one folder, and how the Data Catalog describes it."""

from typing import Any

import pyarrow as pa

from include.local.gateway.services.glue.background import WorkError
from include.local.gateway.services.glue.table_data import read_file

_HADOOP = "org.apache.hadoop"
_FORMATS = {
    "parquet": (
        f"{_HADOOP}.hive.ql.io.parquet.MapredParquetInputFormat",
        f"{_HADOOP}.hive.ql.io.parquet.MapredParquetOutputFormat",
        f"{_HADOOP}.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "json": (
        f"{_HADOOP}.mapred.TextInputFormat",
        f"{_HADOOP}.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
    "csv": (
        f"{_HADOOP}.mapred.TextInputFormat",
        f"{_HADOOP}.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        f"{_HADOOP}.hive.serde2.lazy.LazySimpleSerDe",
    ),
}


class CrawledFolder:
    """A folder that becomes a table, with what was found in it.

    :param kind: what its files are, see :func:`kind_of`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.schema: Any = None
        self.partitions: dict[tuple[tuple[str, str], ...], str] = {}
        self.objects = self.bytes = self.rows = 0

    def add(
        self,
        key: str,
        values: tuple[tuple[str, str], ...],
        location: str,
        size: int,
        plain: bytes,
    ) -> None:
        """Add a file.

        :param key: key of the object.
        :param values: names and values of its partition.
        :param location: URI of its folder.
        :param size: its size in bytes as it is stored.
        :param plain: its content, not compressed.
        :raises WorkError: when it cannot be read, or its columns do not fit the others'.
        """
        rows = read_file(self.kind, plain, {}, key)
        schemas = [rows.schema] if self.schema is None else [self.schema, rows.schema]
        try:
            self.schema = pa.unify_schemas(schemas, promote_options="permissive")
        except pa.ArrowException as error:
            raise WorkError(f"{key} does not fit the files beside it: {error}") from error
        self.objects, self.bytes = self.objects + 1, self.bytes + size
        self.rows += len(rows)
        self.partitions.setdefault(values, location)

    def storage(self, location: str) -> dict[str, Any]:
        """Describe where and what the files are.

        :param location: URI of the folder, or of one of its partitions.
        :returns: the storage descriptor.
        """
        reads, writes, library = _FORMATS[self.kind]
        parameters = {"csv": {"field.delim": ","}, "parquet": {"serialization.format": "1"}}
        header = {"skip.header.line.count": "1"} if self.kind == "csv" else {}
        return {
            "Columns": self._columns(),
            "Location": location,
            "InputFormat": reads,
            "OutputFormat": writes,
            "SerdeInfo": {
                "SerializationLibrary": library,
                "Parameters": parameters.get(self.kind, {}),
            },
            "Parameters": {"classification": self.kind, **header},
        }

    def _columns(self) -> list[dict[str, str]]:
        keys = {name for values in self.partitions for name, _ in values}
        return [
            {"Name": field.name.lower(), "Type": _hive_type(field.type)}
            for field in self.schema
            if field.name.lower() not in keys
        ]


def kind_of(key: str, body: bytes) -> str:
    """Tell what a file is.

    :param key: key of the object.
    :param body: its content, not compressed.
    :returns: ``parquet``, ``json`` or ``csv``.
    :raises WorkError: when it is none of these.
    """
    if body.startswith(b"PAR1"):
        return "parquet"
    if body.lstrip()[:1] in {b"{", b"["}:
        return "json"
    if key.endswith((".csv", ".txt")) or b"," in body.partition(b"\n")[0]:
        return "csv"
    raise WorkError(f"{key} is neither Parquet, nor JSON lines, nor CSV with commas")


def _hive_type(kind: Any) -> str:
    names = {
        "bool": "boolean", "date32[day]": "date", "double": "double", "float": "float",
        "int16": "smallint", "int32": "int", "int64": "bigint", "int8": "tinyint",
        "string": "string", "large_string": "string", "binary": "binary", "null": "string",
    }  # fmt: skip
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{_hive_type(field.type)}' for field in kind)}>"
    if pa.types.is_list(kind):
        return f"array<{_hive_type(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{_hive_type(kind.key_type)},{_hive_type(kind.item_type)}>"
    if str(kind) not in names:
        raise WorkError(f"The local stack has no name for the type {kind}")
    return names[str(kind)]
