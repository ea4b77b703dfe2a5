"""Redshift on the local stack after its end: what it kept."""

import os
import signal

import pytest

from include.local import processes
from include.local.stack import LocalStack
from tests.conftest import assert_nothing_runs
from tests.integration.redshift_warehouse import Warehouse, new_warehouse

pytestmark = pytest.mark.integration


@pytest.mark.thorough
def test_data_survives_a_restart_and_a_kill_and_no_process_is_left(tmp_path):
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

        again.run("insert into t values ('too')")
        for process in processes.find(stack.state):
            if process.service == "gateway":
                os.kill(process.pid, signal.SIGKILL)
        stack.up()
        after = Warehouse(stack.endpoint_url, warehouse.cluster)
        assert after.rows("select a from t order by a") == [["kept"], ["too"]]
    finally:
        stack.down()
    assert_nothing_runs(stack.state)
