"""Redshift on the local stack after its end: what it kept."""

import os
import signal

import pytest

from include.local import processes
from include.local.stack import LocalStack
from tests.conftest import assert_nothing_runs
from tests.integration.redshift_warehouse import Warehouse, new_warehouse

pytestmark = pytest.mark.integration


def test_data_survives_a_restart_and_no_process_is_left(tmp_path):
    stack = LocalStack(tmp_path / "stack")
    try:
        stack.up()
        warehouse = new_warehouse(stack.endpoint_url)
        warehouse.run("create table t as select 'kept' as a")
        done = warehouse.run("select a from t")
        stack.down()
        assert_nothing_runs(stack.state)
        stack.up()
        again = Warehouse(stack.endpoint_url, warehouse.cluster)
        assert again.describe()["ClusterStatus"] == "available"
        assert again.result(done["Id"]) == [["kept"]]
        assert again.rows("select a from t") == [["kept"]]
    finally:
        stack.down()
    assert_nothing_runs(stack.state)


def test_data_survives_a_kill_of_the_gateway(tmp_path):
    stack = LocalStack(tmp_path / "stack")
    try:
        stack.up()
        warehouse = new_warehouse(stack.endpoint_url)
        warehouse.run("create table t as select 'kept' as a")
        for process in processes.find(stack.state):
            if process.service == "gateway":
                os.kill(process.pid, signal.SIGKILL)
        stack.up()
        assert Warehouse(stack.endpoint_url, warehouse.cluster).rows("select a from t") == [
            ["kept"]
        ]
    finally:
        stack.down()
    assert_nothing_runs(stack.state)
