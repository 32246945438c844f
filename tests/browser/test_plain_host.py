"""dist/ on a host that ignores the .br and .gz beside its files: the page asks for the .gz itself, and decodes it."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hand import digit

LARGE = (".wasm", ".zip", ".bin")


class PlainHandler(SimpleHTTPRequestHandler):
    """Python's own, which is as plain as a host can be; it notes what it has sent."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".js": "text/javascript"}
    sent: dict[str, int]  # path -> bytes of bodies, all answers together
    extra: dict[str, str] = {}  # headers for each .gz
    finest: tuple[str, ...] = ()  # name endings that this host does compress, by sending the .gz as an encoding

    def __init__(self, *given, sent, **options):
        self.sent = sent
        super().__init__(*given, **options)

    def translate_path(self, path):
        file = super().translate_path(path)
        self.encoded = file.endswith(self.finest) and Path(file + ".gz").is_file() if self.finest else False
        return file + ".gz" if self.encoded else file

    def guess_type(self, path):
        return super().guess_type(path.removesuffix(".gz") if self.encoded else path)

    def end_headers(self):
        if self.encoded:
            self.send_header("Content-Encoding", "gzip")
        elif self.path.endswith(".gz"):
            for name, value in self.extra.items():
                self.send_header(name, value)
        super().end_headers()

    def copyfile(self, source, outputfile):
        name = self.path.rpartition("/")[2]
        try:
            while part := source.read(65_536):
                outputfile.write(part)
                self.sent[name] = self.sent.get(name, 0) + len(part)
        except ConnectionError:  # the page has cancelled it
            self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def plain_host(directory: Path, **kind):
    """Yields the address and {name: bytes sent}. kind: attributes of the handler."""
    sent: dict[str, int] = {}
    handler = type("Handler", (PlainHandler,), kind)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(directory), sent=sent)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/", sent
        finally:
            server.shutdown()
            thread.join()


def large(sent: dict[str, int]) -> dict[str, int]:
    return {name: size for name, size in sent.items() if name.endswith(LARGE)}


def packed_size(dist: Path) -> int:
    """What the runtime's and our large files weigh as .gz."""
    return sum(Path(f"{path}.gz").stat().st_size for path in dist.rglob("*") if path.suffix in LARGE)


def test_before_the_first_answer_every_large_file_is_sent_as_gz_and_once(dist, new_visit):
    with plain_host(dist) as (address, sent):
        visit = new_visit(address, service_workers="block").open().ready()
        assert visit.read(digit(3)) == "3"
    assert not large(sent)
    packed = sum(size for name, size in sent.items() if name.endswith(".gz"))
    assert packed <= packed_size(dist)
    assert sum(sent.values()) - packed < 2_500_000  # pages, scripts (Pyodide's, 1.3 MB, can only be had as they are) and one model


def test_keeping_all_for_use_without_network_sends_no_large_file_as_it_is(dist, new_visit):
    with plain_host(dist) as (address, sent):
        visit = new_visit(address).open().ready().offline_ready()
        assert not large(sent)
    visit.page.reload()
    visit.ready()
    assert visit.read(digit(5)) == "5"
    visit.on_element("(element) => element.useModel('mlp-128-64')")
    assert visit.read(digit(7)) == "7"


@pytest.mark.parametrize("header", ["gzip", "x-gzip"])
def test_a_host_that_calls_the_gz_an_encoding_has_it_undone_by_the_browser_and_nowhere_twice(dist, new_visit, header):
    with plain_host(dist, extra={"Content-Encoding": header}) as (address, sent):
        visit = new_visit(address).open().ready().offline_ready()
        assert sent["numpy.zip.gz"]
    visit.page.reload()
    assert visit.ready().read(digit(6)) == "6"


def test_a_host_that_compresses_only_the_types_it_knows_is_asked_for_the_gz_of_the_others(dist, new_visit):
    """The page finds out by the length that an answer names, and breaks it off: how much has come by then depends on the line."""
    with plain_host(dist, finest=(".html", ".js", ".mjs", ".css", ".wasm")) as (address, sent):
        visit = new_visit(address).open().ready()
        assert visit.read(digit(4)) == "4"
        visit.offline_ready()
        assert sent["numpy.zip.gz"] and "pyodide.asm.wasm.gz" not in sent
    visit.page.reload()
    assert visit.ready().read(digit(1)) == "1"


def test_a_copy_without_the_gz_files_works_uncompressed(dist, new_visit, tmp_path):
    copy = shutil.copytree(dist, tmp_path / "dist", ignore=shutil.ignore_patterns("*.br", "*.gz", "inkling.html"))
    with plain_host(copy) as (address, sent):
        visit = new_visit(address)
        visit.expecting("404")
        visit.open().ready()
        assert visit.read(digit(8)) == "8"
        assert large(sent)
        visit.offline_ready()
    visit.page.reload()
    assert visit.ready().read(digit(9)) == "9"


ASKED = "() => performance.getEntriesByType('resource').map(({ name }) => name.split('/').pop())"


def test_what_the_service_worker_keeps_is_asked_for_once_though_it_has_the_length_that_the_host_named(dist, new_visit, tmp_path):
    copy = shutil.copytree(dist, tmp_path / "dist", ignore=shutil.ignore_patterns("*.br", "*.gz", "inkling.html"))
    with plain_host(copy) as (address, _):
        visit = new_visit(address)
        visit.expecting("404")
        visit.open().ready().offline_ready()
    visit.page.reload()
    visit.ready()
    asked = [name for by in (visit.page, visit.page.workers[0]) for name in by.evaluate(ASKED)]
    assert asked.count("heap.bin") == asked.count("pyodide.asm.wasm") == 1 and not [name for name in asked if name.endswith(".gz")]
    assert visit.read(digit(8)) == "8"


def test_instead_of_a_broken_gz_the_file_itself_is_taken(dist, rough, tmp_path):
    copy = shutil.copytree(dist, tmp_path / "dist", ignore=shutil.ignore_patterns("*.br", "inkling.html"))
    for name in ("numpy.zip.gz", "pyodide.asm.wasm.gz"):
        file = next(copy.glob(f"runtime-*/{name}"))
        file.write_bytes(file.read_bytes()[:-50_000])
    with plain_host(copy) as (address, sent):
        visit = rough(address).open("?boot=slim")
        visit.draw(digit(4))
        assert visit.ready().answer() == "4"
        assert {"numpy.zip", "pyodide.asm.wasm"} <= set(sent)
