"""Lineage of SQL as OpenLineage events, checked against the official schemas."""

import json
from datetime import UTC, datetime

import pytest
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from updraft.errors import UpdraftError
from updraft.lineage.validation import check
from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import Session
from updraft.sql_lineage.openlineage_facets import Place, datasets, extraction_error
from updraft.sql_lineage.schemas import parse_schemas

PLACE = Place("analytics", "eu-west-1", "123456789012")
REDSHIFT = "redshift://analytics.eu-west-1:5439"


def event(sql, schemas=None):
    lineage = analyze(sql, parse_schemas(schemas or {}, Session()))
    inputs, outputs = datasets(lineage, PLACE)
    error = extraction_error(lineage)
    run = Run("0192f5a0-0000-7000-8000-000000000000", {"extractionError": error} if error else {})
    made = RunEvent(
        eventTime=datetime.now(UTC).isoformat(),
        run=run,
        job=Job("ns", "job"),
        eventType=RunState.COMPLETE,
        inputs=inputs,
        outputs=outputs,
        producer="https://example.com/updraft",
    )
    found = json.loads(Serde.to_json(made))
    check(found)
    return found


def test_names_of_datasets():
    found = event(
        "copy a from 's3://lake/in/'; copy b from 'dynamodb://Orders'; copy c from 'emr://j-1/x/';"
        "unload ('select k from db.s.t') to 's3://lake/'"
    )
    assert sorted((one["namespace"], one["name"]) for one in found["inputs"]) == [
        ("arn:aws:dynamodb:eu-west-1:123456789012", "table/Orders"),
        ("emr://j-1", "x"),
        (REDSHIFT, "db.s.t"),
        ("s3://lake", "in"),
    ]
    assert ("s3://lake", "/") in {(one["namespace"], one["name"]) for one in found["outputs"]}


def test_column_lineage_tells_values_from_what_steers_them():
    found = event(
        "create table made as select o.id, upper(o.name) as name, sum(o.amount) as total,"
        " case when o.state = 'x' then o.amount end as c from orders o join c on c.k = o.k"
        " where c.live group by o.id, o.name"
    )
    [output] = found["outputs"]
    facet = output["facets"]["columnLineage"]
    assert facet["_schemaURL"].split("/facets/")[1].startswith("1-2-0/ColumnLineageDatasetFacet")

    def sources(fields):
        return sorted(
            (one["name"], one["field"], step["type"], step["subtype"])
            for one in fields
            for step in one["transformations"]
        )

    orders = "dev.public.orders"
    assert {name: sources(one["inputFields"]) for name, one in facet["fields"].items()} == {
        "id": [(orders, "id", "DIRECT", "IDENTITY")],
        "name": [(orders, "name", "DIRECT", "TRANSFORMATION")],
        "total": [(orders, "amount", "DIRECT", "AGGREGATION")],
        "c": [(orders, "amount", "DIRECT", "TRANSFORMATION")],
    }
    assert sources(facet["dataset"]) == [
        ("dev.public.c", "k", "INDIRECT", "JOIN"),
        ("dev.public.c", "live", "INDIRECT", "FILTER"),
        (orders, "id", "INDIRECT", "GROUP_BY"),
        (orders, "k", "INDIRECT", "JOIN"),
        (orders, "name", "INDIRECT", "GROUP_BY"),
        (orders, "state", "INDIRECT", "CONDITIONAL"),
    ]
    assert {one["namespace"] for one in facet["dataset"]} == {REDSHIFT}
    assert [one["name"] for one in output["facets"]["schema"]["fields"]] == [
        "id",
        "name",
        "total",
        "c",
    ]


def test_steering_columns_go_through_temporary_tables():
    found = event(
        "create temp table x as select a as p, b from t where z > 0;"
        "insert into u (k) select p from x where x.b = 1 order by x.p"
    )
    facet = found["outputs"][0]["facets"]["columnLineage"]
    steering = [(one["field"], one["transformations"][0]["subtype"]) for one in facet["dataset"]]
    assert sorted(steering) == [("a", "SORT"), ("b", "FILTER"), ("z", "FILTER")]


@pytest.mark.parametrize(
    "sql",
    [
        "create temp table x as select sum(a) as s from t; create table u as select s from x",
        "create table u as select s + 1 as s from (select sum(a) as s from t) q",
        "create table u as select max(a) + a as s from t group by a",
        "create table u as select a + max(a) as s from t group by a",
        "create table u as select sum(a) over () as s from t",
    ],
)
def test_aggregates_stay_aggregates(sql):
    found = event(sql)
    [one] = found["outputs"][0]["facets"]["columnLineage"]["fields"]["s"]["inputFields"]
    assert (one["field"], one["transformations"][0]["subtype"]) == ("a", "AGGREGATION")


def test_statements_that_cannot_be_read():
    found = event("select 1;\nselect (;\nselekt")
    facet = found["run"]["facets"]["extractionError"]
    assert (facet["totalTasks"], facet["failedTasks"]) == (3, 2)
    assert [(one["taskNumber"], one["task"]) for one in facet["errors"]] == [
        (1, "select ("),
        (2, "selekt"),
    ]
    assert facet["errors"][0]["errorMessage"].startswith("line 2: ")
    assert extraction_error(analyze("select 1")) is None


def test_no_facet_when_nothing_is_known():
    found = event("copy a from 's3://lake/in/'")
    assert found["outputs"][0]["facets"] == {}


def test_a_table_with_schema_has_the_facet():
    found = event("truncate t", {"t": ["a", "b"]})
    assert [one["name"] for one in found["outputs"][0]["facets"]["schema"]["fields"]] == ["a", "b"]


def test_a_name_that_dynamodb_cannot_have():
    with pytest.raises(UpdraftError, match="DynamoDB"):
        event("copy a from 'dynamodb://a b'")
