"""serve --watch: look at the sources twice a second, rebuild when one changes, and have open pages reload.

The page learns of it through server-sent events and a few lines of script, which only this server adds, as a file of its own:
the page's policy allows no inline script. There is no service worker meanwhile: it would go on showing the version it keeps.
"""

import os
import threading
import time
from http import HTTPStatus
from pathlib import Path

from builder.common import ROOT, SITE, BuildError, say

POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 10  # an empty line, so that a closed page is noticed and its thread ends

SCRIPT = b"""
let first;
new EventSource(new URL("__changes", import.meta.url)).onmessage = ({ data }) => {
  first ??= data;
  if (data !== first) location.reload();
};
"""

# Takes the place of sw.js: drops what an earlier visit keeps, reloads the pages shown from it, and goes.
GOODBYE = b"""
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(leave()));
async function leave() {
  const kept = (await caches.keys()).filter((name) => name.startsWith("inkling-"));
  await Promise.all(kept.map((name) => caches.delete(name)));
  await registration.unregister();
  if (!kept.length) return;
  for (const page of await clients.matchAll({ type: "window" })) page.navigate(page.url);
}
"""


class Watcher:
    """Rebuilds on change and tells the pages; `rebuild` is called without arguments and may raise BuildError."""

    def __init__(self, rebuild, folders: tuple[Path, ...] = (SITE, ROOT / "weights")):
        self.rebuild, self.folders = rebuild, folders
        self.version = time.time_ns()  # not a count from 0: a page must notice a restarted server too
        self.changed = threading.Condition()

    def run(self) -> None:
        """Watch for ever."""
        seen = self._state()
        while True:
            time.sleep(POLL_SECONDS)
            if (now := self._state()) == seen:
                continue
            while (later := self._state()) != now:  # an editor or a trainer is still writing
                time.sleep(0.1)
                now = later
            seen = now
            self._rebuild()

    def _rebuild(self) -> None:
        try:
            start = time.monotonic()
            self.rebuild()
        except Exception as error:  # also a mistake of ours: the next change must still find a watcher
            reason = error if isinstance(error, (BuildError, OSError)) else f"{type(error).__name__}: {error}"
            say(f"{time.strftime('%H:%M:%S')} not rebuilt: {reason}")
            return
        say(f"{time.strftime('%H:%M:%S')} rebuilt in {time.monotonic() - start:.1f} s")
        with self.changed:
            self.version = time.time_ns()
            self.changed.notify_all()

    def _state(self) -> dict[Path, tuple[int, int]]:
        state = {}
        for top in self.folders:
            for folder, subfolders, names in os.walk(top):  # it passes over a folder that is removed under it; rglob does not
                if "__pycache__" in subfolders:
                    subfolders.remove("__pycache__")
                for path in (Path(folder, name) for name in names):
                    try:
                        information = path.stat()
                    except FileNotFoundError:  # removed since it was listed
                        continue
                    state[path] = (information.st_mtime_ns, information.st_size)
        return state

    def answer(self, handler, path: str) -> bool:
        """Answer the requests that are the watcher's own; False for all others."""
        javascript = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-store"}
        if path == "__changes":
            self._send_changes(handler)
        elif path == "__changes.js":
            handler.send_whole(HTTPStatus.OK, SCRIPT, javascript)
        elif path == "sw.js":
            handler.send_whole(HTTPStatus.OK, GOODBYE, javascript)
        elif path in ("", "index.html") and (page := handler.server.directory / "index.html").is_file():
            script = b'<script type="module" src="./__changes.js"></script>\n</head>'
            body = page.read_bytes().replace(b"</head>", script, 1)
            handler.send_whole(HTTPStatus.OK, body, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})
        else:
            return False
        return True

    def _send_changes(self, handler) -> None:
        """The stream of versions: the present one at once, each new one as it comes."""
        handler.send_whole(HTTPStatus.OK, None, {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "Connection": "close"})
        sent = None
        try:
            while True:
                text = f"data: {self.version}\n\n" if self.version != sent else ":\n\n"
                sent = self.version
                handler.wfile.write(text.encode())
                handler.wfile.flush()
                with self.changed:
                    if self.version == sent:
                        self.changed.wait(HEARTBEAT_SECONDS)
        except ConnectionError:
            handler.close_connection = True  # the page was closed or reloaded
