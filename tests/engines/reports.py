"""A server that asks the browser to report whatever the page's policy forbids: in every engine the same, and from workers too.

It can also send something else in place of a file.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from serving import serving

from builder.headers import POLICY
from builder.server import Handler

TO = "/policy-reports"

_reports: list[str] = []


class ReportingHandler(Handler):
    faults: dict[str, bytes | None] = {}

    def do_GET(self):
        name = PurePosixPath(urlsplit(self.path).path).name.removesuffix(".gz")
        if name not in self.faults:
            return super().do_GET()
        body = self.faults[name]
        return self._fail(HTTPStatus.NOT_FOUND) if body is None else self.send_whole(HTTPStatus.OK, body, {"Content-Type": "application/octet-stream"})

    def send_whole(self, status, body, headers):
        super().send_whole(status, body, headers | {"Content-Security-Policy": f"{POLICY}; report-uri {TO}"})

    def do_POST(self):
        report = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("csp-report", {})
        _reports.append(f"policy: {report.get('document-uri')} wanted {report.get('blocked-uri')} against {report.get('violated-directive')}")
        self.send_whole(HTTPStatus.NO_CONTENT, None, {})


@contextmanager
def reporting(directory: Path, faults: dict[str, bytes | None] | None = None):
    """Serves a directory while the block runs; yields the server (`server.url`).

    faults: file name -> what is sent in place of the file and of its .gz, None for a 404.
    """
    with serving(directory) as server:
        server.RequestHandlerClass = type("FaultyHandler", (ReportingHandler,), {"faults": {} if faults is None else faults})
        yield server


def reports() -> list[str]:
    """What has been reported since the last call."""
    found = list(_reports)
    _reports.clear()
    return found
