"""Ports on the loopback address."""

import random
import socket

from updraft.errors import UpdraftError

HOST = "127.0.0.1"

# Below the range from which Linux and macOS take the ports of outgoing connections, so that none
# of those can slip in between choosing a port and listening on it.
_CANDIDATES = range(20000, 30000)
_ATTEMPTS = 200
_HIGHEST = 65535


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port now.

    :param port: port on 127.0.0.1, 1 to 65535.
    :returns: True when nobody does and this user may.
    """
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still fading away counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Choose a port at random.

    :returns: a port on 127.0.0.1 that nobody listens on.
    :raises UpdraftError: when none is found.
    """
    for port in random.sample(_CANDIDATES, _ATTEMPTS):
        if is_free(port):
            return port
    raise UpdraftError(
        f"No free port on {HOST}: {_ATTEMPTS} between {_CANDIDATES.start} and "
        f"{_CANDIDATES.stop} were tried"
    )


def require_free(port: int) -> None:
    """Check that a port that somebody asked for can be had.

    :param port: port on 127.0.0.1.
    :raises UpdraftError: when it is no port number or is in use.
    """
    if not 0 < port <= _HIGHEST:
        raise UpdraftError(f"{port} is not a port number; choose one between 1 and {_HIGHEST}")
    if not is_free(port):
        raise UpdraftError(
            f"Port {port} on {HOST} is in use by another program; end it or choose another port"
        )
