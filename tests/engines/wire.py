"""JSON commands over a WebSocket: the form that WebDriver BiDi and Chromium's own protocol have in common."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import websocket

from engines.engine import ANSWER


class CommandError(Exception):
    """The browser refused a command."""


class Wire:
    """Command {id, method, params} -> {id, result} or {id, error}; in between come events, {method, params}."""

    def __init__(self, address: str, on_event: Callable[[str, dict], None]):
        # Both browsers turn away whoever names an origin: a page must not drive them.
        self._socket = websocket.create_connection(address, suppress_origin=True, timeout=ANSWER, skip_utf8_validation=True)
        self._on_event = on_event
        self._last_id = 0

    def call(self, method: str, **params: Any) -> dict:
        """Send a command and wait for its result; events that come first are handed on. Raises CommandError."""
        return self.wait_for(self.send(method, **params))

    def send(self, method: str, **params: Any) -> int:
        self._last_id += 1
        self._socket.send(json.dumps({"id": self._last_id, "method": method, "params": params}))
        return self._last_id

    def wait_for(self, id: int) -> dict:
        end = time.monotonic() + ANSWER
        while time.monotonic() < end:
            message = json.loads(self._socket.recv())
            if message.get("id") == id:
                if "error" in message:
                    raise CommandError(f"{message['error']} {message.get('message', '')}")
                return message["result"]
            if "method" in message:
                self._on_event(message["method"], message["params"])
        raise CommandError(f"no answer for {ANSWER} s")

    def close(self) -> None:
        self._socket.close()
