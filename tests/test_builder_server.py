"""The preview server: what a good static host does, and nothing outside its folder."""

import http.client
import os
import threading
import time

import pytest

from builder import server as server_module
from builder.common import BuildError, python_command
from builder.headers import POLICY
from builder.server import make_server
from builder.watch import Watcher

FILES = {
    "index.html": b"<html><head></head></html>",
    "sw.js": b"const BUILD = {};",
    "_headers": b"/*",
    "app-12ab34cd56/js/page.js": b"export {};" * 100,
    "app-12ab34cd56/js/page.js.gz": b"as gzip",
    "app-12ab34cd56/js/page.js.br": b"as brotli",
    "app-12ab34cd56/weights/convnet.npz": b"PK",
    "runtime-12ab34cd56/pyodide.asm.wasm": b"\0asm",
    "runtime-12ab34cd56/pyodide.mjs": b"export {};",
    "manifest.webmanifest": b"{}",
}
PAGE = "app-12ab34cd56/js/page.js"


@pytest.fixture
def folder(tmp_path):
    for name, data in FILES.items():
        (tmp_path / "dist" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dist" / name).write_bytes(data)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "dist"


@pytest.fixture
def start():
    running = []

    def begin(*arguments, **options):
        server = make_server(*arguments, **options)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        return server

    yield begin
    for server in running:
        server.shutdown()
        server.server_close()


def ask(server, path, method="GET", **headers):
    """Return (status, headers, body); the path goes over the wire as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, response.headers, body


def test_an_address_that_this_machine_has_not_is_refused_with_advice(folder):
    with pytest.raises(BuildError, match=r"192\.0\.2\.1: .*--host"):
        server_module._first_free(8000, folder, None, "192.0.2.1")  # kept for documents (RFC 5737): nobody has it


def test_every_answer_carries_the_policy_of_the_page(folder, start):
    server = start(folder)
    for path in ("/", "/" + PAGE, "/nothing"):
        headers = ask(server, path)[1]
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
    assert "unsafe-eval'" not in POLICY.replace("'wasm-unsafe-eval'", "") and "unsafe-inline" not in POLICY


@pytest.mark.parametrize(
    "path, content_type",
    [
        ("", "text/html; charset=utf-8"),
        ("sw.js", "text/javascript; charset=utf-8"),
        ("runtime-12ab34cd56/pyodide.mjs", "text/javascript; charset=utf-8"),
        ("runtime-12ab34cd56/pyodide.asm.wasm", "application/wasm"),
        ("manifest.webmanifest", "application/manifest+json"),
        ("app-12ab34cd56/weights/convnet.npz", "application/octet-stream"),
    ],
)
def test_types_are_those_that_browsers_insist_on(folder, start, path, content_type):
    status, headers, _ = ask(start(folder), "/" + path)
    assert (status, headers["Content-Type"]) == (200, content_type)


@pytest.mark.parametrize(
    "accepted, encoding, body",
    [
        ("gzip, deflate, br, zstd", "br", b"as brotli"),
        ("gzip", "gzip", b"as gzip"),
        ("gzip;q=1.0, br;q=0", "gzip", b"as gzip"),
        ("identity", None, FILES[PAGE]),
        ("", None, FILES[PAGE]),
    ],
)
def test_the_smallest_form_that_the_browser_takes_is_sent(folder, start, accepted, encoding, body):
    _, headers, received = ask(start(folder), "/" + PAGE, Accept_Encoding=accepted)
    assert (headers["Content-Encoding"], received) == (encoding, body)
    assert headers["Content-Type"].startswith("text/javascript") and headers["Vary"] == "Accept-Encoding"


def test_hashed_folders_are_kept_for_ever_and_stable_names_asked_about(folder, start):
    server = start(folder)
    assert "immutable" in ask(server, "/" + PAGE)[1]["Cache-Control"]
    for path in ("/", "/index.html", "/sw.js", "/manifest.webmanifest"):
        _, headers, _ = ask(server, path)
        assert headers["Cache-Control"] == "no-cache"
        assert ask(server, path, If_None_Match=headers["ETag"])[0] == 304


def test_a_rebuilt_file_is_sent_anew(folder, start):
    server = start(folder)
    tag = ask(server, "/sw.js")[1]["ETag"]
    (folder / "sw.js").write_bytes(b"const BUILD = {1:1};")
    status, _, body = ask(server, "/sw.js", If_None_Match=tag)
    assert (status, body) == (200, b"const BUILD = {1:1};")


def test_head_has_the_headers_and_no_body(folder, start):
    status, headers, body = ask(start(folder), "/" + PAGE, "HEAD")
    assert (status, int(headers["Content-Length"]), body) == (200, len(FILES[PAGE]), b"")


@pytest.mark.parametrize(
    "path",
    [
        *("/../secret.txt", "/%2e%2e/secret.txt", "/app-12ab34cd56/../../secret.txt", "/..%5csecret.txt", "//../secret.txt"),
        *("/_headers", "/%00", "/no/such", "/" + 300 * "x", "HTTP://["),
    ],
)
def test_nothing_outside_the_folder_is_served_and_no_request_is_left_without_answer(folder, start, path):
    status, _, body = ask(start(folder), path)
    assert status == 404 and b"secret" not in body


def test_the_site_works_below_a_path(folder, start):
    server = start(folder, prefix="/tools/inkling/")
    assert server.url.endswith("/tools/inkling/")
    assert ask(server, "/tools/inkling/")[2] == FILES["index.html"]
    assert ask(server, "/tools/inkling/" + PAGE)[0] == 200
    assert ask(server, "/" + PAGE)[0] == 404


def test_a_folder_without_its_slash_is_redirected(folder, start):
    status, headers, _ = ask(start(folder, prefix="sub"), "/sub/app-12ab34cd56")
    assert (status, headers["Location"]) == (301, "/sub/app-12ab34cd56/")


def test_a_taken_port_means_the_next_free_one(folder, start):
    first = start(folder)
    second = server_module._first_free(first.server_port, folder, None)
    second.server_close()
    assert second.server_port > first.server_port


def test_serving_says_that_this_dist_is_not_the_one_for_a_host(folder, monkeypatch, capsys):
    monkeypatch.setattr(server_module, "build", lambda compress: None)
    monkeypatch.setattr(server_module.Server, "serve_forever", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    assert server_module.serve(0, open_page=False, watch=False, dist=folder) == 0
    assert f"without .br and .gz now; before you copy it to a host, run: {python_command()} build.py\n" in capsys.readouterr().out


def test_watching_tells_open_pages_of_each_rebuild(folder, start, tmp_path):
    source = tmp_path / "site"
    source.mkdir()
    built = threading.Event()
    watcher = Watcher(built.set, (source,))
    server = start(folder, watcher=watcher)
    assert b"__changes.js" in ask(server, "/")[2]
    assert b"unregister" in ask(server, "/sw.js")[2]
    threading.Thread(target=watcher.run, daemon=True).start()

    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", "/__changes")
    events = connection.getresponse()
    first = events.readline()
    assert first.startswith(b"data: ") and events.readline() == b"\n"
    time.sleep(0.1)  # let the watcher take its first look
    (source / "page.js").write_text("new")
    second = events.readline()
    assert built.is_set() and second.startswith(b"data: ") and second != first
    connection.close()


def test_watching_goes_on_whatever_a_rebuild_raises(tmp_path, capsys):
    mistakes, built = [b"\xe9", ""], threading.Event()

    def rebuild():
        if mistakes:
            mistakes.pop().decode()  # AttributeError, then UnicodeDecodeError
        built.set()

    watcher = Watcher(rebuild, (tmp_path,))
    for _ in range(3):
        watcher._rebuild()
    assert built.is_set()
    said = capsys.readouterr().out.splitlines()
    assert "not rebuilt: AttributeError: " in said[0] and "not rebuilt: UnicodeDecodeError: " in said[1] and " rebuilt in " in said[2]


def test_a_folder_that_is_removed_under_the_watcher_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    (tmp_path / "page.js").touch()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("gone"):
            raise FileNotFoundError(path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert list(Watcher(None, (tmp_path, tmp_path / "never there"))._state()) == [tmp_path / "page.js"]


def test_a_connection_on_which_nothing_more_is_asked_is_given_up_without_a_word(start, folder, monkeypatch, capsys):
    monkeypatch.setattr(server_module.Handler, "timeout", 0.1)
    server = start(folder)
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", "/")
    connection.getresponse().read()
    assert connection.sock.recv(1) == b""  # closed from the other side
    connection.close()
    assert capsys.readouterr().err == ""
