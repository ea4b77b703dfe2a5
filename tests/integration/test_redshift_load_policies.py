"""The policies for loads and unloads hold what the operators need, and no more."""

import uuid
from contextlib import ExitStack

import pytest
from airflow.exceptions import AirflowException, TaskDeferred

from tests.integration.permission_proxy import Policy, permission_proxy
from tests.integration.redshift_tasks import attempt, load_arguments, quick_looks
from tests.integration.redshift_warehouse import ROLE, new_warehouse
from updraft.operators.redshift_copy import RedshiftCopyOperator
from updraft.operators.redshift_unload import RedshiftUnloadOperator

pytestmark = pytest.mark.integration

BY_REDSHIFT = {"redshift:DescribeClusters"}
SLOW = "select s.id from staging s, (select count(pg_sleep(9)) as n) p where p.n = 1"


@pytest.fixture(scope="module")
def warehouse(local_stack):
    warehouse = new_warehouse(local_stack.endpoint_url)
    warehouse.run("create table t (id int)")
    return warehouse


@pytest.fixture
def rights(warehouse, local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    quick_looks(monkeypatch)
    account = "arn:aws:redshift:us-east-1:123456789012"
    load = Policy(
        "redshift-load",
        cluster_arn=f"{account}:cluster:{warehouse.cluster}",
        database_user_arn=f"{account}:dbuser:{warehouse.cluster}/awsuser",
        database_arn=f"{account}:dbname:{warehouse.cluster}/dev",
    )
    folder = Policy(
        "redshift-unload-folder", bucket_arn=f"arn:aws:s3:::{warehouse.bucket}", prefix="out"
    )

    with ExitStack() as open_proxies:

        def rights(without=None):
            for statement in (*load.statements, *folder.statements):
                statement["Action"] = [one for one in statement["Action"] if one != without]
            proxy = permission_proxy(local_stack.endpoint_url, load, folder)
            proxy = open_proxies.enter_context(proxy)
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
            return proxy, load.actions | folder.actions

        yield rights


def copy(warehouse, **more):
    source = {"s3_uri": warehouse.put("in/a", b"1\n"), "iam_role": ROLE}
    return RedshiftCopyOperator(**load_arguments(warehouse, table="t", **source, **more))


def unload(warehouse, if_exists):
    uri = f"s3://{warehouse.bucket}/out/x"
    arguments = {"s3_uri": uri, "iam_role": ROLE, "if_exists": if_exists}
    query = {"query": "select id, id as n from t", "partition_by": ["id"]}
    return RedshiftUnloadOperator(**load_arguments(warehouse, **arguments, **query))


def test_loads_and_unloads(warehouse, rights):
    proxy, actions = rights()
    run = str(uuid.uuid4())
    for number in (1, 2):
        copy(warehouse, primary_keys=["id"], insert_mode="KEEP_EXISTING").execute(
            attempt(number, run)
        )
    unload(warehouse, "fail").execute(attempt())
    unload(warehouse, "replace").execute(attempt())
    ended = copy(warehouse, transform_sql=SLOW, deferrable=True)
    with pytest.raises(TaskDeferred):
        ended.execute(attempt())
    ended.on_kill()

    assert proxy.denied == []
    assert proxy.used == actions - BY_REDSHIFT
    assert warehouse.rows("select * from t") == [[1]]


@pytest.mark.parametrize(
    ("action", "make"),
    [
        ("redshift-data:BatchExecuteStatement", copy),
        ("redshift-data:ExecuteStatement", copy),
        ("s3:ListBucket", lambda warehouse: unload(warehouse, "fail")),
    ],
)
def test_a_missing_right_is_named(warehouse, rights, action, make):
    task = make(warehouse)
    proxy, _ = rights(action)
    with pytest.raises(AirflowException, match=f"{action} on "):
        task.execute(attempt())
    assert proxy.denied
