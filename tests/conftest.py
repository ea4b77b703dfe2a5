"""An Airflow without database, network or connections; for some tests also a local stack."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.local import processes
from include.local.stack import LocalStack

_HOME = tempfile.TemporaryDirectory(prefix="updraft-airflow-")

# Before anything imports Airflow, which reads its configuration at import.
for name in [name for name in os.environ if name.startswith(("AIRFLOW", "OPENLINEAGE", "AWS_"))]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": _HOME.name,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


@dataclass(frozen=True)
class RunningStack:
    """A local stack of the tests' own, on free ports, with its own state.

    :param endpoint_url: its address.
    :param environment: the ``AWS_*`` variables that lead an SDK to it.
    :param stack: the stack itself.
    """

    endpoint_url: str
    environment: dict[str, str]
    stack: LocalStack


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    stack = LocalStack(tmp_path_factory.mktemp("local-stack"))
    try:
        stack.up()
        yield RunningStack(stack.endpoint_url, stack.environment(), stack)
    finally:
        stack.down()
    assert_nothing_runs(stack.state)


def assert_nothing_runs(state: Path) -> None:
    """Check that no process is left, and end it if there is one."""
    left = processes.find(state)
    processes.stop(state)
    assert left == []
