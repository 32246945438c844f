"""A server that asks the browser to report whatever the page's policy forbids: in every engine the same, and from workers too."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from serving import serving

from builder.headers import POLICY
from builder.server import Handler

TO = "/policy-reports"

_reports: list[str] = []


class ReportingHandler(Handler):
    def send_whole(self, status, body, headers):
        super().send_whole(status, body, headers | {"Content-Security-Policy": f"{POLICY}; report-uri {TO}"})

    def do_POST(self):
        report = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("csp-report", {})
        _reports.append(f"policy: {report.get('document-uri')} wanted {report.get('blocked-uri')} against {report.get('violated-directive')}")
        self.send_whole(HTTPStatus.NO_CONTENT, None, {})


@contextmanager
def reporting(directory: Path):
    """Serves a directory while the block runs; yields the server (`server.url`)."""
    with serving(directory) as server:
        server.RequestHandlerClass = ReportingHandler
        yield server


def reports() -> list[str]:
    """What has been reported since the last call."""
    found = list(_reports)
    _reports.clear()
    return found
