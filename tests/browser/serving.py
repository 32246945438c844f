"""A folder on a server of its own for as long as a test needs it."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

from builder.server import make_server


@contextmanager
def serving(directory: Path, prefix: str = "/"):
    """Serves a directory while the block runs; yields the server (`server.url`). Afterwards it is really gone."""
    server = make_server(directory, prefix=prefix)
    connections, accept = [], server.get_request
    server.get_request = lambda: connections.append(accept()) or connections[-1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for connection, _ in connections:  # one that the browser keeps open would be answered still
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
