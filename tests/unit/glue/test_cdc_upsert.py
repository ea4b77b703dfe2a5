"""Reading of Debezium's changes, and the choice of column types."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.glue.cdc_upsert import (
    BadInputError,
    column_types,
    moment_of,
    parse_columns,
    read_change,
)

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
    assert change["position"] == "binlog:0212-03345-012-s-017-0242"
    assert moment_of(change["position"]) == change["moment"] == 7
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
        (_event(after={"id": 1}, file="binlog", pos=4), "invalid literal for int()"),
        (_event(after={"id": 1}, lsn=5, sequence="[]"), "list index out of range"),
        (_event(after={"id": 1}, scn="-1"), "-1 is no position"),
    ],
)
def test_what_is_no_change(event, problem):
    change = _read(event)
    assert set(change) == {"problem"}
    assert change["problem"].startswith(f"{FILE}: ")
    assert problem in change["problem"]


LSN = st.builds(
    lambda a, b, c: f"{a:08x}:{b:08x}:{c:04x}",
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**16 - 1),
)
PLACES = {
    "mysql": st.builds(
        lambda file, pos, row: {"file": f"b.{file:06d}", "pos": pos, "row": row},
        st.integers(0, 2_000_000),
        st.integers(0, 2**40),
        st.integers(0, 50),
    ),
    "postgresql": st.builds(
        lambda commit, lsn: {"lsn": lsn, "sequence": json.dumps([str(commit), str(lsn)])},
        st.integers(0, 2**63),
        st.integers(0, 2**63),
    ),
    "sqlserver": st.builds(
        lambda commit, change, n: {
            "commit_lsn": commit,
            "change_lsn": change,
            "event_serial_no": n,
        },
        LSN,
        LSN,
        st.integers(1, 9),
    ),
    "oracle": st.builds(
        lambda commit, scn, block, ssn: {
            "commit_scn": str(commit),
            "scn": str(scn),
            "rs_id": f" 0x0000ff.{block:08x}.0010 ",
            "ssn": ssn,
        },
        st.integers(1, 2**63),
        st.integers(1, 2**63),
        st.integers(0, 2**32 - 1),
        st.integers(0, 9),
    ),
    "none": st.just({}),
}


def _place(source):
    if "lsn" in source:
        return tuple(map(int, json.loads(source["sequence"])))
    if "change_lsn" in source:
        lsns = (
            tuple(int(p, 16) for p in source[n].split(":")) for n in ("commit_lsn", "change_lsn")
        )
        return *lsns, source["event_serial_no"]
    if "scn" in source:
        return int(source["commit_scn"]), int(source["scn"]), source["rs_id"], source["ssn"]
    return (int(source["file"][2:]), source["pos"], source["row"]) if "file" in source else ()


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
        return _place(place), moment, offset

    assert (position(*one) < position(*other)) == (order(*one) < order(*other))
    same_place = one[0], other[1], one[2]
    assert (position(*one) < position(*same_place)) == (order(*one) < order(*same_place))


def _position(operation="u", **source):
    return _read(_event(operation, after={"id": 1}, **source))["position"]


def test_an_update_that_waited_for_a_lock_is_newer_than_what_began_after_it():
    waited = _position(file="b.000009", pos=900, ts_ms=1_000)
    began_later = _position(file="b.000009", pos=800, ts_ms=60_000)
    assert waited > began_later


@pytest.mark.parametrize(
    ("at_the_start", "streamed_before", "streamed_after"),
    [
        (
            {"file": "b.000009", "pos": 800, "ts_ms": 99_000},
            {"file": "b.000009", "pos": 799, "ts_ms": 1_000},
            {"file": "b.000009", "pos": 800, "ts_ms": 1_000},
        ),
        (
            {"lsn": 500, "sequence": '[null,"500"]', "ts_ms": 99_000},
            {"lsn": 499, "sequence": '["450","499"]', "ts_ms": 1_000},
            {"lsn": 501, "sequence": '[null,"501"]', "ts_ms": 1_000},
        ),
        (
            {"commit_lsn": "00000027:00000ac0:0002", "change_lsn": None, "ts_ms": 99_000},
            {
                "commit_lsn": "00000027:00000abf:0009",
                "change_lsn": "00000027:00000aaa:0009",
                "ts_ms": 1_000,
            },
            {
                "commit_lsn": "00000027:00000ac0:0002",
                "change_lsn": "00000027:00000abf:0001",
                "ts_ms": 1_000,
            },
        ),
        (
            {"scn": "500", "commit_scn": None, "ts_ms": 99_000},
            {"scn": "480", "commit_scn": "499", "ts_ms": 1_000},
            {"scn": "490", "commit_scn": "501", "ts_ms": 1_000},
        ),
    ],
    ids=["mysql", "postgresql", "sqlserver", "oracle"],
)
def test_a_row_that_a_snapshot_read_is_as_old_as_its_start(
    at_the_start, streamed_before, streamed_after
):
    read = _position("r", **at_the_start)
    assert _position(**streamed_before) < read < _position(**streamed_after)


def test_transactions_of_postgresql_are_in_the_order_of_their_commits():
    # The second one wrote earlier and committed later, as a deferrable key allows.
    first = _position(lsn=30, sequence='["10","30"]')
    second = _position(lsn=20, sequence='["40","20"]')
    assert first < second
    assert _position(lsn=20) < _position(lsn=30)  # Debezium before 1.5 has no sequence


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
        ({"n": "SMALLINT"}, [("n", "DOUBLE")], "values of type DOUBLE"),
        ({}, [("a", "STRING"), ("A", "STRING")], "Spark cannot tell it from"),
        ({}, [("a b", "STRING")], "'a b' cannot be the name of a column"),
    ],
)
def test_columns_that_do_not_fit(present, observed, message):
    with pytest.raises(BadInputError, match=message):
        column_types(present, {}, observed, ["id"])


def test_narrow_numbers_of_a_table_that_was_loaded_stay():
    present = {"s": "SMALLINT", "f": "FLOAT"}
    observed = [("id", "BIGINT"), ("s", "BIGINT"), ("f", "BIGINT"), ("f", "DOUBLE")]
    assert column_types(present, {}, observed, ["id"]) == {**present, "id": "BIGINT"}


def test_declared_columns():
    assert parse_columns('{"a": "decimal(10, 2)", "b": "Date"}') == {
        "a": "DECIMAL(10,2)",
        "b": "DATE",
    }
    with pytest.raises(BadInputError, match="the type of 'a', MONEY, is none of"):
        parse_columns('{"a": "money"}')
    with pytest.raises(BadInputError, match="no JSON object"):
        parse_columns("a int")
