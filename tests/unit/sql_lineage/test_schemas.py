"""Reading schemas."""

import json

import pytest

from updraft.errors import UpdraftError
from updraft.sql_lineage.names import RedshiftTable, Session
from updraft.sql_lineage.schemas import parse_schemas, read_schemas

SESSION = Session()


def test_names_are_completed_and_folded():
    schemas = parse_schemas(
        {"Orders": ["Id"], "m.t": {"a": "int", "b": "super"}, 'x."My.Schema".t': ["c"]}, SESSION
    )
    assert schemas.columns(RedshiftTable("dev", "public", "orders"), SESSION) == ("id",)
    assert schemas.columns(RedshiftTable("dev", "m", "t"), SESSION) == ("a", "b")
    assert schemas.columns(RedshiftTable("x", "my.schema", "t"), SESSION) == ("c",)
    assert schemas.columns(RedshiftTable("dev", "public", "other"), SESSION) is None


def test_case_counts_if_the_session_says_so():
    session = Session(case_sensitive=True)
    schemas = parse_schemas({"T": ["A", "a"], "t": ["b"]}, session)
    assert schemas.columns(RedshiftTable("dev", "public", "T"), session) == ("A", "a")
    assert schemas.columns(RedshiftTable("dev", "public", "t"), session) == ("b",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "found [] where an object was expected"),
        ("x", 'found "x" where'),
        (None, "found null where"),
        ({"t": "a"}, """'t' has "a" for its columns"""),
        ({"t": [1]}, "'t' has 1 for the name of a column"),
        ({"t": [""]}, """'t' has "" for the name of a column"""),
        ({"t": {"a": 1}}, "'t' has 1 for the type of a column"),
        ({"t": {"a": {"b": "int"}}}, "for the type of a column"),
        ({"t": ["a", "A"]}, "'t' has the column 'A' twice"),
        ({"t": ["a"], "dev.public.T": ["b"]}, "'dev.public.T' and 't' name the same table"),
        ({"a.b.c.d": ["a"]}, "'a.b.c.d' does not name a table"),
        ({"": ["a"]}, "'' does not name a table"),
        ({"a..b": ["a"]}, "'a..b' does not name a table"),
        ({"a.": ["a"]}, "'a.' does not name a table"),
        ({"t": ["x" * 100, ["y" * 100]]}, "yyy..."),
    ],
)
def test_other_shapes_are_refused(content, message):
    with pytest.raises(UpdraftError) as error:
        parse_schemas(content, SESSION)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON: Expecting property name"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (json.dumps({"t": 1}).encode(), "schemas.json: 't' has 1"),
    ],
)
def test_broken_files(tmp_path, content, message):
    path = tmp_path / "schemas.json"
    path.write_bytes(content)
    with pytest.raises(UpdraftError) as error:
        read_schemas(path, SESSION)
    assert message in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(UpdraftError, match=r"cannot read the schemas in .*: No such file"):
        read_schemas(tmp_path / "nope.json", SESSION)
    with pytest.raises(UpdraftError, match="Is a directory"):
        read_schemas(tmp_path, SESSION)
