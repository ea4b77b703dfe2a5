"""What loads and unloads of Redshift tell OpenLineage before they run."""

import pytest

from updraft.operators.redshift_copy import RedshiftCopyOperator
from updraft.operators.redshift_unload import RedshiftUnloadOperator

_PLACE = {
    "task_id": "t",
    "aws_conn_id": None,
    "region_name": "eu-west-1",
    "database": "Dev",
    "cluster_identifier": "etl",
    "iam_role": "default",
}
_NAMESPACE = "redshift://etl.eu-west-1:5439"
_ORDERS = (_NAMESPACE, "dev.public.orders")


def _load(**more):
    source = {} if {"dynamodb_table", "source_table"} & more.keys() else {"s3_uri": "s3://lake/in/"}
    return RedshiftCopyOperator(**{**_PLACE, "table": "orders", **source, **more})


def _told(operator):
    found = operator.get_openlineage_facets_on_start()
    names = [[(one.namespace, one.name) for one in side] for side in (found.inputs, found.outputs)]
    return found, *names


def _columns(dataset):
    facet = dataset.facets.get("columnLineage")
    if facet is None:
        return {}
    return {
        name: [(one.name, one.field) for one in of.inputFields] for name, of in facet.fields.items()
    }


def test_a_load_of_files():
    found, inputs, outputs = _told(_load())
    assert (inputs, outputs) == ([("s3://lake", "in")], [_ORDERS])
    assert _columns(found.outputs[0]) == {}
    assert "COPY" in found.job_facets["sql"].query
    assert found.run_facets == {}


def test_columns_that_the_arguments_name():
    sql = "select id, upper(v) from staging"
    found, _, _ = _told(_load(columns="id, v", transform_sql=sql))
    assert _columns(found.outputs[0]) == {"id": [("in", "id")], "v": [("in", "v")]}


def test_a_load_of_another_table():
    _, inputs, outputs = _told(_load(source_table="raw.orders", iam_role=None))
    assert (inputs, outputs) == ([(_NAMESPACE, "dev.raw.orders")], [_ORDERS])


def test_a_dynamodb_table_has_no_name_before_the_account_is_known():
    joined = "select s.id, r.v from staging s join rates r on r.id = s.id"
    arguments = {"dynamodb_table": "orders", "columns": "id, v", "transform_sql": joined}
    found, inputs, outputs = _told(_load(**arguments))
    assert (inputs, outputs) == ([(_NAMESPACE, "dev.public.rates")], [_ORDERS])
    assert _columns(found.outputs[0]) == {}


def test_columns_of_a_target_that_nobody_named_are_not_guessed():
    found, _, _ = _told(_load(transform_sql="select id, upper(v) from staging"))
    assert _columns(found.outputs[0]) == {}


def test_a_workgroup_by_its_arn():
    arn = "arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/wg"
    _, _, outputs = _told(_load(cluster_identifier=None, workgroup_name=arn))
    assert outputs == [("redshift://wg.eu-west-1:5439", "dev.public.orders")]


def test_an_unload():
    operator = RedshiftUnloadOperator(
        **_PLACE, query="select id as n from orders", s3_uri="s3://lake/out/"
    )
    found, inputs, outputs = _told(operator)
    assert (inputs, outputs) == ([_ORDERS], [("s3://lake", "out")])
    assert _columns(found.outputs[0]) == {"n": [("dev.public.orders", "id")]}


def test_a_transformation_that_can_t_be_read_is_told():
    sql = "select id from staging order by id using <"
    found, inputs, outputs = _told(_load(transform_sql=sql))
    assert (inputs, outputs) == ([("s3://lake", "in")], [_ORDERS])
    assert found.run_facets["extractionError"].failedTasks == 1
    assert found.outputs[0].facets == {}


@pytest.mark.parametrize(
    "operator",
    [
        _load(region_name=None),
        _load(region_name=""),
        _load(table=""),
        _load(s3_uri="bucket/key"),
        RedshiftUnloadOperator(**_PLACE, s3_uri="s3://lake/out/"),
    ],
)
def test_what_is_wrong_or_unknown_is_no_event(operator):
    assert operator.get_openlineage_facets_on_start() is None
    assert operator.get_openlineage_facets_on_complete(None) is None
