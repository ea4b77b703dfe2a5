"""Names of the types of results."""

_NAMES = {
    16: "bool",
    17: "varbyte",
    18: "char",
    19: "name",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "varchar",
    26: "oid",
    700: "float4",
    701: "float8",
    705: "unknown",
    1042: "bpchar",
    1043: "varchar",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
    1186: "interval",
    1266: "timetz",
    1700: "numeric",
    3802: "super",
}
WHOLE, FLOATING, TRUTH = {"int2", "int4", "int8", "oid"}, {"float4", "float8"}, {"bool"}


def type_name(oid: int) -> str:
    """Name a type as Redshift does.

    :param oid: PostgreSQL's number of it.
    :returns: such as ``int4``.
    """
    return _NAMES.get(oid, "varchar")


def precision_and_scale(oid: int, modifier: int) -> tuple[int, int]:
    """Give the size of a type as the Data API tells it.

    :param oid: PostgreSQL's number of it.
    :param modifier: its type modifier.
    :returns: precision and scale.
    """
    name = type_name(oid)
    if name == "numeric":
        return ((modifier - 4) >> 16, (modifier - 4) & 0x7FF) if modifier >= 0 else (38, 0)
    if name in {"varchar", "bpchar"}:
        return (modifier - 4 if modifier >= 0 else 65535), 0
    fixed = {"int2": 5, "int4": 10, "int8": 19, "float4": 8, "float8": 17, "bool": 1, "date": 13}
    return fixed.get(name, 29 if name == "timestamp" else 0), 6 if name == "timestamp" else 0
