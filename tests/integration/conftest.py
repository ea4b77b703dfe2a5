from collections.abc import Iterator

import pytest

from include.local.layout import StateDirectory
from tests.conftest import RunningStack
from tests.integration.dag_runs import DagRuns


@pytest.fixture(scope="session")
def dag_runs(
    local_stack: RunningStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DagRuns]:
    """A real Airflow against the local stack of the tests."""
    runs = DagRuns(StateDirectory(tmp_path_factory.mktemp("airflow")), local_stack.stack)
    try:
        yield runs
    finally:
        runs.airflow.down()
