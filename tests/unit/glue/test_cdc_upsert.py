"""Reading of Debezium's changes, and the choice of column types."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.glue.cdc_upsert import BadInputError, column_types, parse_columns, read_change

FILE = "s3://raw/sales/customer+2+0000000042.json"


def _event(operation="u", *, after=None, before=None, **source):
    source = {"ts_ms": 7, "db": "sales", "table": "customer"} | source
    return {"op": operation, "before": before, "after": after, "source": source}


def _read(event, keys=("id",), file=FILE):
    return read_change(event if isinstance(event, str) else json.dumps(event), file, keys)


def test_a_change():
    row = {"id": 1, "n": None, "t": "é", "b": False, "f": 1.50, "j": {"k": [1]}, "l": 2**70}
    change = _read(_event(after=row, file="bin.000012", pos=345, row=2))
    assert change["row"] == {
        "id": "1",
        "t": "é",
        "b": "false",
        "f": "1.5",
        "j": '{"k": [1]}',
        "l": str(2**70),
    }
    assert change["types"] == {
        "id": "BIGINT",
        "t": "STRING",
        "b": "BOOLEAN",
        "f": "DOUBLE",
        "j": "STRING",
        "l": "DECIMAL(38,0)",
    }
    assert (change["op"], change["key"], change["origin"]) == ("u", '["1"]', "sales/customer")
    assert [int(part) for part in change["position"].split("-")] == [7, 12, 345, 2, 42]
    assert change["rank"].startswith(change["position"])


def test_a_deletion_has_the_key_only():
    change = _read(_event("d", before={"id": 1, "n": 5}))
    assert (change["op"], change["row"]) == ("d", {"id": "1"})


def test_the_envelope_knows_types_of_nulls():
    fields = [
        {"field": "id", "type": "int32"},
        {"field": "f", "type": "double"},
        {"field": "d", "type": "bytes"},
    ]
    schema = {"fields": [{"field": "after", "fields": fields}, {"field": "op", "type": "string"}]}
    row = {"id": 1, "f": 3, "d": None}
    change = _read({"schema": schema, "payload": _event(after=row)})
    assert change["types"] == {"id": "BIGINT", "f": "DOUBLE", "d": "STRING"}


@pytest.mark.parametrize("line", ["", " ", "null", '{"schema": null, "payload": null}'])
def test_tombstones(line):
    assert _read(line) is None


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("{", "Expecting property name"),
        ("[1]", "list indices"),
        ({"id": 1}, "'op' is missing"),
        (_event("t"), "op is 't', which is none of c, d, r, u; a table that was truncated"),
        (_event("d", after={"id": 1}), "op is 'd', but 'before' holds no row"),
        (_event(after={"id": None}), "the key id is null or missing in 'after'"),
        (_event(after={"n": 1}), "the key id is null or missing in 'after'"),
        (_event(after={"id": 1, "n": "__debezium_unavailable_value"}), "REPLICA IDENTITY FULL"),
        (_event(after={"id": 1}, ts_ms=None), "int() argument"),
        ({**_event(after={"id": 1}), "source": {}}, "'ts_ms' is missing"),
    ],
)
def test_what_is_no_change(event, problem):
    change = _read(event)
    assert set(change) == {"problem"}
    assert change["problem"].startswith(f"{FILE}: ")
    assert problem in change["problem"]


PLACES = {
    "mysql": st.builds(
        lambda file, pos, row: {"file": f"b.{file:06d}", "pos": pos, "row": row},
        st.integers(0, 2_000_000),
        st.integers(0, 2**40),
        st.integers(0, 50),
    ),
    "postgresql": st.builds(lambda lsn: {"lsn": lsn}, st.integers(0, 2**63)),
    "sqlserver": st.builds(
        lambda a, b, c, n: {"change_lsn": f"{a:08x}:{b:08x}:{c:04x}", "event_serial_no": n},
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**16 - 1),
        st.integers(1, 9),
    ),
}


def _place(source):
    if "lsn" in source:
        return (source["lsn"],)
    if "change_lsn" in source:
        return *(int(p, 16) for p in source["change_lsn"].split(":")), source["event_serial_no"]
    return int(source["file"][2:]), source["pos"], source["row"]


@pytest.mark.parametrize("kind", PLACES)
@given(data=st.data())
def test_positions_compare_as_the_places_do(kind, data):
    moments = st.integers(0, 2**45)
    one, other = (
        (data.draw(moments), data.draw(PLACES[kind]), data.draw(st.integers(0, 2**60)))
        for _ in range(2)
    )

    def position(moment, place, offset):
        event = _event(after={"id": 1}, **{**place, "ts_ms": moment})
        return _read(event, file=f"s3://raw/t+0+{offset:010d}.json")["position"]

    def order(moment, place, offset):
        return moment, _place(place), offset

    assert (position(*one) < position(*other)) == (order(*one) < order(*other))


def test_column_types():
    observed = [
        ("id", "BIGINT"),
        ("m", "BIGINT"),
        ("m", "DOUBLE"),
        ("x", "BOOLEAN"),
        ("x", "STRING"),
    ]
    types = column_types(
        {"old": "DATE"},
        {"m": "DECIMAL(9,2)"},
        [*observed, ("n", "BIGINT"), ("n", "DOUBLE")],
        ["id"],
    )
    assert types == {
        "old": "DATE",
        "id": "BIGINT",
        "m": "DECIMAL(9,2)",
        "n": "DOUBLE",
        "x": "STRING",
    }
    assert list(types) == ["old", "id", "m", "n", "x"]


@pytest.mark.parametrize(
    ("present", "observed", "message"),
    [
        (
            {"n": "BIGINT"},
            [("n", "DOUBLE")],
            "column 'n' is BIGINT, and there are values of type DOUBLE",
        ),
        ({"n": "BOOLEAN"}, [("n", "STRING")], "values of type STRING"),
        ({"d": "DATE"}, [("d", "BIGINT")], "values of type BIGINT"),
        ({}, [("a", "STRING"), ("A", "STRING")], "Spark cannot tell it from"),
        ({}, [("a b", "STRING")], "'a b' cannot be the name of a column"),
    ],
)
def test_columns_that_do_not_fit(present, observed, message):
    with pytest.raises(BadInputError, match=message):
        column_types(present, {}, observed, ["id"])


def test_declared_columns():
    assert parse_columns('{"a": "decimal(10, 2)", "b": "Date"}') == {
        "a": "DECIMAL(10,2)",
        "b": "DATE",
    }
    with pytest.raises(BadInputError, match="the type of 'a', MONEY, is none of"):
        parse_columns('{"a": "money"}')
    with pytest.raises(BadInputError, match="no JSON object"):
        parse_columns("a int")
