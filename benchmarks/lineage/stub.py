"""A server that says yes at once to whatever is posted or put; in a process of its own."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager

_ANSWER = b'{"id":"abcdefghijklmn","domainId":"dzd_benchmark1"}'


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"expect: 100-continue" in head:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            await reader.readexactly(length)
            body = _ANSWER if head.startswith(b"post") else b""
            writer.write(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "x"\r\n'
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main(ports: "multiprocessing.Queue[int]") -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, limit=1 << 20)
    ports.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _run(ports: "multiprocessing.Queue[int]") -> None:
    asyncio.run(_main(ports))


@contextmanager
def stub() -> Iterator[str]:
    """Run the server.

    :returns: its URL.
    """
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    process = context.Process(target=_run, args=(ports,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=30)}"
    finally:
        process.terminate()
        process.join()
