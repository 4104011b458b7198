"""Serve a folder with pypiserver until stdin closes, refusing what the strict index refuses."""

from __future__ import annotations

import hashlib
import io
import socketserver
import sys
import threading
from pathlib import Path
from typing import BinaryIO, List
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pypiserver
from pypiserver.backend import BackendProxy, SimpleFileBackend
from pypiserver.bottle_wrapper import HTTPResponse
from pypiserver.config import Config

from strict_index_rules import problems

# http.client gives up on a status line of 64 KiB.
REASON_LIMIT = 4000


class Refusal(HTTPResponse):  # type: ignore[misc]
    """A response 400 with the reason in its status line, for twine, and its body, for uv."""

    def __init__(self, reasons: List[str]) -> None:
        text = " ".join("; ".join(reasons).split())
        line = f"400 {text}".encode("ascii", "backslashreplace").decode("ascii")
        super().__init__(
            body=f"400 {text}\n", status=line[:REASON_LIMIT], Content_Type="text/plain"
        )


class StrictBackend(SimpleFileBackend):  # type: ignore[misc]
    """A folder of packages that accepts only files without problems."""

    def add_package(self, filename: str, stream: BinaryIO) -> None:
        """Store a file, or refuse the request with the reasons."""
        data = stream.read()
        reasons = self.known_problems(filename, data) + problems(filename, data)
        if reasons:
            raise Refusal(reasons)
        super().add_package(filename, io.BytesIO(data))

    def known_problems(self, filename: str, data: bytes) -> List[str]:
        """Return the conflicts of a file with those of the index; an equal file is no conflict."""
        folder: Path = self.roots[0]
        same = {
            path.name for path in folder.iterdir() if path.is_file() and path.read_bytes() == data
        }
        if filename in same or not (same or (folder / filename).exists()):
            return []
        digest = hashlib.blake2b(data, digest_size=32).hexdigest()
        return [f"File already exists ({filename!r}, with blake2_256 hash {digest!r})."]


class QuietHandler(WSGIRequestHandler):
    """A request handler without a log and without reverse look-ups."""

    def address_string(self) -> str:
        """Return the client's address as it is."""
        return str(self.client_address[0])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as overridden
        """Print nothing."""


class LoopbackServer(socketserver.ThreadingMixIn, WSGIServer):
    """A threaded server that does not look up its own name."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without the reverse look-up of http.server."""
        socketserver.TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name = str(host)
        self.server_port = int(port)
        self.setup_environ()


def main(folder: str) -> None:
    """Print the port to stdout and serve until stdin is closed."""
    config = Config.default_with_overrides(
        roots=[Path(folder)],
        authenticate=[],
        password_file=".",  # noqa: S106 - pypiserver's value for no passwords
        disable_fallback=True,
        # The backend decides about files that exist.
        overwrite=True,
        backend_arg="simple-dir",
        log_stream=None,
    )
    config.backend = BackendProxy(StrictBackend(config))
    application = pypiserver.setup_routes_from_config(pypiserver.app_from_config(config), config)
    with make_server("127.0.0.1", 0, application, LoopbackServer, QuietHandler) as server:
        threading.Thread(target=stop_at_end_of_stdin, args=(server,), daemon=True).start()
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever(poll_interval=0.05)


def stop_at_end_of_stdin(server: WSGIServer) -> None:
    """Stop the server when the process that started it closes the pipe or dies."""
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
