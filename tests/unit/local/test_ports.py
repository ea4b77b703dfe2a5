import socket
from collections.abc import Iterator

import pytest

from include.local import ports
from updraft.errors import UpdraftError


@pytest.fixture
def taken() -> Iterator[int]:
    port = ports.free_port()
    with socket.socket() as server:
        server.bind((ports.HOST, port))
        server.listen()
        yield port


def test_free_port_can_be_listened_on() -> None:
    with socket.socket() as server:
        port = ports.free_port()
        server.bind((ports.HOST, port))
        assert server.getsockname() == (ports.HOST, port)


def test_taken_port_is_not_free(taken: int) -> None:
    assert not ports.is_free(taken)


def test_taken_port_is_refused_in_one_sentence(taken: int) -> None:
    with pytest.raises(UpdraftError, match=f"^Port {taken} on 127.0.0.1 is in use by [^.\n]*$"):
        ports.require_free(taken)


def test_released_port_is_free_again_at_once() -> None:
    port = ports.free_port()
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((ports.HOST, port))
        server.listen()
        with socket.create_connection((ports.HOST, port)), server.accept()[0] as accepted:
            accepted.shutdown(socket.SHUT_RDWR)
    ports.require_free(port)
    assert ports.is_free(port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_no_port_number(port: int) -> None:
    with pytest.raises(UpdraftError, match=f"{port} is not a port number"):
        ports.require_free(port)
