"""A loopback server that answers PostLineageEvent as the service does, and fails on demand."""

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class DataZoneServer:
    """Keeps what was posted; `answers` holds (status, code) for the next calls, then success."""

    def __init__(self) -> None:
        self.posted: dict[str, bytes] = {}
        self.paths: list[str] = []
        self.answers: deque[tuple[int, str]] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, dict[str, str], str]:
        self.paths.append(path)
        if self.answers:
            status, code = self.answers.popleft()
            return status, {"message": "as the test wished"}, code
        if token in self.posted:
            return 409, {"message": "known"}, "ConflictException"
        self.posted[token] = body
        return 200, {"id": f"event{len(self.posted):09}", "domainId": path.split("/")[3]}, ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, document, code = outer.answer(self.path, self.headers["Client-Token"], body)
                text = json.dumps(document).encode()
                self.send_response(status)
                if code:
                    self.send_header("x-amzn-ErrorType", code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler
