"""The HTTP server of the gateway: threads, kept-alive connections, one loopback address.

cheroot rather than werkzeug's server, which closes the connection after every answer: boto3 then
spends more on connections than on requests.
"""

import io
import threading
from typing import Any

from cheroot.wsgi import Gateway_10, Server
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

from include.local.gateway.errors import AwsError
from include.local.gateway.http import Environ, WsgiApplication

HOST = "127.0.0.1"

_THREADS = 32
_BACKLOG = 128
# Longer than clients keep an idle connection (botocore drops none by itself, Java does at 60).
_IDLE_SECONDS = 75


class _Gateway(Gateway_10):  # type: ignore[misc]  # cheroot has no types
    def get_environ(self) -> Environ:
        """Add what moto's own server would add."""
        environ: Environ = super().get_environ()
        # Paths with encoded slashes are told from others only by their raw form.
        environ["RAW_URI"] = environ["REQUEST_URI"]
        names = (name.decode("latin-1") for name in self.req.inheaders)
        length = environ.get("CONTENT_LENGTH")
        if length and not environ["wsgi.input_terminated"]:
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {
            environ_key_for_header(name): name
            for name in names
            if should_preserve_original_header_name(name)
        }
        return environ


class WholeBody(io.RawIOBase):
    """A body that ends with its last byte, and not where a client has died.

    cheroot hands on what has come until then. S3 keeps no part of an object; moto would keep it.

    :param body: the body as it comes.
    :param length: its length in bytes, as the client has announced it.
    """

    def __init__(self, body: Any, length: int) -> None:
        super().__init__()
        self._body = body
        self._left = length

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come.

        :param buffer: where it goes.
        :returns: number of bytes; 0 after the last.
        :raises AwsError: when the client is gone before it has sent all.
        """
        wanted = min(len(buffer), self._left)
        data = self._body.read(wanted) if wanted else b""
        if len(data) < wanted:
            missing = self._left - len(data)
            raise AwsError("IncompleteBody", f"The client is gone, and {missing} bytes with it")
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)


class GatewayServer:
    """Serves an application until it is told to stop.

    :param port: port on 127.0.0.1.
    :param application: what answers.
    """

    def __init__(self, port: int, application: WsgiApplication) -> None:
        self._server = Server(
            (HOST, port),
            application,
            numthreads=_THREADS,
            server_name="updraft-local",
            request_queue_size=_BACKLOG,
            timeout=_IDLE_SECONDS,
            shutdown_timeout=3,
        )
        self._server.gateway = _Gateway
        self._server.keep_alive_conn_limit = _BACKLOG  # the services keep some to each other
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind the port and serve in a thread.

        :raises OSError: when the port is taken.
        """
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="gateway", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests under way and release the port."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join(timeout=5)
