import pytest

from tests.integration.dag_runs import DagRuns


@pytest.fixture(scope="session")
def dag_runs(local_stack, tmp_path_factory):
    """An Airflow that runs DAG files against the local stack."""
    return DagRuns(tmp_path_factory.mktemp("airflow"), local_stack.environment)
