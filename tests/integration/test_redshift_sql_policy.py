"""The policy for SQL on Redshift lets the operator do its work, and allows nothing else."""

import uuid

import pytest
from airflow.sdk.exceptions import AirflowException

from tests.integration.glue_tasks import finish, task_context
from tests.integration.permission_proxy import Policy, permission_proxy
from tests.integration.redshift_warehouse import new_warehouse
from updraft.operators.redshift_sql import RedshiftSqlOperator

pytestmark = pytest.mark.integration

ONLY_AT_TIMES = {"redshift:DescribeClusters", "redshift-data:CancelStatement"}
"""What is asked when a statement is refused, and when a task is ended."""


def test_sql_with_the_rights_of_its_policy(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    warehouse = new_warehouse(local_stack.endpoint_url)
    warehouse.put("scripts/a.sql", b"create table t (n int); insert into t values (:n); select 1")
    account = "arn:aws:redshift:us-east-1:123456789012"

    def rights(cluster):
        return Policy(
            "redshift-sql",
            cluster_arn=f"{account}:cluster:{cluster}",
            database_user_arn=f"{account}:dbuser:{cluster}/awsuser",
            database_arn=f"{account}:dbname:{cluster}/dev",
            bucket_arn=f"arn:aws:s3:::{warehouse.bucket}",
            prefix="scripts",
        )

    def run(**arguments):
        operator = RedshiftSqlOperator(
            task_id="t", cluster_identifier=warehouse.cluster, database="dev", db_user="awsuser",
            aws_conn_id=None, **arguments,
        )  # fmt: skip
        return finish(operator, task_context(uuid.uuid4().hex))

    policy = rights(warehouse.cluster)
    with permission_proxy(local_stack.endpoint_url, policy) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        script = f"s3://{warehouse.bucket}/scripts/a.sql"
        assert run(script_uri=script, parameters={"n": 1})["result"]["rows"] == [[1]]
        assert run(sql="select 2")["result"]["rows"] == [[2]]
    assert proxy.denied == []
    assert proxy.used == policy.actions - ONLY_AT_TIMES
    with permission_proxy(local_stack.endpoint_url, rights("other")) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        with pytest.raises(AirflowException, match="is not permitted"):
            run(sql="select 2")
