"""A deployed app, as far as the hook after the deployment can see: it lives, and shakes hands."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class App:
    port: int
    starting: int = 0
    """So many requests are answered 503 before the first good one."""
    refusals: int = 0
    """So many handshakes are answered 401 before the first good one."""
    handshakes: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving() -> Generator[App]:
    app = App(0)

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            app.starting -= 1
            self._answer(503 if app.starting >= 0 else 200)

        def do_OPTIONS(self) -> None:
            app.handshakes += 1
            origin = self.headers.get("WebHook-Request-Origin", "")
            if (
                self.path.partition("?")[0] != "/api/phone/incoming"
                or app.handshakes <= app.refusals
            ):
                self._answer(401)
            else:
                self._answer(200, {"WebHook-Allowed-Origin": origin, "Allow": "POST"})

        def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": "0", **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    app.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
