"""A request and its response on a connection that is open already.

urllib3 opens connections: it knows about proxies, certificates and addresses. What goes over an
open one needs none of that. The standard library reads the response.
"""

import re
from collections.abc import Mapping
from http.client import HTTPMessage, HTTPResponse
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import socket

_TARGET = re.compile(r"/[!-~]*")


class ExchangedResponse(NamedTuple):
    """A response that has been read to its end.

    :param status: its status.
    :param headers: its headers, to be looked up under any spelling.
    :param content: the content, with the compression that it was sent with.
    :param last: whether the server takes no further request on this connection.
    """

    status: int
    headers: HTTPMessage
    content: bytes
    last: bool


def is_plain_target(target: str) -> bool:
    """Tell whether a request may name its target like this.

    :param target: the path with the query.
    :returns: whether it goes to the server itself and needs no further encoding.
    """
    return _TARGET.fullmatch(target) is not None


def exchange(
    connection: "socket.socket", target: str, headers: Mapping[str, str], body: bytes
) -> ExchangedResponse:
    """Send a POST request in one piece and read the response.

    :param connection: a connection that waits for a request; of no use any more after an error.
    :param target: path with the query, see :func:`is_plain_target`.
    :param headers: headers by name, that of the host among them.
    :param body: the content.
    :returns: the response.
    :raises OSError: when the connection is lost, or silent for too long.
    :raises http.client.HTTPException: when there is no complete response.
    :raises ValueError: when a header has a line feed or a character that no header can have.
    """
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\r") + lines.count("\n") != 2 * len(headers):
        raise ValueError("a header of the request has more than one line")
    head = (
        f"POST {target} HTTP/1.1\r\n{lines}"
        f"Accept-Encoding: identity\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode("latin-1") + body)
    response = HTTPResponse(connection, method="POST")
    try:
        response.begin()
        content = response.read()
        return ExchangedResponse(response.status, response.headers, content, response.will_close)
    finally:
        response.close()
