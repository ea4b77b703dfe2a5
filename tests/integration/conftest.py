from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.local import processes
from include.local.stack import LocalStack


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
