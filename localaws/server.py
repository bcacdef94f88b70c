"""The server of the embedded AWS: one process, one port of 127.0.0.1, every AWS API."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from localaws.gateway import Gateway
from localaws.options import Options
from localaws.registry import build_services
from localaws.service import Service
from localaws.world import World


class Server:
    """An embedded AWS that answers on `endpoint` from `start()` until `stop()`."""

    def __init__(self, data: Path, cache: Path, port: int = 0, options: Options | None = None) -> None:
        data.mkdir(parents=True, exist_ok=True)
        cache.mkdir(parents=True, exist_ok=True)
        # Bound here, since werkzeug would end the process when the port is in use.
        self._socket = socket.create_server(("127.0.0.1", port), backlog=128)
        self.world = World(data, cache, options)
        self._services: list[Service] = build_services(self.world)
        self._http: BaseWSGIServer = make_server(
            "127.0.0.1",
            self._socket.getsockname()[1],
            Gateway(self._services),
            threaded=True,
            request_handler=_RequestHandler,
            fd=self._socket.fileno(),
        )
        self.world.endpoint = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, name="http", daemon=True)

    @property
    def endpoint(self) -> str:
        """The URL that answers every AWS API, such as http://127.0.0.1:4566."""
        return self.world.endpoint

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()
        for service in self._services:
            service.start()

    def stop(self) -> None:
        """End every process, timer and thread that this server started, then stop answering."""
        self.world.close()
        for service in reversed(self._services):
            service.stop()
        self._http.shutdown()
        self._http.server_close()
        self._socket.close()


class _RequestHandler(MotoRequestHandler):
    # Clients that upload ask first (Expect: 100-continue), and HTTP/1.0 would not answer that.
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the gateway logs what matters."""
