"""Triggers for Redshift that Airflow stores and loads elsewhere."""

import json

import pytest

from updraft.triggers.redshift import (
    RedshiftClusterTrigger,
    RedshiftWorkgroupTrigger,
    is_own_resize,
)

COMMON = {
    "progress": {"done": ["resize"], "give_up_at": 2.0},
    "pause": 1.5,
    "give_up_at": 2.0,
    "waiter_delay": 30,
    "aws_conn_id": "aws",
    "region_name": "eu-west-1",
    "verify": "/ca.pem",
    "botocore_config": {"read_timeout": 3},
    "errors": 1,
}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (RedshiftClusterTrigger, {"cluster_identifier": "sales", "cancels": "2/ra3.large"}),
        (RedshiftWorkgroupTrigger, {"workgroup_name": "sales"}),
    ],
)
def test_nothing_is_lost_on_the_way_to_the_triggerer(kind, arguments):
    path, stored = json.loads(json.dumps(kind(**arguments, **COMMON).serialize()))
    assert path == f"{kind.__module__}.{kind.__name__}"
    assert stored == {**arguments, **COMMON}
    again = kind(**stored)
    assert again.serialize()[1] == stored
    assert again.first_pause() == 1.5


@pytest.mark.parametrize(
    ("changes", "is_own"),
    [
        ({}, True),
        ({"Status": "SUCCEEDED"}, False),
        ({"ResizeType": "ElasticResize"}, False),
        ({"TargetNumberOfNodes": 3}, False),
    ],
)
def test_only_the_own_classic_resize_is_taken_back(changes, is_own):
    resize = {
        "Status": "IN_PROGRESS",
        "ResizeType": "ClassicResize",
        "TargetNodeType": "ra3.large",
        "TargetNumberOfNodes": 2,
    }
    assert is_own_resize({**resize, **changes}, "2/ra3.large") is is_own
