"""Statistics of columns.

.. seealso:: https://docs.aws.amazon.com/glue/latest/webapi/API_ColumnStatisticsData.html
"""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.local.gateway.services.glue.background import WorkError


def statistics_of(column: Any) -> dict[str, Any] | None:
    """Compute what Glue keeps about a column.

    :param column: its values, as a chunked array of Arrow.
    :returns: the statistics data, None for a type that Glue has no statistics for.
    :raises WorkError: for a type that is unknown here.
    """
    kind, nulls = column.type, column.null_count
    distinct = {"NumberOfNulls": nulls}
    if not (pa.types.is_boolean(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind)):
        distinct["NumberOfDistinctValues"] = pc.count_distinct(column, mode="only_valid").as_py()
    if pa.types.is_boolean(kind):
        yes = pc.sum(column).as_py() or 0
        data = {"NumberOfTrues": yes, "NumberOfFalses": len(column) - nulls - yes, **distinct}
        return {"Type": "BOOLEAN", "BooleanColumnStatisticsData": data}
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        lengths = pc.binary_length(column)
        data = {
            "MaximumLength": pc.max(lengths).as_py() or 0,
            "AverageLength": pc.mean(lengths).as_py() or 0.0,
            **distinct,
        }
        name = "BINARY" if pa.types.is_binary(kind) else "STRING"
        return {"Type": name, f"{name.title()}ColumnStatisticsData": data}
    if pa.types.is_nested(kind):
        return None
    least, most = (function(column).as_py() for function in (pc.min, pc.max))
    name, convert = _numeric_kind(kind)
    ends = {} if least is None else {"MinimumValue": convert(least), "MaximumValue": convert(most)}
    return {"Type": name, f"{name.title()}ColumnStatisticsData": {**ends, **distinct}}


def _numeric_kind(kind: Any) -> tuple[str, Any]:
    if pa.types.is_integer(kind):
        return "LONG", int
    if pa.types.is_floating(kind):
        return "DOUBLE", float
    if pa.types.is_decimal(kind):
        return "DECIMAL", _decimal
    if pa.types.is_date(kind):
        return "DATE", lambda day: datetime.combine(day, time(), UTC)
    if pa.types.is_timestamp(kind):
        return "DATE", lambda moment: moment.replace(tzinfo=moment.tzinfo or UTC)
    raise WorkError(f"The local stack has no statistics for columns of the type {kind}")


def _decimal(value: Decimal) -> dict[str, Any]:
    sign, digits, exponent = value.as_tuple()
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    length = (number.bit_length() + 8) // 8
    return {
        "UnscaledValue": number.to_bytes(length, "big", signed=True),
        "Scale": -int(exponent),
    }
