from collections.abc import Iterator

import pytest

from include.local.layout import StateDirectory
from tests.conftest import RunningStack, uses_airflow
from tests.integration.dag_runs import DagRuns

_DAG_RUNS = pytest.StashKey[DagRuns]()


@pytest.fixture(scope="session")
def dag_runs(
    local_stack: RunningStack,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[DagRuns]:
    """A real Airflow against the local stack of the tests."""
    runs = DagRuns(StateDirectory(tmp_path_factory.mktemp("airflow")), local_stack.stack)
    pytestconfig.stash[_DAG_RUNS] = runs
    try:
        yield runs
    finally:
        runs.airflow.down()


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End Airflow with the last of its tests, which come in a row: idle it takes time of others."""
    runs = item.config.stash.get(_DAG_RUNS, None)
    if runs is not None and nextitem is not None and not uses_airflow(nextitem.path):
        del item.config.stash[_DAG_RUNS]
        runs.airflow.down()
