"""What `updraft local` starts and ends, in order."""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from include.local import processes, stack
from include.local.airflow import ALL_SERVICES, LocalAirflow
from include.local.layout import StateDirectory
from include.local.stack import LocalStack
from updraft.errors import UpdraftError


class Component(Protocol):
    """A group of processes that start and end together."""

    title: str
    """What it is, for a person."""

    services: Collection[str]
    """Names of its processes."""

    def up(self, port: int | None) -> None:
        """Start what does not run and wait until it answers.

        :param port: port to listen on; None takes that of the last time, else a free one.
        :raises UpdraftError: when it does not get healthy.
        """
        ...

    def down(self) -> list[processes.FoundProcess]:
        """End it.

        :returns: the processes that were ended.
        """
        ...

    def address(self) -> str:
        """Say where it is reached.

        :returns: a URL, empty when it has never been started.
        """
        ...

    def hints(self) -> list[str]:
        """Say what a person can do with it now.

        :returns: lines of text.
        """
        ...


class AwsComponent:
    """The stand-in for AWS.

    :param state: the state directory.
    """

    title = "AWS"
    services: Collection[str] = stack.SERVICES

    def __init__(self, state: Path) -> None:
        self.stack = LocalStack(state)

    def up(self, port: int | None) -> None:
        """Start it; see :meth:`Component.up`."""
        self.stack.up(port)

    def down(self) -> list[processes.FoundProcess]:
        """End it; see :meth:`Component.down`."""
        return self.stack.down()

    def address(self) -> str:
        """Name the gateway's URL; see :meth:`Component.address`."""
        try:
            return self.stack.endpoint_url
        except UpdraftError:
            return ""

    def hints(self) -> list[str]:
        """Give the variables that lead an SDK here; see :meth:`Component.hints`."""
        return [f"export {name}={value}" for name, value in self.stack.environment().items()]


class AirflowComponent:
    """Airflow beside it.

    :param state: the state directory.
    :param aws: the stand-in for AWS, which must run first.
    """

    title = "Airflow"
    services: Collection[str] = ALL_SERVICES

    def __init__(self, state: Path, aws: LocalStack) -> None:
        self.airflow = LocalAirflow(StateDirectory(state.resolve()), aws)

    def up(self, port: int | None) -> None:
        """Start it; see :meth:`Component.up`."""
        self.airflow.up(port)

    def down(self) -> list[processes.FoundProcess]:
        """End it; see :meth:`Component.down`."""
        return self.airflow.down()

    def address(self) -> str:
        """Name the UI's URL; see :meth:`Component.address`."""
        return self.airflow.url

    def hints(self) -> list[str]:
        """Give the login; see :meth:`Component.hints`."""
        user, password = self.airflow.login
        return [f"# Airflow UI: {self.airflow.url}  user {user}, password {password}"]


def components(state: Path, *, aws_only: bool = False) -> list[Component]:
    """List the components in the order in which they start.

    :param state: the state directory.
    :param aws_only: leave Airflow out.
    :returns: the components; they end in the opposite order.
    """
    aws = AwsComponent(state)
    return [aws] if aws_only else [aws, AirflowComponent(state, aws.stack)]
