"""The real nginx with deploy/nginx.conf: on loopback, another port, another folder, and not one line changed besides."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager
from pathlib import Path

from builder.common import ROOT

CONFIGURATION = ROOT / "deploy" / "nginx.conf"
BROTLI = Path("/usr/share/nginx/modules-available/mod-http-brotli-static.conf")  # where Debian's package puts it
PATIENCE = 10  # s until nginx must answer; it takes 0.05


def why_not() -> str:
    """What is missing for nginx to run here, "" if nothing is."""
    if not find_nginx():
        return "there is no nginx. On Debian: apt install nginx-light libnginx-mod-http-brotli-static"
    if not BROTLI.is_file():
        return "nginx has no module for .br. On Debian: apt install libnginx-mod-http-brotli-static"
    return ""


def find_nginx() -> str | None:
    return shutil.which("nginx", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")  # not in everybody's PATH


@contextmanager
def nginx(folder: Path, scratch: Path):
    """Serves the folder while the block runs; yields the address. scratch: a folder for nginx's own files."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    text = CONFIGURATION.read_text(encoding="utf-8")
    for written, here in (("listen 8080;", f"listen 127.0.0.1:{port};"), ("root /srv/inkling;", f'root "{folder}";')):
        assert text.count(written) == 1, f"{CONFIGURATION.name} has not exactly one '{written}'"
        text = text.replace(written, here)
    configuration = scratch / "nginx.conf"
    configuration.write_text(text.replace("/tmp/nginx", str(scratch / "nginx")), encoding="utf-8")
    command = [find_nginx(), "-c", str(configuration), "-g", "daemon off; master_process off;"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            _await(port, process)
            yield f"http://localhost:{port}/"
        finally:
            process.terminate()


def _await(port: int, process: subprocess.Popen) -> None:
    """Returns as soon as connections are accepted."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
    process.terminate()
    raise AssertionError(f"nginx does not answer: {process.stderr.read()}")
