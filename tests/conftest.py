"""An Airflow without database, network or connections; for some tests also a local stack."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from include.local import processes
from include.local.stack import LocalStack
from tests import shared_botocore

_HOME = tempfile.TemporaryDirectory(prefix="updraft-airflow-")

# How long an example takes says more about the machine than about the code.
settings.register_profile("updraft", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("updraft")

# Before anything imports Airflow, which reads its configuration at import.
for name in [name for name in os.environ if name.startswith(("AIRFLOW", "OPENLINEAGE", "AWS_"))]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": _HOME.name,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}

shared_botocore.share()


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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="run also what takes long and varies what other tests show, as before a release",
    )
    parser.addoption(
        "--dynamodb-endpoint-url",
        help="address of another server that stands in for DynamoDB, such as dynalite; see "
        "CONTRIBUTING.md for the tests that can do without the local stack's",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Try more examples of each property, if the thorough tests are asked for."""
    if config.getoption("--thorough"):
        settings.load_profile("thorough")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the thorough tests out, unless they are asked for, and begin with what takes long."""
    items.sort(key=_turn)
    if config.getoption("--thorough"):
        return
    thorough = [item for item in items if item.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=thorough)
    items[:] = [item for item in items if item not in set(thorough)]


@pytest.fixture(scope="session")
def local_stack(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[RunningStack]:
    stack = LocalStack(tmp_path_factory.mktemp("local-stack"))
    try:
        stack.up()
        environment = stack.environment()
        if url := pytestconfig.getoption("--dynamodb-endpoint-url"):
            environment["AWS_ENDPOINT_URL_DYNAMODB"] = url
        yield RunningStack(stack.endpoint_url, environment, stack)
    finally:
        stack.down()
    assert_nothing_runs(stack.state)


def assert_nothing_runs(state: Path) -> None:
    """Check that no process is left, and end it if there is one."""
    left = processes.find(state)
    processes.stop(state)
    assert left == []


class FileScheduling(LoadScopeScheduling):
    """Keeps the tests of a file on one worker, and all files that share an Airflow."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "airflow" if uses_airflow(self.config.rootpath / file) else file


def _turn(item: pytest.Item) -> int:
    """Say when a test comes: those that share an Airflow wait for each other on one worker."""
    if uses_airflow(item.path):
        return 0
    return 1 if {"chaos", "integration"} & set(item.path.parts) else 2


@cache
def uses_airflow(file: Path) -> bool:
    """Tell whether tests of a file share the Airflow of the fixture ``dag_runs``."""
    return "(dag_runs" in (text := file.read_text()) or ", dag_runs" in text


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling | None:
    """Let workers take whole files, in the order of :func:`_turn`."""
    config.option.loadscopereorder = False
    return FileScheduling(config, log) if config.getoption("dist") == "loadfile" else None
